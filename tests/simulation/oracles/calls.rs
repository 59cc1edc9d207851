//! Audit records of calls to upstreams: none stays pending.

use serde_json::Value;
use simulation::world::{Oracle, View};

use crate::items::{self, tables};

pub(super) const NAME: &str = "audit records are closed";

/// Checks the world at rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calls;

impl Oracle for Calls {
    fn name(&self) -> &str {
        NAME
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let records: Vec<Value> = items::all(view, tables::COMMUNICATIONS);
        match records.iter().find(|record| record["outcome"] == "PENDING") {
            None => Ok(()),
            Some(record) => Err(format!("a call is still pending: {record}")),
        }
    }
}
