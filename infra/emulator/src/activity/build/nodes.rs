//! The parts of a journey's nodes: names, times and items.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::activity::record::{CallRecord, DeliveryRecord, Invocation};
use crate::activity::view::NodeState;
use crate::services::plain_item;

/// Waiting apart from work.
pub(super) struct Times {
    pub(super) started_at: Option<Timestamp>,
    /// From the beginning to the first delivery.
    pub(super) waited_ms: Option<f64>,
    /// The sum of all deliveries.
    pub(super) worked_ms: Option<f64>,
}

impl Times {
    pub(super) fn of(
        at: Timestamp,
        visible_at: Option<Timestamp>,
        deliveries: &[&DeliveryRecord],
        invocations: &HashMap<u64, &Invocation>,
    ) -> Self {
        let begin = |delivery: &&&DeliveryRecord| {
            let invocation = delivery.invocation.and_then(|number| invocations.get(&number));
            invocation.and_then(|it| it.taken.map(|taken| it.time_of(taken))).unwrap_or(delivery.at)
        };
        let started_at = deliveries.first().map(|first| begin(&first));
        let since = visible_at.map_or(at, |visible_at| visible_at.max(at));
        let waited_ms = started_at.map(|started_at| between(since, started_at));
        let worked = deliveries
            .iter()
            .filter_map(|delivery| Some(between(begin(&delivery), delivery.ended_at?)));
        Self { started_at, waited_ms, worked_ms: worked.reduce(|sum, worked| sum + worked) }
    }
}

/// The milliseconds from a time to another one; 0 if that is earlier.
fn between(from: Timestamp, to: Timestamp) -> f64 {
    let seconds = to.duration_since(from).as_secs_f64().max(0.0);
    (seconds * 1e6).round() / 1e3
}

pub(super) fn last_error(deliveries: &[&DeliveryRecord]) -> Option<String> {
    deliveries.iter().rev().find_map(|delivery| delivery.error.clone())
}

pub(super) fn request_node(id: &str) -> String {
    format!("request:{id}")
}

pub(super) fn invocation_node(invocation: &Invocation) -> String {
    format!("invocation:{}", invocation.id)
}

pub(super) fn state_of_call(call: &CallRecord) -> NodeState {
    match call.ended {
        None => NodeState::Working,
        Some(_) if call.succeeded() => NodeState::Done,
        Some(_) => NodeState::Failed,
    }
}

/// The item that a call puts at a place of its body, as plain JSON.
pub(super) fn written_item(call: &CallRecord, place: usize) -> Option<Value> {
    let input: Value = serde_json::from_slice(&call.body).ok()?;
    let item = match call.operation.as_str() {
        "TransactWriteItems" => &input["TransactItems"][place]["Put"]["Item"],
        "PutItem" => &input["Item"],
        _ => return None,
    };
    item.is_object().then(|| plain_item(item))
}
