//! `/activity/standins`: the stand-ins for third-party services.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use crate::control::Control;

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
        let counts = report.counts.into_iter();
        StandinView {
            name,
            state: state(control.standins.is_faulty(name), &faults),
            faults: redaction.json(faults),
            counts: counts.map(|(path, count)| (redaction.path(&path), count)).collect(),
            in_flight_max: report.in_flight_max,
            requests: latest.map(|request| redaction.json(json!(request))).collect(),
        }
    });
    Json(json!({"standins": shown.collect::<Vec<_>>()}))
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
