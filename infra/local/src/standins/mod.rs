//! Stand-ins for third-party services: small servers on free ports in the platform's process.
//!
//! Each is a [`Service`] whose responses come from a pure function. [`serve`] does the common work:
//! it records the requests ([`asked`]) and asks the [`switch`] whether a fault ([`trouble`])
//! applies.

mod asked;
mod notifiers;
mod objects;
mod partner;
mod serve;
mod switch;
mod upstream_fault;

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
use self::upstream_fault::{FakeResponse, UpstreamFault};

/// The faults of third-party services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// The notification services.
    pub notifiers: NotifierFaults,
    /// The partner.
    pub partner: PartnerFaults,
    /// The object service.
    pub objects: ObjectsFaults,
}

/// A third-party service.
trait Service: Send + Sync + 'static {
    /// Its name at the control address.
    const NAME: &'static str;

    /// The template's parameters with its URL.
    const PARAMETERS: &'static [&'static str];

    /// The template's secret with its clients' credentials, and their value.
    fn secret(&self) -> Option<(&'static str, Value)> {
        None
    }

    /// The fault setting for this path, and the name under which its requests are counted.
    fn trouble<'a>(faults: &'a Faults, path: &str) -> (&'static str, &'a UpstreamFault);

    /// The delay of its own response.
    fn takes(&self, _: &Request<Bytes>, _: &Faults) -> Duration {
        Duration::ZERO
    }

    /// Its response without faults.
    fn answer(&self, request: &Request<Bytes>, faults: &Faults) -> FakeResponse;
}

/// The running stand-ins. Clones are handles to the same stand-ins, which end with the last handle.
#[derive(Clone, Default)]
pub struct Standins {
    asked: BTreeMap<&'static str, Arc<Asked>>,
    parameters: BTreeMap<String, String>,
    secrets: BTreeMap<&'static str, String>,
    switch: Arc<Switch>,
    running: Arc<Mutex<JoinSet<()>>>,
}

impl Standins {
    /// Starts all stand-ins.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start() -> Result<Self, io::Error> {
        let mut standins = Self::default();
        standins.add(Notifiers::default()).await?;
        standins.add(Partner::default()).await?;
        standins.add(Objects).await?;
        Ok(standins)
    }

    /// The template's parameters with the stand-ins' URLs.
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// The template's secrets with their clients' credentials.
    pub fn secrets(&self) -> &BTreeMap<&'static str, String> {
        &self.secrets
    }

    /// The requests that a stand-in received, by its name.
    pub fn asked(&self, name: &str) -> Option<Report> {
        self.asked.get(name).map(|asked| asked.report())
    }

    /// The stand-ins' names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.asked.keys().copied()
    }

    /// Replaces the active faults.
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
