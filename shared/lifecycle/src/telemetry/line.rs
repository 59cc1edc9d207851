//! One canonical log line per request, which also holds its metrics (CloudWatch's embedded metric
//! format).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::observations::Noted;
use super::own_value::FieldValue;
use crate::Timestamp;

/// The maximum number of values of one metric in one line (specification of the embedded metric
/// format). `CloudWatch` drops a line with more.
pub(super) const VALUES_MAX: usize = 100;

/// The message of the line; a metric filter of an alarm compares it.
const MESSAGE: &str = "request";

/// The duration of each stage.
#[derive(Debug)]
pub(crate) struct Stages {
    started: tokio::time::Instant,
    last: tokio::time::Instant,
    times: Vec<(&'static str, Duration)>,
}

impl Stages {
    /// Starts the first stage.
    pub(crate) fn start() -> Self {
        let now = tokio::time::Instant::now();
        Self { started: now, last: now, times: Vec::with_capacity(10) }
    }

    /// Ends a stage. The durations of a stage that runs several times are added.
    pub(crate) fn end(&mut self, stage: &'static str) {
        let now = tokio::time::Instant::now();
        let took = now - self.last;
        self.last = now;
        match self.times.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, total)) => *total += took,
            None => self.times.push((stage, took)),
        }
    }

    /// The start of the first stage.
    pub(crate) fn started(&self) -> tokio::time::Instant {
        self.started
    }

    /// The time since the start.
    pub(crate) fn total(&self) -> Duration {
        self.started.elapsed()
    }

    /// The stages, in the order in which they first ended.
    pub(crate) fn times(&self) -> &[(&'static str, Duration)] {
        &self.times
    }
}

/// The content of a request's log line.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) service: &'a str,
    pub(crate) function: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) request_id: &'a str,
    pub(crate) trace_id: &'a str,
    pub(crate) method: &'a str,
    /// The route's template, never the raw path.
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) code: Option<&'a str>,
    /// The chain of causes; only for server errors.
    pub(crate) error: Option<&'a str>,
    pub(crate) replayed: bool,
    pub(crate) attempts: u32,
    pub(crate) cold_start: bool,
    pub(crate) total: Duration,
    pub(crate) stages: &'a [(&'static str, Duration)],
}

impl Line<'_> {
    /// Returns the line. Its root object is both the log entry and the metrics.
    pub(crate) fn to_json(&self) -> String {
        let mut metrics = vec![
            directive(self.service, &["method", "path", "status"], "http_requests_total", "Count"),
            directive(
                self.service,
                &["method", "path"],
                "http_request_duration_seconds",
                "Seconds",
            ),
        ];
        let mut line = json!({
            "level": if self.status >= 500 { "ERROR" } else { "INFO" },
            "timestamp": self.at,
            "message": MESSAGE,
            "function": self.function,
            "requestId": self.request_id,
            "traceId": self.trace_id,
            "method": self.method,
            "path": self.path,
            "status": self.status.to_string(),
            "durationMs": millis(self.total),
            "coldStart": self.cold_start,
            "stages": self.stages.iter().map(|(name, took)| ((*name).to_owned(), millis(*took).into())).collect::<Map<String, Value>>(),
            "http_requests_total": 1,
            "http_request_duration_seconds": self.total.as_secs_f64(),
        });
        let mut add = |name: &str, value: Value| {
            line.as_object_mut().map(|line| line.insert(name.to_owned(), value))
        };
        if let Some(code) = self.code {
            add("code", code.into());
        }
        if self.replayed {
            add("replayed", true.into());
        }
        if self.attempts > 1 {
            add("attempts", self.attempts.into());
        }
        if let Some(error) = self.error {
            add("error", error.into());
            add("type", self.code.unwrap_or("INTERNAL_ERROR").into());
            add("service", self.service.into());
            add("errors_total", 1.into());
            metrics.push(directive(self.service, &["type", "service"], "errors_total", "Count"));
        }
        add("_aws", json!({ "Timestamp": self.at.as_millis(), "CloudWatchMetrics": metrics }));
        line.to_string()
    }
}

/// The metrics that were recorded during a request: one line for each set of labels, each with the
/// request id.
pub(crate) fn lines_of_noted(
    service: &str,
    at: Timestamp,
    request_id: &str,
    noted: &Noted,
) -> Vec<String> {
    let metric = |labels: &[(&str, &str)], name, unit, value| {
        metric_of(Some(request_id), service, at, labels, name, unit, value)
    };
    let mut queries: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for (operation, table, took) in &noted.queries {
        queries.entry((operation, table)).or_default().push(took.as_secs_f64());
    }
    let mut cache: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    for (name, hit) in &noted.cache {
        *cache.entry((name, *hit)).or_default() += 1;
    }
    let queries = queries.into_iter().flat_map(|((operation, table), seconds)| {
        let line = |seconds: &[f64]| {
            let labels = [("operation", operation), ("table", table)];
            metric(&labels, "db_query_duration_seconds", "Seconds", json!(seconds))
        };
        seconds.chunks(VALUES_MAX).map(line).collect::<Vec<_>>()
    });
    let cache = cache.into_iter().map(|((name, hit), count)| {
        let metric_name = if hit { "cache_hits_total" } else { "cache_misses_total" };
        metric(&[("cache_type", name)], metric_name, "Count", json!(count))
    });
    let errors = noted.errors.iter().map(|kind| {
        let labels = [("type", *kind), ("service", service)];
        metric(&labels, "errors_total", "Count", json!(1))
    });
    let mut own: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for value in &noted.values {
        own.entry((value.name, value.unit, &value.labels)).or_default().push(value.value);
    }
    let own = own
        .into_iter()
        .map(|((name, unit, labels), values)| metric(labels, name, unit, json!(values)));
    queries.chain(cache).chain(errors).chain(own).collect()
}

/// Adds the fields of the service to a line, in the object `fields`.
pub(crate) fn with_fields(mut line: String, noted: &Noted) -> String {
    if noted.fields.is_empty() || !line.ends_with('}') {
        return line;
    }
    let fields = noted.fields.iter().map(|(name, value)| {
        let value: Value = match value {
            FieldValue::Text(text) => text.as_str().into(),
            FieldValue::Whole(number) => (*number).into(),
            FieldValue::Fraction(number) => (*number).into(),
            FieldValue::Flag(flag) => (*flag).into(),
        };
        ((*name).to_owned(), value)
    });
    let fields = Value::Object(fields.collect()).to_string();
    line.pop();
    let separator = if line.len() > 1 { "," } else { "" };
    line.extend([separator, "\"fields\":", &fields, "}"]);
    line
}

/// A line with one metric and the id of the current request.
pub(crate) fn metric(
    service: &str,
    at: Timestamp,
    labels: &[(&str, &str)],
    name: &str,
    unit: &str,
    value: impl Serialize,
) -> String {
    metric_of(super::request_id().as_deref(), service, at, labels, name, unit, json!(value))
}

fn metric_of(
    request_id: Option<&str>,
    service: &str,
    at: Timestamp,
    labels: &[(&str, &str)],
    name: &str,
    unit: &str,
    value: Value,
) -> String {
    let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
    let metrics = json!({
        "Timestamp": at.as_millis(),
        "CloudWatchMetrics": [directive(service, &names, name, unit)],
    });
    let mut line = Map::new();
    line.insert("_aws".to_owned(), metrics);
    line.extend(labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    line.insert(name.to_owned(), value);
    line.extend(request_id.map(|id| ("requestId".to_owned(), id.into())));
    Value::Object(line).to_string()
}

fn directive(namespace: &str, dimensions: &[&str], name: &str, unit: &str) -> Value {
    json!({
        "Namespace": namespace,
        "Dimensions": [dimensions],
        "Metrics": [{ "Name": name, "Unit": unit }],
    })
}

/// Milliseconds with three decimal places.
#[expect(clippy::cast_precision_loss, reason = "a duration in µs is far below 2^52")]
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_log_entry_and_a_valid_metrics_record() {
        let line = Line {
            service: "store",
            function: "get_user",
            at: Timestamp::from_millis(1_000),
            request_id: "r",
            trace_id: "t",
            method: "GET",
            path: "/users/{userId}",
            status: 500,
            code: Some("INTERNAL_ERROR"),
            error: Some("it broke"),
            replayed: false,
            attempts: 1,
            cold_start: true,
            total: Duration::from_micros(1_500),
            stages: &[("retrieve", Duration::from_micros(900))],
        };
        let line: Value = serde_json::from_str(&line.to_json()).unwrap();
        assert_eq!(line["stages"]["retrieve"], 0.9);
        assert_eq!((&line["status"], &line["level"]), (&json!("500"), &json!("ERROR")));
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            let dimensions = directive["Dimensions"][0].as_array().unwrap().iter();
            let metric = directive["Metrics"][0]["Name"].as_str().unwrap();
            assert!(line.get(metric).is_some(), "{metric} has a value");
            for dimension in dimensions {
                assert!(line[dimension.as_str().unwrap()].is_string(), "{dimension} is a string");
            }
        }
    }

    #[test]
    fn a_line_holds_at_most_100_values_and_none_is_lost() {
        for (count, expected) in
            [(0, vec![]), (100, vec![100]), (101, vec![100, 1]), (250, vec![100, 100, 50])]
        {
            let queries = vec![("GetItem", "users", Duration::from_millis(1)); count];
            let noted = Noted { queries, ..Noted::default() };
            let lines = lines_of_noted("store", Timestamp::from_millis(0), "req-1", &noted);
            let values = lines.iter().map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                line["db_query_duration_seconds"].as_array().unwrap().len()
            });
            assert_eq!(values.collect::<Vec<_>>(), expected, "{count}");
        }
    }

    #[test]
    fn calls_of_one_operation_on_one_table_share_a_line() {
        let noted = Noted {
            queries: vec![
                ("GetItem", "users", Duration::from_millis(1)),
                ("GetItem", "users", Duration::from_millis(2)),
                ("PutItem", "users", Duration::from_millis(3)),
            ],
            cache: vec![("products", true), ("products", false), ("products", true)],
            errors: vec!["RATE_LIMITER_UNAVAILABLE"],
            ..Noted::default()
        };
        let lines = lines_of_noted("store", Timestamp::from_millis(0), "req-1", &noted);
        assert_eq!(lines.len(), 5);
        let first: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(first["db_query_duration_seconds"], json!([0.001, 0.002]));
    }
}
