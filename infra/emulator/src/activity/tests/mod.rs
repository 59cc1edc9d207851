//! Tests of the records and their views, with made-up events.

mod journey;
mod limits;
mod requests;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::*;

/// A request of the tests, by its id.
const REQUEST: &str = "gw-1";

/// A request begins, with a token and a body.
fn begin(activity: &Activity, id: &str) {
    let headers = HeaderMap::from_iter([
        (http::header::HOST, HeaderValue::from_static("127.0.0.1:3000")),
        (http::header::AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c")),
        (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    let target = "/orders?limit=3";
    let begun = Begun { id, api: "Api", method: "POST", target, headers: &headers };
    activity.request_begins(&begun);
}

/// The gateway finds the function of a request and invokes it in an environment.
fn run(activity: &Activity, id: &str, invocation: &str, environment: &str) {
    activity.request_routed(id, "POST /orders", "PlaceOrderFunction");
    activity.request_has_body(id, &Bytes::from_static(b"{\"quantity\":2}"));
    start(activity, invocation, "PlaceOrderFunction", environment, Cause::Request(id.into()));
}

fn start(activity: &Activity, id: &str, function: &str, environment: &str, cause: Cause) {
    activity.invocation_queued(id, function, cause);
    activity.invocation_taken(id, environment, false);
}

fn answer(activity: &Activity, id: &str, status: u16, request_id: &'static str) {
    let name = http::HeaderName::from_static("x-request-id");
    let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(request_id))]);
    activity.request_answered(id, status, &headers, &Bytes::from_static(b"{}"), true);
}

/// The lifecycle reports.
fn report(activity: &Activity, line: Value) {
    activity.inspected(serde_json::from_value(line).unwrap(), 100);
}

struct Called<'a> {
    environment: &'a str,
    service: &'static str,
    operation: &'a str,
    resource: &'a str,
    body: Value,
    writes: Vec<KeyOfWrite>,
}

/// One action on the resource `arn`.
#[derive(Debug)]
struct Named(String);

impl Accesses for Named {
    fn named(&self) -> Vec<(String, String)> {
        vec![(self.0.clone(), "arn".to_owned())]
    }

    fn size(&self) -> usize {
        self.0.len()
    }
}

fn open(activity: &Activity, called: Called<'_>) -> OpenCall {
    activity.call_begins(CallStart {
        environment: called.environment.to_owned(),
        service: called.service,
        operation: called.operation.to_owned(),
        resources: vec![called.resource.to_owned()],
        accesses: Arc::new(Named(format!("{}:{}", called.service, called.operation))),
        body: called.body.to_string().into(),
        writes: called.writes,
    })
}

fn close(activity: &Activity, mut open: OpenCall, status: u16, response: &Value) {
    let response = response.to_string().into();
    let end =
        CallEnd { status, response, denials: Vec::new(), fault: None, units: Some((0.5, 1.0)) };
    activity.call_ends(&mut open, end);
}

fn call(activity: &Activity, called: Called<'_>, status: u16, response: &Value) {
    let open = open(activity, called);
    close(activity, open, status, response);
}

/// The transaction of an order with its event.
fn commit(environment: &str) -> Called<'_> {
    let key = |table: &str, key: &str| KeyOfWrite {
        table: table.to_owned(),
        key: key.to_owned(),
        deletes: false,
    };
    Called {
        environment,
        service: "dynamodb",
        operation: "TransactWriteItems",
        resource: "OrdersTable",
        body: json!({"TransactItems": [
            {"Update": {
                "TableName": "local-OrdersTable",
                "Key": {"pk": {"S": "ORDER#1"}},
                "UpdateExpression": "SET #s = :s",
                "ConditionExpression": "version = :v",
                "ExpressionAttributeNames": {"#s": "status"},
                "ExpressionAttributeValues": {":s": {"S": "OPEN"}, ":v": {"N": "3"}},
            }},
            {"Put": {
                "TableName": "local-OutboxTable",
                "Item": {
                    "pk": {"S": "order#1"}, "sk": {"S": "event-1"},
                    "eventId": {"S": "event-1"}, "eventType": {"S": "OrderCreated"},
                    "occurredAt": {"S": "2026-01-01T00:00:00Z"}, "requestId": {"S": "req-1"},
                },
                "ConditionExpression": "attribute_not_exists(pk)",
            }},
        ]}),
        writes: vec![
            key("OrdersTable", "pk = ORDER#1"),
            key("OutboxTable", "pk = order#1, sk = event-1"),
        ],
    }
}
