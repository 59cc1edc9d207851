//! Stand-ins for third-party services: small servers on free ports in the platform's process.
//!
//! An application brings them. Each is a [`Service`] whose responses come from a pure function.
//! [`serve`] does the common work: it records the requests ([`asked`]) and asks the [`switch`]
//! whether a fault applies.

mod asked;
#[cfg(test)]
pub(crate) mod sample;
mod serve;
mod service;
mod switch;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use self::asked::Asked;
pub use self::asked::Report;
pub use self::service::Service;
use self::switch::{Change, JsonSwitch, PathError, Switch};
use crate::activity::Activity;
use crate::faults::StandinFaults;

/// The faults of stand-ins cannot be set: a name or a member is unknown, or a value is invalid.
#[derive(Debug, thiserror::Error)]
#[error("at standins.{path}: {reason}")]
pub struct BadFaults {
    path: String,
    reason: String,
}

/// The running stand-ins. Clones are handles to the same stand-ins, which end with the last handle.
#[derive(Clone, Default)]
pub struct Standins {
    standins: BTreeMap<&'static str, Standin>,
    parameters: BTreeMap<String, String>,
    secrets: BTreeMap<&'static str, String>,
    running: Arc<Mutex<JoinSet<()>>>,
}

/// One running stand-in.
#[derive(Clone)]
struct Standin {
    url: String,
    asked: Arc<Asked>,
    switch: Arc<dyn JsonSwitch>,
}

impl Standins {
    /// Starts a stand-in.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn add<S: Service>(&mut self, service: S) -> Result<(), io::Error> {
        let asked = Arc::new(Asked::new(S::NAME, S::SHOWN_HEADERS));
        let switch = Arc::new(Switch::<S::Faults>::default());
        let secret = service.secret();
        let (url, served) = serve::start(service, Arc::clone(&switch), Arc::clone(&asked)).await?;
        self.running.lock().unwrap_or_else(PoisonError::into_inner).spawn(served);
        let parameters = S::PARAMETERS.iter().map(|name| ((*name).to_owned(), url.clone()));
        self.parameters.extend(parameters);
        self.standins.insert(S::NAME, Standin { url, asked, switch });
        self.secrets.extend(secret.map(|(name, value)| (name, value.to_string())));
        Ok(())
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
        self.standins.get(name).map(|standin| standin.asked.report())
    }

    /// A stand-in's address, by its name: `http://127.0.0.1:4100`.
    pub fn url(&self, name: &str) -> Option<&str> {
        self.standins.get(name).map(|standin| standin.url.as_str())
    }

    /// Records the requests of all stand-ins there.
    pub(crate) fn record_to(&self, activity: &Activity) {
        self.standins.values().for_each(|standin| standin.asked.record_to(activity));
    }

    /// The stand-ins' names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.standins.keys().copied()
    }

    /// Whether a stand-in has any active fault, by its name.
    pub fn is_faulty(&self, name: &str) -> bool {
        self.standins.get(name).is_some_and(|standin| standin.switch.is_on())
    }

    /// The active faults of all stand-ins, with all members.
    pub fn faults(&self) -> StandinFaults {
        let standins = self.standins.iter();
        standins.map(|(name, standin)| ((*name).to_owned(), standin.switch.active())).collect()
    }

    /// Replaces the active faults of all stand-ins; a stand-in without a value gets none.
    ///
    /// # Errors
    /// If a name or a member is unknown, or a value is invalid. No faults are changed then.
    pub fn set_faults(&self, faults: &StandinFaults) -> Result<(), BadFaults> {
        if let Some(unknown) = faults.keys().find(|name| !self.standins.contains_key(name.as_str()))
        {
            return Err(self.no_such(unknown));
        }
        let changes = self.standins.iter().map(|(name, standin)| {
            let change = Arc::clone(&standin.switch).read(faults.get(*name));
            change.map_err(|error| BadFaults::of(name, &error))
        });
        let changes: Vec<Change> = changes.collect::<Result<_, _>>()?;
        for change in changes {
            change();
        }
        Ok(())
    }

    fn no_such(&self, name: &str) -> BadFaults {
        let known: Vec<String> = self.names().map(|name| format!("`{name}`")).collect();
        let expected = match known.as_slice() {
            [] => "there are no stand-ins".to_owned(),
            [one] => format!("expected {one}"),
            _ => format!("expected one of {}", known.join(", ")),
        };
        BadFaults { path: name.to_owned(), reason: format!("unknown field `{name}`, {expected}") }
    }
}

impl BadFaults {
    fn of(name: &str, error: &PathError) -> Self {
        let path = match error.path().to_string().as_str() {
            // The value itself, not a member of it.
            "." => name.to_owned(),
            path => format!("{name}.{path}"),
        };
        Self { path, reason: error.inner().to_string() }
    }
}
