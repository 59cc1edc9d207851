//! Other people's services, as far as the functions call them: small servers on free ports, in the
//! platform's own process.
//!
//! Each is a [`Service`]: it answers a request by a pure function. [`serve`] does for all of them
//! what they have in common: it notes what was asked ([`asked`]) and asks the [`switch`] whether
//! the request meets [`trouble`].

mod asked;
mod notifiers;
mod objects;
mod partner;
mod serve;
mod switch;
mod trouble;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;

use self::asked::Asked;
pub use self::asked::Report;
use self::notifiers::{NotifierFaults, Notifiers};
use self::objects::{Objects, ObjectsFaults};
use self::partner::{Partner, PartnerFaults};
use self::switch::Switch;
use self::trouble::{Answer, Trouble};

/// What is to go wrong with other people's services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// The services that take notices.
    pub notifiers: NotifierFaults,
    /// The partner.
    pub partner: PartnerFaults,
    /// The object service.
    pub objects: ObjectsFaults,
}

/// A service of somebody else's.
trait Service: Send + Sync + 'static {
    /// What the control address calls it.
    const NAME: &'static str;

    /// The template's parameters that say where it is.
    const PARAMETERS: &'static [&'static str];

    /// The template's secret that holds what its clients need to know, and what that is.
    fn secret(&self) -> Option<(&'static str, Value)> {
        None
    }

    /// The trouble that a request to this path meets, and the name under which it is counted.
    fn trouble<'a>(faults: &'a Faults, path: &str) -> (&'static str, &'a Trouble);

    /// How long it takes over an answer of its own.
    fn takes(&self, _: &Request<Bytes>, _: &Faults) -> Duration {
        Duration::ZERO
    }

    /// What it answers when nothing is wrong.
    fn answer(&self, request: &Request<Bytes>, faults: &Faults) -> Answer;
}

/// The stand-ins, running. Clones are handles to the same ones, which end with the last of them.
#[derive(Clone, Default)]
pub struct Standins {
    asked: BTreeMap<&'static str, Arc<Asked>>,
    parameters: BTreeMap<String, String>,
    secrets: BTreeMap<&'static str, String>,
    switch: Arc<Switch>,
    running: Arc<Mutex<JoinSet<()>>>,
}

impl Standins {
    /// Starts them all.
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn start() -> Result<Self, io::Error> {
        let mut standins = Self::default();
        standins.add(Notifiers::default()).await?;
        standins.add(Partner::default()).await?;
        standins.add(Objects).await?;
        Ok(standins)
    }

    /// The template's parameters that say where they are, with their values.
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// The template's secrets that their clients need, with their values.
    pub fn secrets(&self) -> &BTreeMap<&'static str, String> {
        &self.secrets
    }

    /// What one of them was asked, by its name.
    pub fn asked(&self, name: &str) -> Option<Report> {
        self.asked.get(name).map(|asked| asked.report())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.asked.keys().copied()
    }

    /// Puts these faults in force in place of those before.
    pub fn set_faults(&self, faults: Faults) {
        self.switch.set(faults);
    }

    async fn add<S: Service>(&mut self, service: S) -> Result<(), io::Error> {
        let asked = Arc::new(Asked::default());
        let secret = service.secret();
        let (switch, noted) = (Arc::clone(&self.switch), Arc::clone(&asked));
        let (url, served) = serve::start(service, switch, noted).await?;
        self.running.lock().unwrap_or_else(PoisonError::into_inner).spawn(served);
        self.asked.insert(S::NAME, asked);
        let parameters = S::PARAMETERS.iter().map(|name| ((*name).to_owned(), url.clone()));
        self.parameters.extend(parameters);
        self.secrets.extend(secret.map(|(name, value)| (name, value.to_string())));
        Ok(())
    }
}
