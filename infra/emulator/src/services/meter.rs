//! Meters the paid use of services by functions' calls: `DynamoDB`'s units and the requests of SQS.
//!
//! The embedded `DynamoDB` returns the units like the real one (`ReturnConsumedCapacity`). They are
//! requested only while the meter is on or the console has a listener, because they make the responses larger.
//! Only the meter shows them to functions that have not asked for them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use serde_json::Value;

use super::call::{Call, Store};

/// The operations of `DynamoDB` that use units; `true` for writes.
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

/// The part of a body that SQS counts as one request.
const REQUEST_BYTES: usize = 64 << 10;

/// The use of services by a function's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Consumed {
    /// Read request units of `DynamoDB`.
    pub read_units: f64,
    /// Write request units of `DynamoDB`, including those of indexes.
    pub write_units: f64,
    /// Requests of SQS: one for each 64 KB of a body.
    pub sqs_requests: u64,
    /// Calls to any of the services.
    pub calls: u64,
}

/// The use by each function's calls since the meter was switched on.
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

    /// The use by the functions' logical ids.
    pub(super) fn consumed(&self) -> BTreeMap<String, Consumed> {
        self.consumed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The body of a call with a request for the units; `None` if they are not counted, or the call
    /// asks for them itself.
    pub(super) fn asking(&self, call: &Call, body: &Bytes) -> Option<Bytes> {
        writes(call)?;
        if !self.is_on() {
            return if call.is_watched { with_request(body) } else { None };
        }
        let mut body: Value = serde_json::from_slice(body).ok()?;
        body.as_object_mut()?.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
        Some(Bytes::from(body.to_string()))
    }

    /// Whether the units in an answer are not for the function, while the console has a listener.
    pub(super) fn hides(&self, call: &Call) -> bool {
        !self.is_on() && writes(call).is_some() && !asks(&call.body)
    }

    /// Counts the use of a finished call.
    pub(super) fn count(&self, call: &Call, answer: &Bytes) {
        let Some(caller) = call.caller.as_ref().filter(|_| self.is_on()) else {
            return;
        };
        let mut used = Consumed { calls: 1, ..Consumed::default() };
        if call.store == Store::Queues {
            let requests = call.body.len().div_ceil(REQUEST_BYTES).max(1);
            used.sqs_requests = requests.try_into().unwrap_or(u64::MAX);
        }
        if let Some(writes) = writes(call) {
            let answer = serde_json::from_slice(answer).unwrap_or(Value::Null);
            used.add_units(call, writes, &answer);
        }
        let mut consumed = self.consumed.lock().unwrap_or_else(PoisonError::into_inner);
        let total = consumed.entry(caller.function.clone()).or_default();
        total.read_units += used.read_units;
        total.write_units += used.write_units;
        total.sqs_requests += used.sqs_requests;
        total.calls += used.calls;
    }
}

/// Whether a call asks for the units itself.
fn asks(body: &[u8]) -> bool {
    const NAME: &[u8] = b"\"ReturnConsumedCapacity\"";

    body.windows(NAME.len()).any(|window| window == NAME)
}

/// The body of a call with a request for the units, unless it has one itself.
fn with_request(body: &Bytes) -> Option<Bytes> {
    const MEMBER: &[u8] = b"{\"ReturnConsumedCapacity\":\"TOTAL\",";

    let rest = body.strip_prefix(b"{")?;
    let is_empty = rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
    (!asks(body) && !is_empty).then(|| [MEMBER, rest].concat().into())
}

/// The read and write units of a call, by its answer.
pub(super) fn units(call: &Call, answer: &Value) -> Option<(f64, f64)> {
    let writes = writes(call)?;
    answer.get("ConsumedCapacity")?;
    let mut used = Consumed::default();
    used.add_units(call, writes, answer);
    Some((used.read_units, used.write_units))
}

impl Consumed {
    fn add_units(&mut self, call: &Call, writes: bool, answer: &Value) {
        let told = &answer["ConsumedCapacity"];
        let one = told.is_object().then_some(told);
        for capacity in one.into_iter().chain(told.as_array().into_iter().flatten()) {
            // A transaction that is repeated with its token consumes only reads.
            let is_read = capacity["ReadCapacityUnits"].is_number() || !writes;
            let units = capacity["CapacityUnits"].as_f64().unwrap_or_default();
            *(if is_read { &mut self.read_units } else { &mut self.write_units }) += units;
        }
        if writes && answer["__type"].as_str().is_some_and(is_failed_condition) {
            self.write_units += least_units(call);
        }
    }
}

/// Whether a call uses write units (`true`) or read units; `None` if it uses none.
fn writes(call: &Call) -> Option<bool> {
    let mut operations = OPERATIONS.iter().filter(|_| call.store == Store::Tables);
    operations.find(|(operation, _)| *operation == call.operation).map(|(_, writes)| *writes)
}

/// Whether an error is a failed condition. `DynamoDB` charges such a write, but does not return its
/// units.
fn is_failed_condition(error: &str) -> bool {
    ["ConditionalCheckFailedException", "TransactionCanceledException"]
        .iter()
        .any(|failed| error.ends_with(failed))
}

/// The minimum of a failed write: the units of items of 1 KB.
fn least_units(call: &Call) -> f64 {
    let count = u32::try_from(call.accesses.len()).unwrap_or(u32::MAX);
    f64::from(count) * if call.operation == "TransactWriteItems" { 2.0 } else { 1.0 }
}
