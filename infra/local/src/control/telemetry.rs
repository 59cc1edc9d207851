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

/// The `message` of the one line that tells of a whole request.
const CANONICAL: &str = "request";

/// The last lines and requests, and all metrics since the start.
#[derive(Debug, Default)]
pub struct Telemetry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    requests: VecDeque<Value>,
    metrics: Metrics,
}

impl Telemetry {
    /// Takes a line that a function printed; what is no JSON object is remembered and nothing else.
    pub fn observe_line(&self, line: &str) {
        let mut state = self.lock();
        if state.lines.len() == LINES_MAX {
            state.lines.pop_front();
        }
        state.lines.push_back(line.to_owned());
        let Ok(Value::Object(mut line)) = serde_json::from_str(line) else {
            return;
        };
        for observation in emf::observations(&line) {
            let emf::Observation { metric, labels, values } = observation;
            state.metrics.observe(&metric, labels, &values);
        }
        if line.get("message").and_then(Value::as_str) == Some(CANONICAL) {
            line.remove("_aws");
            if state.requests.len() == REQUESTS_MAX {
                state.requests.pop_front();
            }
            state.requests.push_back(line.into());
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

fn owned(labels: &[(&str, &str)]) -> Labels {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "no run counts to 2^53")]
fn as_value(count: u64) -> f64 {
    count as f64
}
