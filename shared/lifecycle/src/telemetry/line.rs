//! One canonical log line per request, which also holds its metrics (CloudWatch's embedded metric
//! format). Each value is there once: a metric or a label is a field of the line as well.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::document::{Document, VALUES_MAX};
use super::observations::Noted;
use super::own_value::FieldValue;
use super::stages::Millis;
use super::units::seconds;
use crate::Timestamp;

/// The message of the line; a metric filter of an alarm compares it.
const MESSAGE: &str = "request";

/// The shortest stage in the line of a request that did not fail.
const STAGE_MIN: Duration = Duration::from_micros(100);

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

impl<'a> Line<'a> {
    /// Returns the line. Its root object is both the log entry and the metrics.
    pub(crate) fn to_document(&self) -> Document<'a> {
        let is_failure = self.status >= 500;
        let shortest = if is_failure { Duration::ZERO } else { STAGE_MIN };
        let stages = Millis { times: self.stages, shortest };
        let mut line = Document::new(self.service);
        line.declare(&["method", "path", "status"], "http_requests_total", "Count");
        line.declare(&["method", "path"], "http_request_duration_seconds", "Seconds");
        line.member("level", if is_failure { "ERROR" } else { "INFO" });
        line.member("timestamp", self.at);
        line.member("message", MESSAGE);
        line.member("function", self.function);
        line.member("requestId", self.request_id);
        line.member("traceId", self.trace_id);
        line.member("method", self.method);
        line.member("path", self.path);
        line.member("status", Digits(self.status));
        line.member("http_requests_total", 1);
        line.member("http_request_duration_seconds", seconds(self.total));
        if let Some(code) = self.code {
            line.member("code", code);
        }
        if self.cold_start {
            line.member("coldStart", true);
        }
        if self.replayed {
            line.member("replayed", true);
        }
        if self.attempts > 1 {
            line.member("attempts", self.attempts);
        }
        if !stages.is_empty() {
            line.member("stages", stages);
        }
        if let Some(error) = self.error {
            line.member("error", error);
            let labels =
                [("type", self.code.unwrap_or("INTERNAL_ERROR")), ("service", self.service)];
            line.metric(&labels, "errors_total", "Count", 1);
        }
        line
    }
}

/// A number in quotes: labels of metrics are texts.
struct Digits(u16);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The lines about a request or a record: the first one with the fields of the service, and those
/// for metrics that found no place in it. `ids` is the member with the request id, or with several,
/// which each of them has.
pub(crate) fn lines_of<'a>(
    mut first: Document<'a>,
    at: Timestamp,
    ids: (&'a str, impl Serialize + Copy),
    noted: &'a Noted,
) -> Vec<String> {
    if !noted.fields.is_empty() {
        first.member("fields", Fields(&noted.fields));
    }
    let service = first.namespace();
    let mut documents = vec![first];
    for metric in metrics_of(noted, service) {
        // A label of the service could have the name of a field that readers expect in other lines.
        let mut others = documents.iter_mut().skip(usize::from(metric.is_own));
        let free = others.find(|document| document.takes(&metric.labels, metric.name));
        if let Some(document) = free {
            metric.add_to(document);
        } else {
            let mut document = Document::new(service);
            document.member(ids.0, ids.1);
            metric.add_to(&mut document);
            documents.push(document);
        }
    }
    documents.into_iter().map(|document| document.into_json(at)).collect()
}

/// The fields of a service.
struct Fields<'a>(&'a [(&'static str, FieldValue)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                FieldValue::Text(text) => fields.serialize_entry(name, text)?,
                FieldValue::Whole(number) => fields.serialize_entry(name, number)?,
                FieldValue::Fraction(number) => fields.serialize_entry(name, number)?,
                FieldValue::Flag(flag) => fields.serialize_entry(name, flag)?,
            }
        }
        fields.end()
    }
}

/// A metric that was recorded during a request or a record, with one set of labels.
struct NotedMetric<'a> {
    labels: Vec<(&'a str, &'a str)>,
    name: &'a str,
    unit: &'a str,
    values: Values,
    /// Whether it is the service's.
    is_own: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    Sum(u32),
    Each(Vec<f64>),
}

impl<'a> NotedMetric<'a> {
    fn add_to(&self, document: &mut Document<'a>) {
        document.metric(&self.labels, self.name, self.unit, &self.values);
    }
}

fn metrics_of<'a>(noted: &'a Noted, service: &'a str) -> Vec<NotedMetric<'a>> {
    let mut queries: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for (operation, table, took) in &noted.queries {
        queries.entry((operation, table)).or_default().push(seconds(*took));
    }
    let mut cache: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    for (name, hit) in &noted.cache {
        *cache.entry((name, *hit)).or_default() += 1;
    }
    let mut errors: BTreeMap<&str, u32> = BTreeMap::new();
    for kind in &noted.errors {
        *errors.entry(kind).or_default() += 1;
    }
    let mut own: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for value in &noted.values {
        own.entry((value.name, value.unit, &value.labels)).or_default().push(value.value);
    }
    let mut metrics = Vec::new();
    let mut add = |labels: &[(&'a str, &'a str)], name, unit, values, is_own| {
        metrics.push(NotedMetric { labels: labels.to_vec(), name, unit, values, is_own });
    };
    for ((operation, table), each) in queries {
        let labels = [("operation", operation), ("table", table)];
        for each in each.chunks(VALUES_MAX) {
            let each = Values::Each(each.to_vec());
            add(&labels, "db_query_duration_seconds", "Seconds", each, false);
        }
    }
    for ((name, hit), count) in cache {
        let metric = if hit { "cache_hits_total" } else { "cache_misses_total" };
        add(&[("cache_type", name)], metric, "Count", Values::Sum(count), false);
    }
    for (kind, count) in errors {
        let labels = [("type", kind), ("service", service)];
        add(&labels, "errors_total", "Count", Values::Sum(count), false);
    }
    for ((name, unit, labels), each) in own {
        for each in each.chunks(VALUES_MAX) {
            add(labels.as_slice(), name, unit, Values::Each(each.to_vec()), true);
        }
    }
    metrics
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
    let request_id = super::request_id();
    let mut line = Document::new(service);
    line.metric(labels, name, unit, value);
    if let Some(id) = &request_id {
        line.member("requestId", id);
    }
    line.into_json(at)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: (&str, &str) = ("requestId", "r");
    const STAGES: &[(&str, Duration)] =
        &[("routing", Duration::from_micros(3)), ("retrieve", Duration::from_micros(900))];

    fn line() -> Line<'static> {
        Line {
            service: "store",
            function: "get_user",
            at: Timestamp::from_millis(1_000),
            request_id: "r",
            trace_id: "t",
            method: "GET",
            path: "/users/{userId}",
            status: 200,
            code: None,
            error: None,
            replayed: false,
            attempts: 1,
            cold_start: false,
            total: Duration::from_micros(1_500),
            stages: STAGES,
        }
    }

    fn parsed(lines: &[String]) -> Vec<Value> {
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_a_log_entry_and_a_valid_metrics_record() {
        let line = Line {
            status: 500,
            code: Some("INTERNAL_ERROR"),
            error: Some("it broke"),
            cold_start: true,
            ..line()
        };
        let line = line.to_document().into_json(Timestamp::from_millis(1_000));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["stages"], json!({ "routing": 0.003, "retrieve": 0.9 }));
        assert_eq!(line["http_request_duration_seconds"], 0.0015);
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
            let first = line().to_document();
            let lines = parsed(&lines_of(first, Timestamp::from_millis(0), ID, &noted));
            let values =
                lines.iter().filter_map(|line| line["db_query_duration_seconds"].as_array());
            let lengths: Vec<usize> = values.map(Vec::len).collect();
            assert_eq!(lengths, expected, "{count}");
        }
    }

    #[test]
    fn metrics_share_the_lines_in_which_their_labels_are_free() {
        let noted = Noted {
            queries: vec![
                ("GetItem", "users", Duration::from_millis(1)),
                ("GetItem", "users", Duration::from_millis(2)),
                ("PutItem", "users", Duration::from_millis(3)),
            ],
            cache: vec![("products", true), ("products", false), ("products", true)],
            errors: vec!["RATE_LIMITER_UNAVAILABLE", "RATE_LIMITER_UNAVAILABLE"],
            ..Noted::default()
        };
        let first = line().to_document();
        let lines = parsed(&lines_of(first, Timestamp::from_millis(0), ID, &noted));
        let [first, second] = &lines[..] else { panic!("{lines:#?}") };
        assert_eq!(first["db_query_duration_seconds"], json!([0.001, 0.002]));
        assert_eq!(
            (&first["operation"], &first["cache_misses_total"]),
            (&json!("GetItem"), &json!(1))
        );
        assert_eq!(
            (&first["type"], &first["errors_total"]),
            (&json!("RATE_LIMITER_UNAVAILABLE"), &json!(2))
        );
        assert_eq!(
            (&second["operation"], &second["cache_hits_total"]),
            (&json!("PutItem"), &json!(2))
        );
        assert_eq!((&first["requestId"], &second["requestId"]), (&json!("r"), &json!("r")));
        assert_eq!(second.get("message"), None, "only one is the line about the request");
    }

    #[test]
    fn a_line_about_a_success_has_no_usual_values() {
        let lines =
            lines_of(line().to_document(), Timestamp::from_millis(0), ID, &Noted::default());
        let line = parsed(&lines).remove(0);
        assert_eq!(line["stages"], json!({ "retrieve": 0.9 }));
        for name in ["coldStart", "replayed", "attempts", "code", "error", "fields"] {
            assert_eq!(line.get(name), None, "{name}");
        }
        assert!(lines[0].len() < 640, "{} bytes: {}", lines[0].len(), lines[0]);
    }
}
