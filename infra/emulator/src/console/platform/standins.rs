//! `/activity/standins`: the stand-ins for third-party services.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use crate::activity::redaction::Redaction;
use crate::control::Control;
use crate::services::with_exact_numbers;

/// The requests that are shown of each stand-in.
const REQUESTS_MAX: usize = 100;

/// A stand-in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StandinView {
    name: &'static str,
    state: StandinState,
    /// Its faults with all members, as in `PUT /faults`.
    faults: Value,
    /// The number of requests by path.
    counts: BTreeMap<String, u64>,
    /// The maximum number of concurrent requests.
    in_flight_max: u64,
    /// The latest requests, newest first.
    requests: Vec<Value>,
}

/// The state of a stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum StandinState {
    /// It answers as the service does.
    Up,
    /// It has faults.
    Faulty,
    /// Some of its requests, or all, get no response.
    Down,
}

/// `GET /activity/standins`
pub(super) async fn list(State(control): State<Control>) -> Json<Value> {
    let faults = control.standins.faults();
    let redaction = control.functions.activity().redaction();
    let shown = control.standins.names().map(|name| {
        let report = control.standins.asked(name).unwrap_or_default();
        let latest = report.requests.iter().rev().take(REQUESTS_MAX);
        let faults = faults.get(name).cloned().unwrap_or_default();
        StandinView {
            name,
            state: state(control.standins.is_faulty(name), &faults),
            faults: redaction.json(faults),
            counts: shown_counts(redaction, report.counts),
            in_flight_max: report.in_flight_max,
            requests: latest
                .map(|request| with_exact_numbers(redaction.json(json!(request))))
                .collect(),
        }
    });
    Json(json!({"standins": shown.collect::<Vec<_>>()}))
}

/// The counts by path without secrets. Paths that differ only in a secret are counted together.
fn shown_counts(redaction: &Redaction, counts: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut shown = BTreeMap::new();
    for (path, count) in counts {
        *shown.entry(redaction.path(&path)).or_default() += count;
    }
    shown
}

fn state(is_faulty: bool, faults: &Value) -> StandinState {
    match (is_faulty, is_down(faults)) {
        (false, _) => StandinState::Up,
        (true, false) => StandinState::Faulty,
        (true, true) => StandinState::Down,
    }
}

/// Whether any fault closes connections.
fn is_down(faults: &Value) -> bool {
    match faults {
        Value::Object(members) => {
            members.get("down") == Some(&Value::Bool(true)) || members.values().any(is_down)
        }
        Value::Array(elements) => elements.iter().any(is_down),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_differ_only_in_a_secret_are_counted_together() {
        let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            counts.iter().map(|&(path, count)| (path.to_owned(), count)).collect()
        };
        let asked = counts(&[("/resets/Ab3dEf6h", 1), ("/resets/Xy7zWv5u", 2), ("/users", 4)]);

        let shown = shown_counts(&Redaction::new(), asked);

        assert_eq!(shown, counts(&[("/resets/•••", 3), ("/users", 4)]));
    }
}
