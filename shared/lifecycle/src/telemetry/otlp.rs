//! Spans for an OpenTelemetry collector: OTLP over HTTP, as JSON. Only sent if an endpoint is
//! configured.
//!
//! The exporters of the `opentelemetry` crates need a protobuf stack and a batch processor with its
//! own threads. A function that is frozen after each response needs only one small POST. Sources:
//! OTLP specification 1.5, "JSON Protobuf Encoding"; the semantic conventions for HTTP, messaging
//! and function-as-a-service spans.

use serde_json::{Value, json};

use super::{Stages, TraceContext};
use crate::consumer::Source;
use crate::{Timestamp, random};

/// The maximum number of spans in a POST: the batch size of OpenTelemetry's own exporters.
const SPANS_MAX: usize = 512;

/// The data of a request's root span.
pub(crate) struct Root<'a> {
    pub(crate) trace: &'a TraceContext,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) request_id: &'a str,
    pub(crate) at: Timestamp,
}

/// The data of a record's root span.
pub(crate) struct RecordRoot<'a> {
    pub(crate) function: &'a str,
    pub(crate) trace: &'a TraceContext,
    pub(crate) source: Source,
    pub(crate) record_id: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) failed: bool,
    pub(crate) at: Timestamp,
}

/// The value of an attribute.
enum Attribute<'a> {
    Text(&'a str),
    Number(u64),
}

/// The spans of a request: a root span, and a child for each stage.
pub(crate) fn spans_of_request(root: &Root<'_>, stages: &Stages) -> Vec<Value> {
    use Attribute::{Number, Text};
    let attributes = attributes(&[
        ("http.request.method", Text(root.method)),
        ("http.route", Text(root.path)),
        ("http.response.status_code", Number(root.status.into())),
        ("request.id", Text(root.request_id)),
    ]);
    let name = format!("{} {}", root.method, root.path);
    // A 4xx is the client's error: the span has not failed.
    let (request_id, failed) = (root.request_id, root.status >= 500);
    let span = Span { name, kind: SERVER, attributes, request_id, failed };
    with_stages(&span, root.trace, root.at, stages)
}

/// The spans of a record: a root span, which is a child of the sender's span, and its stages.
pub(crate) fn spans_of_record(root: &RecordRoot<'_>, stages: &Stages) -> Vec<Value> {
    use Attribute::Text;
    let (request_id, id) = (("request.id", Text(root.request_id)), Text(root.record_id));
    let (name, kind, attributes) = match root.source {
        Source::Queue(queue) => (
            format!("process {}", queue.name()),
            CONSUMER,
            attributes(&[
                ("messaging.system", Text("aws_sqs")),
                ("messaging.operation.name", Text("process")),
                ("messaging.operation.type", Text("process")),
                ("messaging.destination.name", Text(queue.name())),
                ("messaging.message.id", id),
                request_id,
            ]),
        ),
        Source::Stream(table) => (
            format!("process {}", table.name()),
            CONSUMER,
            attributes(&[
                ("faas.trigger", Text("datasource")),
                ("faas.document.collection", Text(table.name())),
                ("faas.document.operation", Text("insert")),
                ("faas.document.name", id),
                request_id,
            ]),
        ),
        Source::Schedule(_) => (
            root.function.to_owned(),
            SERVER,
            attributes(&[("faas.trigger", Text("timer")), request_id]),
        ),
        Source::Event(name) => (
            format!("process {name}"),
            CONSUMER,
            attributes(&[("faas.trigger", Text("other")), request_id]),
        ),
    };
    let (request_id, failed) = (root.request_id, root.failed);
    let span = Span { name, kind, attributes, request_id, failed };
    with_stages(&span, root.trace, root.at, stages)
}

/// The bodies of the POSTs that send the spans, each within the batch size.
pub(crate) fn requests(service: &str, function: &str, spans: &[Value]) -> Vec<Vec<u8>> {
    let resource =
        [("service.name", Attribute::Text(service)), ("faas.name", Attribute::Text(function))];
    let request = |spans: &[Value]| {
        json!({ "resourceSpans": [{
            "resource": { "attributes": attributes(&resource) },
            "scopeSpans": [{ "scope": { "name": "lifecycle" }, "spans": spans }],
        }]})
        .to_string()
        .into_bytes()
    };
    spans.chunks(SPANS_MAX).map(request).collect()
}

/// `SPAN_KIND_INTERNAL`, `SPAN_KIND_SERVER` and `SPAN_KIND_CONSUMER`.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CONSUMER: u8 = 5;

struct Span<'a> {
    name: String,
    kind: u8,
    attributes: Value,
    /// The spans of the stages have it too.
    request_id: &'a str,
    failed: bool,
}

fn with_stages(
    root: &Span<'_>,
    trace: &TraceContext,
    at: Timestamp,
    stages: &Stages,
) -> Vec<Value> {
    let start = u128::try_from(at.as_millis()).unwrap_or(0) * 1_000_000;
    let mut span = json!({
        "traceId": trace.trace_id(),
        "spanId": trace.span_id(),
        "name": root.name,
        "kind": root.kind,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": (start + stages.total().as_nanos()).to_string(),
        "attributes": root.attributes,
        "status": { "code": if root.failed { 2 } else { 0 } },
    });
    let told = [("parentSpanId", trace.parent_span_id()), ("traceState", trace.state())];
    for (name, value) in told {
        if let (Some(value), Some(span)) = (value, span.as_object_mut()) {
            span.insert(name.to_owned(), value.into());
        }
    }
    let of_stages = attributes(&[("request.id", Attribute::Text(root.request_id))]);
    let mut spans = vec![span];
    let mut at = start;
    for (name, took) in stages.times() {
        let end = at + took.as_nanos();
        let id = random::uuid_v7().simple().to_string();
        spans.push(json!({
            "traceId": trace.trace_id(),
            "spanId": &id[16..],
            "parentSpanId": trace.span_id(),
            "name": name,
            "kind": INTERNAL,
            "startTimeUnixNano": at.to_string(),
            "endTimeUnixNano": end.to_string(),
            "attributes": of_stages,
        }));
        at = end;
    }
    spans
}

fn attributes(pairs: &[(&str, Attribute<'_>)]) -> Value {
    let attribute = |(key, value): &(&str, Attribute<'_>)| {
        let value = match value {
            Attribute::Text(text) => json!({ "stringValue": text }),
            // 64-bit integers are strings in Protocol Buffers' JSON.
            Attribute::Number(number) => json!({ "intValue": number.to_string() }),
        };
        json!({ "key": key, "value": value })
    };
    pairs.iter().map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[test]
    fn a_post_carries_at_most_512_spans() {
        for (count, expected) in [(0, vec![]), (1, vec![1]), (512, vec![512]), (513, vec![512, 1])]
        {
            let requests = requests("store", "f", &vec![json!({}); count]);
            let carried = requests.iter().map(|request| {
                let request: Value = serde_json::from_slice(request).unwrap();
                request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len()
            });
            assert_eq!(carried.collect::<Vec<_>>(), expected, "{count}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn spans_follow_each_other_from_the_start_and_only_5xx_has_failed() {
        let trace = TraceContext::continued(None, None, None);
        let at = Timestamp::from_millis(1_700_000_000_123);
        let mut stages = Stages::start();
        for (millis, stage) in [(2, "routing"), (3, "rules")] {
            advance(Duration::from_millis(millis)).await;
            stages.end(stage);
        }
        let spans_of = |status| {
            let root = Root {
                trace: &trace,
                method: "GET",
                path: "/notes",
                status,
                request_id: "req-1",
                at,
            };
            spans_of_request(&root, &stages)
        };
        for (status, code) in [(200, 0), (499, 0), (500, 2)] {
            let spans = spans_of(status);
            assert_eq!(spans[0]["status"]["code"], code, "{status}");
            let times = ["startTimeUnixNano", "endTimeUnixNano"];
            let times = spans.iter().map(|span| times.map(|name| span[name].as_str().unwrap()));
            let [start, between, end] =
                ["1700000000123000000", "1700000000125000000", "1700000000128000000"];
            assert_eq!(times.collect::<Vec<_>>(), [[start, end], [start, between], [between, end]]);
        }
    }
}
