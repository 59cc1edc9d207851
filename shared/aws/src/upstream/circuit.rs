//! The circuit of an upstream: a state machine of values, without a clock and without a store.
//!
//! ```text
//!                 5 failures in 30 s             after 30 s, at the next request
//!   closed ──────────────────────────▶ open ─────────────────────────────▶ half-open
//!      ▲                                ▲   ◀──────────────────────────────    │
//!      │                                           a probe fails               │
//!      └───────────────────────────────────────────────────────────────────────┘
//!                                 3 probes succeed
//! ```

use lifecycle::Timestamp;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::limits::SKEW_S;

/// The table of circuits, one item for each upstream.
pub const CIRCUITS: TableName = TableName::new("circuits");

/// This many failures within [`WINDOW_S`] open the circuit.
const FAILURES_MAX: usize = 5;
const WINDOW_S: i64 = 30;
/// How long it stays open, in seconds.
const OPEN_S: i64 = 30;
/// This many probes in a row must succeed to close it.
const PROBES: u32 = 3;
/// A probe without a result is abandoned after this many seconds: its function has ended.
const PROBE_S: i64 = 15;

/// The state of an upstream's circuit, shared by all instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Circuit {
    upstream: String,
    /// Counts up with each change; 0 means that it is not stored yet.
    pub(super) version: u64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    /// All requests pass. The latest failures, oldest first.
    Closed { failures: Vec<Timestamp> },
    /// No request passes.
    Open { until: Timestamp },
    /// One request at a time passes, as a probe.
    HalfOpen { successes: u32, probe: Option<Probe> },
}

/// The permission to probe while the circuit is half-open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Probe {
    id: String,
    until: Timestamp,
}

/// Whether a request may call the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes.
    Open,
    /// Yes, if it becomes the probe.
    AsProbe,
    /// Not before this time.
    NotBefore(Timestamp),
}

/// The result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Succeeded,
    Failed,
    /// It ended before the upstream's health was known.
    GaveUp,
}

impl Circuit {
    /// The circuit of an upstream that has no stored state.
    pub(super) fn of(upstream: &str) -> Self {
        let state = State::Closed { failures: Vec::new() };
        Self { upstream: upstream.to_owned(), version: 0, state }
    }

    /// The key of an upstream's circuit.
    pub(super) fn key_of(upstream: &str) -> Key {
        Key::new(upstream)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Whether a request may call the upstream.
    pub(super) fn admission(&self, now: Timestamp) -> Admission {
        match &self.state {
            State::Closed { .. } => Admission::Open,
            State::Open { until } if is_ahead(*until, now, OPEN_S) => Admission::NotBefore(*until),
            State::HalfOpen { probe: Some(probe), .. } if is_ahead(probe.until, now, PROBE_S) => {
                Admission::NotBefore(now.plus_seconds(1))
            }
            State::Open { .. } | State::HalfOpen { .. } => Admission::AsProbe,
        }
    }

    /// The circuit after a request has become its probe; `None` if it cannot.
    pub(super) fn probed(&self, id: &str, now: Timestamp) -> Option<Self> {
        if self.admission(now) != Admission::AsProbe {
            return None;
        }
        let successes = match self.state {
            State::HalfOpen { successes, .. } => successes,
            State::Open { .. } | State::Closed { .. } => 0,
        };
        let probe = Probe { id: id.to_owned(), until: now.plus_seconds(PROBE_S) };
        Some(self.changed(State::HalfOpen { successes, probe: Some(probe) }))
    }

    /// The circuit after a request, which was the probe with this id or none; `None` if nothing
    /// changes.
    pub(super) fn after(&self, event: Event, probe: Option<&str>, now: Timestamp) -> Option<Self> {
        let open = || State::Open { until: now.plus_seconds(OPEN_S) };
        let state = match (&self.state, event) {
            (State::Closed { failures }, Event::Failed) => {
                let (from, to) = (now.plus_seconds(-WINDOW_S), now.plus_seconds(SKEW_S));
                let recent = failures.iter().filter(|at| **at > from && **at < to);
                let failures: Vec<_> = recent.copied().chain([now]).collect();
                if failures.len() < FAILURES_MAX { State::Closed { failures } } else { open() }
            }
            (State::HalfOpen { successes, probe: Some(current) }, event)
                if Some(current.id.as_str()) == probe =>
            {
                match event {
                    Event::Failed => open(),
                    Event::Succeeded if successes + 1 < PROBES => {
                        State::HalfOpen { successes: successes + 1, probe: None }
                    }
                    Event::Succeeded => State::Closed { failures: Vec::new() },
                    Event::GaveUp => State::HalfOpen { successes: *successes, probe: None },
                }
            }
            // Ignore results of calls admitted before the circuit opened, and of abandoned probes.
            _ => return None,
        };
        Some(self.changed(state))
    }

    fn changed(&self, state: State) -> Self {
        Self { upstream: self.upstream.clone(), version: self.version + 1, state }
    }
}

/// Whether the end of a time of this length is ahead.
fn is_ahead(end: Timestamp, now: Timestamp, length_s: i64) -> bool {
    now < end && end < now.plus_seconds(length_s + SKEW_S)
}

impl Record for Circuit {
    const TABLE: TableName = CIRCUITS;

    fn key(&self) -> Key {
        Self::key_of(&self.upstream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_30_s_open_the_circuit_and_fewer_do_not() {
        for (failures_at, opens) in [
            (vec![0, 1, 2, 3, 4], true),
            (vec![0, 0, 0, 0, 0], true),
            (vec![0, 7, 14, 21, 29], true),
            (vec![0, 7, 14, 21, 30], false),
            (vec![0, 1, 2, 3], false),
            (vec![0, 10, 20, 30, 40, 50, 60], false),
        ] {
            let circuit = after_failures(&failures_at);
            assert_eq!(circuit.is_open(), opens, "{failures_at:?}");
        }
    }

    #[test]
    fn an_open_circuit_stops_requests_for_30_s_then_admits_one_at_a_time() {
        let open = after_failures(&[0; 5]);
        for second in [0, 29] {
            assert_eq!(open.admission(at(second)), Admission::NotBefore(at(30)), "{second}");
            assert_eq!(open.probed("a", at(second)), None);
        }
        assert_eq!(open.admission(at(30)), Admission::AsProbe);
        let probed = open.probed("a", at(30)).unwrap();
        assert_eq!(probed.admission(at(31)), Admission::NotBefore(at(32)));
        assert_eq!(probed.probed("b", at(44)), None, "the first probe is in progress");
        assert!(probed.probed("b", at(45)).is_some(), "the first probe is abandoned");
    }

    #[test]
    fn times_of_a_clock_that_was_far_ahead_stop_no_request() {
        let open = after_failures(&[3_600; 5]);
        assert_eq!(open.admission(at(3_590)), Admission::NotBefore(at(3_630)), "a small skew");
        assert_eq!(open.admission(at(0)), Admission::AsProbe);
        let probed = open.probed("a", at(3_630)).unwrap();
        assert_eq!(probed.admission(at(3_620)), Admission::NotBefore(at(3_621)));
        assert_eq!(probed.admission(at(0)), Admission::AsProbe);
        let four = after_failures(&[3_600; 4]);
        assert!(four.after(Event::Failed, None, at(3_590)).unwrap().is_open());
        assert!(!four.after(Event::Failed, None, at(0)).unwrap().is_open());
    }

    #[test]
    fn three_successful_probes_close_the_circuit_and_a_failure_reopens_it() {
        let mut circuit = after_failures(&[0; 5]);
        for (id, closed) in [("a", false), ("b", false), ("c", true)] {
            circuit = circuit.probed(id, at(30)).unwrap();
            circuit = circuit.after(Event::Succeeded, Some(id), at(30)).unwrap();
            assert_eq!(circuit.admission(at(30)) == Admission::Open, closed, "{id}");
        }
        let probed = after_failures(&[0; 5]).probed("a", at(30)).unwrap();
        let failed = probed.after(Event::Failed, Some("a"), at(31)).unwrap();
        assert_eq!(failed.admission(at(60)), Admission::NotBefore(at(61)));
    }

    #[test]
    fn a_probe_without_a_result_is_given_back_and_not_counted() {
        let mut circuit = after_failures(&[0; 5]);
        let ends = [Event::Succeeded, Event::GaveUp, Event::Succeeded, Event::GaveUp];
        for event in ends {
            circuit = circuit.probed("a", at(30)).unwrap();
            circuit = circuit.after(event, Some("a"), at(30)).unwrap();
            assert_eq!(circuit.admission(at(30)), Admission::AsProbe, "{event:?}");
        }
        let closed =
            circuit.probed("a", at(30)).unwrap().after(Event::Succeeded, Some("a"), at(30));
        assert_eq!(
            closed.unwrap().admission(at(30)),
            Admission::Open,
            "the third success closes it"
        );
    }

    #[test]
    fn only_the_result_of_the_current_probe_counts() {
        let first = after_failures(&[0; 5]).probed("a", at(30)).unwrap();
        let second = first.probed("b", at(45)).unwrap();
        for (circuit, event, probe) in [
            (&first, Event::Failed, None),
            (&first, Event::Succeeded, None),
            (&first, Event::GaveUp, None),
            (&second, Event::GaveUp, Some("a")),
            (&after_failures(&[0]), Event::GaveUp, None),
            (&second, Event::Failed, Some("a")),
            (&second, Event::Succeeded, Some("a")),
            (&after_failures(&[0; 5]), Event::Failed, None),
            (&after_failures(&[0]), Event::Succeeded, None),
        ] {
            assert_eq!(circuit.after(event, probe, at(46)), None, "{event:?} {probe:?}");
        }
    }

    #[test]
    fn circuits_of_released_versions_are_read() {
        let open = after_failures(&[0; 5]);
        let probed = open.probed("probe-1", at(30)).unwrap();
        let half_open = probed.after(Event::GaveUp, Some("probe-1"), at(31)).unwrap();
        lifecycle::released::holds::<Circuit>(&[after_failures(&[0, 1]), open, probed, half_open]);
    }

    fn after_failures(seconds: &[i64]) -> Circuit {
        let failed = |circuit: Circuit, second: &i64| {
            circuit.after(Event::Failed, None, at(*second)).unwrap_or(circuit)
        };
        seconds.iter().fold(Circuit::of("test"), failed)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }
}
