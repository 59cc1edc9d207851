//! Spans for an OpenTelemetry collector: OTLP over HTTP, as JSON, when an endpoint is
//! configured, and nothing otherwise.
//!
//! The exporters of the `opentelemetry` crates bring a protobuf stack and a batch processor with
//! threads of its own; a function that is frozen after each answer wants one small POST.
//! Source: OTLP specification 1.5, "JSON Protobuf Encoding".

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{TraceContext, line::Stages};
use crate::Timestamp;

/// What a request's root span says.
pub(crate) struct Root<'a> {
    pub(crate) service: &'a str,
    pub(crate) function: &'a str,
    pub(crate) trace: &'a TraceContext,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) request_id: &'a str,
    pub(crate) at: Timestamp,
}

/// One request as spans: the request itself, and a child for each stage.
pub(crate) fn spans_of_request(root: &Root<'_>, stages: &Stages) -> Vec<u8> {
    let start = u128::try_from(root.at.as_millis()).unwrap_or(0) * 1_000_000;
    let mut spans = vec![root_span(root, start, stages.total())];
    let mut at = start;
    for (name, took) in stages.times() {
        let end = at + took.as_nanos();
        let id = Uuid::now_v7().simple().to_string();
        spans.push(json!({
            "traceId": root.trace.trace_id(),
            "spanId": &id[16..],
            "parentSpanId": root.trace.span_id(),
            "name": name,
            "kind": 1,
            "startTimeUnixNano": at.to_string(),
            "endTimeUnixNano": end.to_string(),
        }));
        at = end;
    }
    let resource = [("service.name", root.service), ("faas.name", root.function)];
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(&resource) },
        "scopeSpans": [{ "scope": { "name": "lifecycle" }, "spans": spans }],
    }]})
    .to_string()
    .into_bytes()
}

fn root_span(root: &Root<'_>, start: u128, total: Duration) -> Value {
    let status = root.status.to_string();
    let mut span = json!({
        "traceId": root.trace.trace_id(),
        "spanId": root.trace.span_id(),
        "name": format!("{} {}", root.method, root.path),
        "kind": 2,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": (start + total.as_nanos()).to_string(),
        "attributes": attributes(&[
            ("http.request.method", root.method),
            ("http.route", root.path),
            ("http.response.status_code", &status),
            ("request.id", root.request_id),
        ]),
        // A 4xx is the client's error, not this span's.
        "status": { "code": if root.status >= 500 { 2 } else { 0 } },
    });
    if let (Some(parent), Some(span)) = (root.trace.parent_span_id(), span.as_object_mut()) {
        span.insert("parentSpanId".to_owned(), parent.into());
    }
    span
}

fn attributes(pairs: &[(&str, &str)]) -> Value {
    let attribute =
        |(key, value): &(&str, &str)| json!({ "key": key, "value": { "stringValue": value } });
    pairs.iter().map(attribute).collect()
}
