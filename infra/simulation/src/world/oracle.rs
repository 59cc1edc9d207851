//! Oracles: checks of everything that happens, and of the world at rest.

use std::cell::RefCell;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::names::Names;
use super::records::Records;
use super::trace::{Event, Trace};
use crate::Millis;
use crate::services::Services;
use crate::services::ses::Mail;

/// A check. Each run begins with a clone of it.
///
/// An error is one sentence about a wrong state; the run goes on, and reports the first failures of
/// each oracle.
pub trait Oracle: Send {
    /// Its name, by which failures and documents refer to it.
    fn name(&self) -> &str;

    /// Checks an event, just after it has happened.
    ///
    /// # Errors
    /// A sentence about the wrong state.
    fn observe(&mut self, _event: &Event, _view: &View<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Checks the world at rest: all operations but the probes have ended, no faults have happened
    /// since, and queues and streams are worked off. The events of probes are observed later.
    ///
    /// # Errors
    /// A sentence about the wrong state.
    fn at_rest(&mut self, _view: &View<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// The view of an oracle: the stores as they are, without lag, and the trace.
pub struct View<'a> {
    pub(super) now: Millis,
    pub(super) services: &'a Services,
    pub(super) trace: &'a Trace,
    pub(super) names: &'a Names,
    pub(super) records: RefCell<&'a mut Records>,
}

impl View<'_> {
    /// The time.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// All items of a table, by its logical id, in `DynamoDB`'s JSON.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn items(&self, table: &str) -> Vec<Json> {
        self.services.items(table)
    }

    /// The items of a table, by its logical id, that have the fields of the type: as plain JSON,
    /// without the types of attributes. Bytes are Base64, and sets are lists.
    ///
    /// Each version of an item is read once, so an oracle may ask at each event.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn records<T: DeserializeOwned + Send + Sync + 'static>(&self, table: &str) -> Vec<Arc<T>> {
        self.records.borrow_mut().of(table, self.services.stored(table))
    }

    /// The bodies of all messages of a queue, by its logical id, hidden ones too.
    pub fn messages(&self, queue: &str) -> Vec<String> {
        self.services.messages(self.names.queue(queue))
    }

    /// The logical ids of all dead-letter queues.
    pub fn dead_letter_queues(&self) -> impl Iterator<Item = &str> {
        self.names.dead_letter_queues()
    }

    /// All mails that were sent, in order.
    pub fn mails(&self) -> &[Mail] {
        self.services.mails()
    }

    /// Everything that has happened so far.
    pub fn trace(&self) -> &Trace {
        self.trace
    }
}

/// An oracle that can be cloned for each run.
pub(super) trait AnyOracle: Send + Sync {
    fn begin(&self) -> Box<dyn Oracle>;
}

impl<O: Oracle + Clone + Sync + 'static> AnyOracle for O {
    fn begin(&self) -> Box<dyn Oracle> {
        Box::new(self.clone())
    }
}
