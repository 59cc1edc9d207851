//! Telemetry from the functions' output: latest lines, latest requests, and metrics.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use super::emf;
use super::metrics::{Labels, Metrics};
use crate::functions::{FunctionCounts, LogLine, LogSource, fields_of};
use crate::services::CallKind;

/// The maximum number of kept requests.
const REQUESTS_MAX: usize = 1_000;

/// The maximum number of kept lines.
const LINES_MAX: usize = 5_000;

/// The maximum bytes of all kept lines, and of all kept requests: one line may have a megabyte.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The `message` of the canonical line, one per request.
const CANONICAL: &str = "request";

/// The latest lines and requests, and all metrics since the start.
#[derive(Debug, Default)]
pub struct Telemetry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: Latest<Arc<str>>,
    requests: Latest<Arc<Value>>,
    metrics: Metrics,
    /// Bytes that were printed, by function.
    bytes: BTreeMap<String, u64>,
    /// Metrics of the platform itself.
    own: BTreeSet<String>,
}

impl Telemetry {
    /// Reads a line of a function's log. Bytes that the function itself printed are counted.
    pub fn observe(&self, line: &LogLine<'_>) {
        self.observe_fields(line, line.fields());
    }

    /// Like [`Telemetry::observe`], with the line's fields, if it is a JSON object.
    pub(crate) fn observe_fields(&self, line: &LogLine<'_>, fields: Option<Map<String, Value>>) {
        let is_printed = line.source != LogSource::Platform;
        self.keep(is_printed.then_some(line.function), line.text, fields);
    }

    /// The bytes that each function has printed since the start, by its logical id.
    pub fn log_bytes(&self) -> BTreeMap<String, u64> {
        self.lock().bytes.clone()
    }

    /// The metrics that functions have printed since the start: each name and its number of label
    /// sets.
    pub fn label_sets(&self) -> BTreeMap<String, usize> {
        let state = self.lock();
        let mut sets = state.metrics.label_sets();
        sets.retain(|metric, _| !state.own.contains(metric));
        sets
    }

    /// Reads a line that a function printed. A line that is not a JSON object is only kept.
    pub fn observe_line(&self, line: &str) {
        self.keep(None, line, fields_of(line));
    }

    /// Keeps a line, and counts its bytes for the function that printed it. The line is read before
    /// the lock is taken, which the gateway waits for.
    fn keep(&self, printed_by: Option<&str>, line: &str, fields: Option<Map<String, Value>>) {
        let size = line.len();
        let observations = fields.as_ref().map(emf::observations).unwrap_or_default();
        let is_canonical = |fields: &Map<String, Value>| {
            fields.get("message").and_then(Value::as_str) == Some(CANONICAL)
        };
        let request = fields.filter(is_canonical).map(|mut fields| {
            fields.remove("_aws");
            Arc::new(Value::from(fields))
        });
        let line: Arc<str> = line.into();
        let mut state = self.lock();
        if let Some(function) = printed_by {
            state.count_bytes(function, size);
        }
        state.lines.push(line, size, LINES_MAX);
        for observation in observations {
            let emf::Observation { metric, labels, values } = observation;
            state.metrics.observe(&metric, labels, &values);
        }
        if let Some(request) = request {
            state.requests.push(request, size, REQUESTS_MAX);
        }
    }

    /// Increments a counter of the platform itself, such as `authorizer_cache_hits_total`.
    pub fn count(&self, metric: &str, labels: &[(&str, &str)]) {
        let labels = owned(labels);
        let mut state = self.lock();
        if !state.own.contains(metric) {
            state.own.insert(metric.to_owned());
        }
        state.metrics.observe(metric, labels, &[1.0]);
    }

    /// The canonical lines of the latest requests, newest last: all, or those of one request id.
    pub fn requests(&self, request_id: Option<&str>) -> Vec<Value> {
        let kept: Vec<Arc<Value>> = self.lock().requests.iter().cloned().collect();
        let is_meant =
            |request: &Value| request_id.is_none_or(|id| request["requestId"].as_str() == Some(id));
        kept.iter().map(|request| &**request).filter(|it| is_meant(it)).cloned().collect()
    }

    /// The latest lines, newest last: all, or those of one request id. A line that is not JSON is a
    /// string.
    pub fn lines(&self, request_id: Option<&str>) -> Vec<Value> {
        // They are parsed without the lock, for which all functions' output waits.
        let kept: Vec<Arc<str>> = self.lock().lines.iter().cloned().collect();
        let read = |line: &Arc<str>| {
            serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_string()))
        };
        let is_meant =
            |line: &Value| request_id.is_none_or(|id| line["requestId"].as_str() == Some(id));
        kept.iter().map(read).filter(is_meant).collect()
    }

    /// All metrics in Prometheus' text format, including the counters kept elsewhere.
    pub(super) fn render(
        &self,
        functions: &BTreeMap<String, FunctionCounts>,
        calls: &[(CallKind, u64)],
    ) -> String {
        let (mut metrics, bytes) = {
            let state = self.lock();
            (state.metrics.clone(), state.bytes.clone())
        };
        for (function, bytes) in bytes {
            let labels = owned(&[("function", &function)]);
            metrics.observe("log_bytes_total", labels, &[as_value(bytes)]);
        }
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

impl State {
    fn count_bytes(&mut self, function: &str, bytes: usize) {
        let bytes: u64 = bytes.try_into().unwrap_or(u64::MAX);
        match self.bytes.get_mut(function) {
            Some(total) => *total += bytes,
            None => {
                self.bytes.insert(function.to_owned(), bytes);
            }
        }
    }
}

/// The latest items, oldest first, each with its size in bytes.
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
    /// Adds an item, and drops the oldest until count and bytes are within `count_max` and
    /// [`BYTES_MAX`].
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
    fn bytes_are_counted_of_lines_that_the_function_printed() {
        let telemetry = Telemetry::default();
        for (source, text) in
            [(LogSource::Stdout, "four"), (LogSource::Stderr, "é"), (LogSource::Platform, "began")]
        {
            telemetry.observe(&LogLine { function: "F", environment: "e", source, text });
        }
        assert_eq!(telemetry.log_bytes(), BTreeMap::from([("F".to_owned(), 6)]));
        assert_eq!(telemetry.lines(None).len(), 3);
        let shown = telemetry.render(&BTreeMap::new(), &[]);
        assert!(shown.contains("log_bytes_total{function=\"F\"} 6\n"), "{shown}");
    }

    #[test]
    fn label_sets_are_counted_of_the_metrics_that_functions_print() {
        let telemetry = Telemetry::default();
        for status in ["200", "404", "404"] {
            let directive = serde_json::json!({ "CloudWatchMetrics": [
                { "Dimensions": [["status"]], "Metrics": [{ "Name": "http_requests_total" }] },
            ]});
            let line = serde_json::json!({
                "_aws": directive, "status": status, "http_requests_total": 1,
            });
            telemetry.observe_line(&line.to_string());
        }
        telemetry.count("authorizer_cache_hits_total", &[]);
        assert_eq!(telemetry.label_sets(), BTreeMap::from([("http_requests_total".to_owned(), 2)]));
    }

    #[test]
    fn lines_are_kept_within_the_limits_of_count_and_bytes() {
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
    fn requests_are_kept_within_the_limit_of_bytes() {
        let telemetry = Telemetry::default();
        let long = "x".repeat(1024 * 1024);
        for _ in 0..20 {
            telemetry.observe_line(&format!(r#"{{"message":"request","error":"{long}"}}"#));
        }
        assert_eq!(telemetry.requests(None).len(), 15);
    }
}
