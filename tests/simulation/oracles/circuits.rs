//! Circuits: only failures of an upstream open its circuit, and no request of a client.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{self, Writes, tables};

pub(super) const NAME: &str = "only an upstream's failures open its circuit";

/// The failures that open a circuit.
const FAILURES: usize = 5;

/// Checks each write of circuits.
#[derive(Debug, Clone)]
pub(super) struct Circuits {
    writes: Writes,
    /// The faults that were drawn for calls of each host. Each fails an attempt at most.
    faults: BTreeMap<String, usize>,
}

impl Default for Circuits {
    fn default() -> Self {
        Self { writes: Writes::of(&[tables::CIRCUITS]), faults: BTreeMap::new() }
    }
}

#[derive(Clone, Deserialize)]
struct Circuit {
    upstream: String,
    state: Value,
}

impl Oracle for Circuits {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if let Happened::Drawn { place, .. } = &event.what
            && let Some((host, _)) = place.split_once(".upstream.test")
        {
            let upstream = host.rsplit(' ').next().unwrap_or_default();
            *self.faults.entry(upstream.to_owned()).or_default() += 1;
        }
        if !self.writes.happened(event) {
            return Ok(());
        }
        items::all::<Circuit>(view, tables::CIRCUITS).iter().try_for_each(|it| self.check(it))
    }
}

impl Circuits {
    fn check(&self, Circuit { upstream, state }: &Circuit) -> Result<(), String> {
        let faults = self.faults.get(upstream).copied().unwrap_or_default();
        if state.get("OPEN").is_some() && faults < FAILURES {
            return Err(format!("the circuit of {upstream} is open after {faults} failures"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_circuit_that_is_open_after_fewer_failures_is_found() {
        let circuits = |faults| Circuits {
            faults: BTreeMap::from([("partner".to_owned(), faults)]),
            ..Circuits::default()
        };
        let circuit = |state| Circuit { upstream: "partner".to_owned(), state };
        let open = circuit(json!({ "OPEN": { "until": "2026-01-01T00:00:00.000Z" } }));
        assert!(circuits(0).check(&circuit(json!({ "CLOSED": { "failures": [] } }))).is_ok());
        assert!(circuits(5).check(&open).is_ok());
        circuits(4).check(&open).unwrap_err();
    }
}
