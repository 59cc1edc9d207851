//! What the functions' calls use of the services that are paid by use: `DynamoDB`'s units and the
//! requests of SQS.
//!
//! The embedded `DynamoDB` tells the units itself, as the real one does
//! (`ReturnConsumedCapacity`). It is asked only once the meter is on: the answers grow by it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use serde_json::Value;

use super::call::{BODY_BYTES_MAX, Call, Store};

/// The operations of `DynamoDB` that use units, and whether they write.
const OPERATIONS: [(&str, bool); 9] = [
    ("BatchGetItem", false),
    ("BatchWriteItem", true),
    ("DeleteItem", true),
    ("GetItem", false),
    ("PutItem", true),
    ("Query", false),
    ("Scan", false),
    ("TransactWriteItems", true),
    ("UpdateItem", true),
];

/// The largest part of a body that SQS takes for one request.
const REQUEST_BYTES: usize = 64 << 10;

/// What a function's calls have used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    /// Read request units of `DynamoDB`.
    pub read_units: f64,
    /// Write request units of `DynamoDB`, those of indexes among them.
    pub write_units: f64,
    /// Requests of SQS, each 64 KB of a body one.
    pub sqs_requests: u64,
    /// Calls to any of the services.
    pub calls: u64,
}

/// What each function's calls have used since the meter was switched on.
#[derive(Debug, Default)]
pub(super) struct Meter {
    is_on: AtomicBool,
    consumed: Mutex<BTreeMap<String, Consumed>>,
}

impl Meter {
    pub(super) fn switch_on(&self) {
        self.is_on.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// By the functions' logical ids.
    pub(super) fn consumed(&self) -> BTreeMap<String, Consumed> {
        self.consumed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The body of a call that also asks for the units; nothing where none are counted.
    pub(super) fn asking(&self, call: &Call, body: &Bytes) -> Option<Bytes> {
        if !self.is_on() || writes(call).is_none() {
            return None;
        }
        let mut body: Value = serde_json::from_slice(body).ok()?;
        body.as_object_mut()?.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
        Some(Bytes::from(body.to_string()))
    }

    /// Counts what an answered call has used, and gives the answer again.
    pub(super) async fn count(&self, call: &Call, response: Response) -> Response {
        let Some(caller) = call.caller.as_ref().filter(|_| self.is_on()) else {
            return response;
        };
        let mut used = Consumed { calls: 1, ..Consumed::default() };
        if call.store == Store::Queues {
            let requests = call.body.len().div_ceil(REQUEST_BYTES).max(1);
            used.sqs_requests = requests.try_into().unwrap_or(u64::MAX);
        }
        let (head, body) = response.into_parts();
        // The answers are the embedded stores' own, and are whole.
        let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
        if let Some(writes) = writes(call) {
            let answer = serde_json::from_slice(&body).unwrap_or(Value::Null);
            used.add_units(call, writes, &answer);
        }
        let mut consumed = self.consumed.lock().unwrap_or_else(PoisonError::into_inner);
        let total = consumed.entry(caller.function.clone()).or_default();
        total.read_units += used.read_units;
        total.write_units += used.write_units;
        total.sqs_requests += used.sqs_requests;
        total.calls += used.calls;
        drop(consumed);
        Response::from_parts(head, Body::from(body))
    }
}

impl Consumed {
    fn add_units(&mut self, call: &Call, writes: bool, answer: &Value) {
        let told = &answer["ConsumedCapacity"];
        let one = told.is_object().then_some(told);
        for capacity in one.into_iter().chain(told.as_array().into_iter().flatten()) {
            // A transaction that is repeated with its token is only read.
            let is_read = capacity["ReadCapacityUnits"].is_number() || !writes;
            let units = capacity["CapacityUnits"].as_f64().unwrap_or_default();
            *(if is_read { &mut self.read_units } else { &mut self.write_units }) += units;
        }
        if writes && answer["__type"].as_str().is_some_and(is_failed_condition) {
            self.write_units += least_units(call);
        }
    }
}

/// Whether a call uses units of writing, or of reading; nothing where it uses none.
fn writes(call: &Call) -> Option<bool> {
    let mut operations = OPERATIONS.iter().filter(|_| call.store == Store::Tables);
    operations.find(|(operation, _)| *operation == call.operation).map(|(_, writes)| *writes)
}

/// A write whose condition fails is paid for, and its answer does not say how much.
fn is_failed_condition(error: &str) -> bool {
    ["ConditionalCheckFailedException", "TransactionCanceledException"]
        .iter()
        .any(|failed| error.ends_with(failed))
}

/// What a failed write uses at least: the units of items of 1 KB.
fn least_units(call: &Call) -> f64 {
    let count = u32::try_from(call.accesses.len()).unwrap_or(u32::MAX);
    f64::from(count) * if call.operation == "TransactWriteItems" { 2.0 } else { 1.0 }
}
