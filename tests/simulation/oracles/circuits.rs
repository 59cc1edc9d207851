//! Circuits: only failures of an upstream open its circuit, and no request of a client.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use simulation::Millis;
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{self, Writes, tables};

pub(super) const NAME: &str = "only an upstream's failures open its circuit";

/// The failures that open a circuit.
const FAILURES: usize = 5;
/// How long before it opens its failures may have been drawn: an attempt takes 5 s, its failure is counted
/// for 30 s, and the write takes up to 5 s, and 20 s more if it is slow. Clocks differ.
const WINDOW: Millis = Millis::seconds(5 + 30 + 5 + 20 + 10);

/// Checks each write of circuits.
#[derive(Debug, Clone)]
pub(super) struct Circuits {
    writes: Writes,
    /// When faults were drawn for calls of each host. Each fails an attempt at most.
    faults: BTreeMap<String, Vec<Millis>>,
    /// The state of each circuit.
    states: BTreeMap<String, Value>,
}

impl Default for Circuits {
    fn default() -> Self {
        let writes = Writes::of(&[tables::CIRCUITS]);
        Self { writes, faults: BTreeMap::new(), states: BTreeMap::new() }
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
            self.faults.entry(upstream.to_owned()).or_default().push(event.at);
        }
        if !self.writes.happened(event) {
            return Ok(());
        }
        let circuits = items::all::<Circuit>(view, tables::CIRCUITS);
        circuits.into_iter().try_for_each(|circuit| self.check(circuit, event.at))
    }
}

impl Circuits {
    fn check(&mut self, Circuit { upstream, state }: Circuit, now: Millis) -> Result<(), String> {
        let before = self.states.insert(upstream.clone(), state.clone());
        if state.get("OPEN").is_none() || before.as_ref() == Some(&state) {
            return Ok(());
        }
        let was_probed = before.is_some_and(|before| before.get("HALF_OPEN").is_some());
        let needed = if was_probed { 1 } else { FAILURES };
        let faults = self.faults.get(&upstream).map_or(&[][..], Vec::as_slice);
        let recent = faults.iter().rev().take_while(|at| now.since(**at) <= WINDOW).count();
        if recent < needed {
            return Err(format!("the circuit of {upstream} opened after {recent} failures"));
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
        let closed = json!({ "CLOSED": { "failures": [] } });
        let open = json!({ "OPEN": { "until": "2026-01-01T00:00:00.000Z" } });
        let half_open = json!({ "HALF_OPEN": { "successes": 0, "probe": null } });
        let reaches = |states: &[&Value], faults: usize, at: u64| {
            let faults = vec![Millis::seconds(100); faults];
            let faults = BTreeMap::from([("partner".to_owned(), faults)]);
            let mut circuits = Circuits { faults, ..Circuits::default() };
            states.iter().try_for_each(|state| {
                let circuit = Circuit { upstream: "partner".to_owned(), state: (*state).clone() };
                circuits.check(circuit, Millis::seconds(at))
            })
        };
        assert!(reaches(&[&closed], 0, 100).is_ok());
        assert!(reaches(&[&closed, &open, &open], 5, 110).is_ok());
        assert!(reaches(&[&open], 5, 110).is_ok());
        reaches(&[&closed, &open], 4, 110).unwrap_err();
        reaches(&[&closed, &open], 5, 171).unwrap_err();
        assert!(reaches(&[&half_open, &open], 1, 110).is_ok());
        reaches(&[&half_open, &open], 0, 110).unwrap_err();
    }
}
