//! What functions print of themselves: the last lines, the last requests, and metrics.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{
    emf,
    metrics::{Labels, Metrics},
};
use crate::functions::FunctionCounts;
use crate::stores::CallKind;

/// How many requests are remembered.
const REQUESTS_MAX: usize = 1_000;

/// How many lines are remembered.
const LINES_MAX: usize = 5_000;

/// How many bytes all remembered lines have at most, and all remembered requests: a line alone may
/// have a megabyte.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The `message` of the one line that tells of a whole request.
const CANONICAL: &str = "request";

/// The last lines and requests, and all metrics since the start.
#[derive(Debug, Default)]
pub struct Telemetry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: Latest<String>,
    requests: Latest<Value>,
    metrics: Metrics,
}

impl Telemetry {
    /// Takes a line that a function printed; what is no JSON object is remembered and nothing else.
    pub fn observe_line(&self, line: &str) {
        let mut state = self.lock();
        let bytes = line.len();
        state.lines.push(line.to_owned(), bytes, LINES_MAX);
        let Ok(Value::Object(mut line)) = serde_json::from_str(line) else {
            return;
        };
        for observation in emf::observations(&line) {
            let emf::Observation { metric, labels, values } = observation;
            state.metrics.observe(&metric, labels, &values);
        }
        if line.get("message").and_then(Value::as_str) == Some(CANONICAL) {
            line.remove("_aws");
            state.requests.push(line.into(), bytes, REQUESTS_MAX);
        }
    }

    /// Counts one of something that the platform itself does, `authorizer_cache_hits_total`.
    pub fn count(&self, metric: &str, labels: &[(&str, &str)]) {
        self.lock().metrics.observe(metric, owned(labels), &[1.0]);
    }

    /// The canonical lines of the last requests, newest last: all, or those of one request id.
    pub fn requests(&self, request_id: Option<&str>) -> Vec<Value> {
        let state = self.lock();
        let is_meant = |request: &&Value| {
            request_id.is_none_or(|id| request["requestId"].as_str() == Some(id))
        };
        state.requests.iter().filter(is_meant).cloned().collect()
    }

    /// The last lines, newest last: all, or those of one request id. One that is no JSON is a
    /// string.
    pub fn lines(&self, request_id: Option<&str>) -> Vec<Value> {
        let read = |line: &String| {
            serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.clone()))
        };
        let is_meant =
            |line: &Value| request_id.is_none_or(|id| line["requestId"].as_str() == Some(id));
        self.lock().lines.iter().map(read).filter(is_meant).collect()
    }

    /// Everything in Prometheus' text format, along with what the platform counts elsewhere.
    pub(super) fn render(
        &self,
        functions: &BTreeMap<String, FunctionCounts>,
        calls: &[(CallKind, u64)],
    ) -> String {
        let mut metrics = self.lock().metrics.clone();
        for (function, counts) in functions {
            let labels = owned(&[("function", function)]);
            for (metric, count) in [
                ("lambda_invocations_total", counts.invocations),
                ("lambda_cold_starts_total", counts.cold_starts),
                ("lambda_errors_total", counts.errors),
                ("lambda_throttles_total", counts.throttles),
            ] {
                metrics.observe(metric, labels.clone(), &[as_value(count)]);
            }
        }
        for (kind, count) in calls {
            let labels = [
                ("function", kind.function.as_str()),
                ("operation", &kind.operation),
                ("resource", &kind.resource),
                ("service", kind.service),
                ("status", &kind.status.to_string()),
            ];
            metrics.observe("store_calls_total", owned(&labels), &[as_value(*count)]);
        }
        metrics.render()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The latest of many things, oldest first, each with the bytes that it counts.
#[derive(Debug)]
struct Latest<T> {
    kept: VecDeque<(T, usize)>,
    bytes: usize,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self { kept: VecDeque::new(), bytes: 0 }
    }
}

impl<T> Latest<T> {
    /// Adds one, and forgets the oldest until there are no more than so many, and no more bytes
    /// than [`BYTES_MAX`].
    fn push(&mut self, one: T, bytes: usize, count_max: usize) {
        self.kept.push_back((one, bytes));
        self.bytes += bytes;
        while self.kept.len() > count_max || self.bytes > BYTES_MAX {
            let Some((_, bytes)) = self.kept.pop_front() else { return };
            self.bytes -= bytes;
        }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.kept.iter().map(|(one, _)| one)
    }
}

fn owned(labels: &[(&str, &str)]) -> Labels {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "no run counts to 2^53")]
fn as_value(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_lines_are_kept_as_far_as_their_number_and_their_bytes_go() {
        let telemetry = Telemetry::default();
        for number in 0..LINES_MAX + 10 {
            telemetry.observe_line(&format!("line {number}"));
        }
        let lines = telemetry.lines(None);
        assert_eq!((lines.len(), &lines[0]), (LINES_MAX, &Value::from("line 10")));
        let long = "x".repeat(1024 * 1024);
        for _ in 0..20 {
            telemetry.observe_line(&long);
        }
        assert_eq!(telemetry.lines(None).len(), BYTES_MAX / long.len());
    }

    #[test]
    fn the_latest_requests_are_kept_as_far_as_their_bytes_go() {
        let telemetry = Telemetry::default();
        let long = "x".repeat(1024 * 1024);
        for _ in 0..20 {
            telemetry.observe_line(&format!(r#"{{"message":"request","error":"{long}"}}"#));
        }
        assert_eq!(telemetry.requests(None).len(), 15);
    }
}
