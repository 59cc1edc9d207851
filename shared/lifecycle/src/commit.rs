//! Performs stage 8: one commit of all durable effects, or one message in its place.

use serde::{Deserialize, Serialize};
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;
use uuid::Uuid;

use crate::effects::{
    Change, Condition, Content, Effects, Event, Message, OnConditionFailed, Write, WriteAction,
};
use crate::envelope::Envelope;
use crate::error::{DomainError, ServiceError};
use crate::platform::{CommitError, Outgoing, Platform, Transaction};
use crate::record::{IndexKey, IndexName, Key, PARTITION_KEY, Record, SORT_KEY, TableName};
use crate::resource::{Action, Resource};
use crate::telemetry::TraceContext;
use crate::{Moment, Timestamp};

/// The outbox table: a commit writes events into it, and the relay reads them from its stream.
pub const OUTBOX: TableName = TableName::new("outbox");

/// The index of unpublished outbox rows, ordered by the time of their event.
pub const BY_WAITING: IndexName = IndexName::new("by_waiting");

/// How long an outbox row is kept; its time-to-live attribute is `expiresAt`.
const OUTBOX_KEPT_S: i64 = 7 * 24 * 60 * 60;

/// The length of a `traceparent` up to the end of its trace id: `00-` and 32 hexadecimal digits.
const TRACE_CHARS: usize = 35;

/// How long a row that was set aside is kept: an operator needs time to find the cause.
const SET_ASIDE_KEPT_S: i64 = 30 * 24 * 60 * 60;

/// The number of refusals by a queue after which a row is set aside.
pub const REFUSALS_MAX: u32 = 5;

/// The error type of rows that a queue refused and that are retried.
pub const OUTBOX_ROW_REFUSED: &str = "OUTBOX_ROW_REFUSED";

/// The error type of rows that were set aside; an alarm reads it.
pub const OUTBOX_ROW_SET_ASIDE: &str = "OUTBOX_ROW_SET_ASIDE";

/// The attribute with the time at which a row was set aside.
pub const SET_ASIDE_AT: &str = "setAsideAt";

/// The origin of the effects; it is part of every envelope.
#[derive(Debug, Clone)]
pub(crate) struct EventOrigin {
    pub(crate) request_id: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) tracestate: Option<String>,
}

impl EventOrigin {
    /// The origin that is a request, or a record, with its span.
    pub(crate) fn of(request_id: &str, trace: &TraceContext) -> Self {
        Self {
            request_id: request_id.to_owned(),
            traceparent: Some(trace.to_string()),
            tracestate: trace.state().map(str::to_owned),
        }
    }
}

/// The result of an attempt to commit.
#[derive(Debug)]
pub(crate) enum CommitOutcome {
    /// Everything is written.
    Committed,
    /// Nothing is written: the idempotency table already has this request or record.
    Duplicate(Option<Item>),
    /// Nothing is written: a condition with a rejection did not hold.
    Rejected(DomainError),
    /// Nothing is written: the facts are stale, or another transaction uses the same items.
    Conflict,
}

/// Puts all durable effects into one transaction: the writes, the outbox rows, and last the record
/// for the idempotency table.
fn compose(
    effects: &Effects,
    ledger: Option<Write>,
    uses: &[Resource],
    moment: &Moment,
    cause: &EventOrigin,
) -> Result<Transaction, ServiceError> {
    if !effects.parts().is_empty() {
        return Err(ServiceError::internal(
            "only consumers without an inbox may have effects in parts",
        ));
    }
    let mut writes = effects.writes().to_vec();
    for (number, event) in effects.events().iter().enumerate() {
        let id = moment.id(&format!("event/{number}"));
        let row = OutboxRow {
            envelope: seal(event, id.to_string(), moment, cause),
            relayed_at: None,
            expires_at: moment.now().plus_seconds(OUTBOX_KEPT_S).as_seconds(),
            refusals: 0,
            refused_at: None,
            set_aside_at: None,
        };
        writes.push(Write::create(&row));
    }
    // A write must be declared, or the IAM policy would not allow it. The description declares the
    // lifecycle's own writes to the idempotency table.
    for write in &writes {
        let verb = verb_of(write);
        if !uses.iter().any(|usage| usage.covers(write.table, verb)) {
            let message = format!("{verb:?} on table {} is not declared", write.table.name());
            return Err(ServiceError::internal(message));
        }
    }
    writes.extend(ledger);
    // The token is random, because it identifies one transaction. The moment is the same for every
    // delivery of a record, but the decision may differ. The idempotency table prevents a second
    // effect.
    Ok(Transaction { token: Uuid::new_v4().to_string(), writes })
}

/// Commits the effects together with their idempotency record, and derives the result from the
/// failed conditions.
///
/// If the condition of the idempotency record failed, the request or record is known, and other
/// failed conditions do not matter.
pub(crate) async fn commit(
    platform: &dyn Platform,
    effects: &Effects,
    ledger: Option<Write>,
    uses: &[Resource],
    moment: &Moment,
    cause: &EventOrigin,
) -> Result<CommitOutcome, ServiceError> {
    let has_ledger = ledger.is_some();
    let transaction = compose(effects, ledger, uses, moment, cause)?;
    if let Some(message) = effects.handed_over() {
        if !transaction.writes.is_empty() {
            return Err(ServiceError::internal(
                "effects with a message in place of the commit also have writes",
            ));
        }
        let message = ready("handed-over", message, moment, cause);
        let failed = platform.send(&[message]).await.into_iter().next();
        return failed.map_or(Ok(CommitOutcome::Committed), |(_, fault)| Err(fault));
    }
    if transaction.writes.is_empty() {
        return Ok(CommitOutcome::Committed);
    }
    let ledger = has_ledger.then(|| transaction.writes.len() - 1);
    let failed = match platform.commit(&transaction).await {
        Ok(()) => return Ok(CommitOutcome::Committed),
        Err(CommitError::Conflict) => return Ok(CommitOutcome::Conflict),
        Err(CommitError::Invalid(reason)) => return Err(ServiceError::internal(reason)),
        Err(CommitError::ServiceError(fault)) => return Err(fault),
        Err(CommitError::Conditions(failed)) => failed,
    };
    if let Some(known) = failed.iter().find(|failed| Some(failed.write) == ledger) {
        return Ok(CommitOutcome::Duplicate(known.stored.clone()));
    }
    let rejections = failed.iter().filter_map(|failed| {
        match &transaction.writes.get(failed.write)?.on_condition_failed {
            OnConditionFailed::Reject(rejection) => Some(rejection.clone()),
            OnConditionFailed::Retry => None,
        }
    });
    Ok(rejections
        .reduce(DomainError::together)
        .map_or(CommitOutcome::Conflict, CommitOutcome::Rejected))
}

/// The messages of a decision, in their envelopes.
pub(crate) fn outgoing(
    messages: &[Message],
    moment: &Moment,
    cause: &EventOrigin,
) -> Vec<Outgoing> {
    outgoing_of_part("", messages, moment, cause)
}

/// The messages of a part, whose label keeps their ids distinct from those of other parts.
pub(crate) fn outgoing_of_part(
    part: &str,
    messages: &[Message],
    moment: &Moment,
    cause: &EventOrigin,
) -> Vec<Outgoing> {
    let numbered = messages.iter().enumerate();
    let outgoing = numbered
        .map(|(number, message)| ready(&format!("{part}message/{number}"), message, moment, cause));
    outgoing.collect()
}

/// A message in its envelope, whose id is derived from the label.
fn ready(label: &str, message: &Message, moment: &Moment, cause: &EventOrigin) -> Outgoing {
    Outgoing {
        queue: message.queue,
        envelope: match &message.content {
            Content::Forward(envelope) => Envelope {
                traceparent: handed_on(envelope.traceparent.as_deref(), cause),
                ..(**envelope).clone()
            },
            Content::New(event) => seal(event, moment.id(label).to_string(), moment, cause),
        },
        delay: std::time::Duration::from_secs(message.delay_s.into()),
        group: message.group.clone(),
    }
}

/// Returns the `traceparent` of a forwarded envelope. It is the span of the relay if that belongs to
/// the same trace: the trace then includes the relay. `tracestate` is valid for the whole trace.
fn handed_on(own: Option<&str>, cause: &EventOrigin) -> Option<String> {
    let trace_of = |context: &str| context.get(..TRACE_CHARS).map(str::to_owned);
    let relay = cause.traceparent.as_deref();
    let passed_by = relay.filter(|relay| own.and_then(trace_of) == trace_of(relay));
    passed_by.or(own).map(str::to_owned)
}

fn seal(event: &Event, event_id: String, moment: &Moment, cause: &EventOrigin) -> Envelope<Value> {
    Envelope {
        event_id,
        event_type: event.event_type.to_owned(),
        version: event.version,
        occurred_at: moment.now(),
        aggregate_id: event.aggregate_id.clone(),
        request_id: cause.request_id.clone(),
        traceparent: cause.traceparent.clone(),
        tracestate: cause.tracestate.clone(),
        data: event.data.clone(),
    }
}

/// An event in the outbox: the envelope, stored under its aggregate, so that the stream has the
/// events of one aggregate in order.
///
/// An item under any other key is not read as a row. Its state would be written under the correct
/// key, and the item itself would stay unpublished.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "StoredRow")]
pub struct OutboxRow {
    /// The event.
    #[serde(flatten)]
    pub envelope: Envelope<Value>,
    /// When the event was published; unset while it is unpublished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relayed_at: Option<Timestamp>,
    /// When the row expires, in seconds since 1970.
    pub expires_at: i64,
    /// The number of times that a queue has refused a message of the row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refusals: u32,
    /// The time of the last refusal. It moves the row behind other rows that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
    /// When the row was set aside. The row is not retried until an operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside_at: Option<Timestamp>,
}

/// A row as it is stored, with its key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRow {
    pk: Option<String>,
    sk: Option<String>,
    #[serde(flatten)]
    envelope: Envelope<Value>,
    relayed_at: Option<Timestamp>,
    expires_at: i64,
    #[serde(default)]
    refusals: u32,
    refused_at: Option<Timestamp>,
    set_aside_at: Option<Timestamp>,
}

impl TryFrom<StoredRow> for OutboxRow {
    type Error = &'static str;

    fn try_from(stored: StoredRow) -> Result<Self, Self::Error> {
        let StoredRow { pk, sk, envelope, relayed_at, expires_at, .. } = stored;
        let StoredRow { refusals, refused_at, set_aside_at, .. } = stored;
        let row = Self { envelope, relayed_at, expires_at, refusals, refused_at, set_aside_at };
        let key = row.key();
        if pk.is_some_and(|pk| pk != key.pk) || (sk.is_some() && sk != key.sk) {
            return Err("the key of the row is not that of its event");
        }
        Ok(row)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl OutboxRow {
    /// Marks the event as published, which removes the row from the index of unpublished rows. The
    /// write needs no condition: every stored version holds the same event.
    pub fn relayed(&self, at: Timestamp) -> Write {
        Write::put(&Self { relayed_at: Some(at), ..self.clone() })
    }

    /// Records a refusal by a queue; returns the write and the error type to count. The row waits
    /// again, behind the others. After [`REFUSALS_MAX`] refusals it is set aside.
    pub fn refused(&self, at: Timestamp) -> (Write, &'static str) {
        let refusals = self.refusals.saturating_add(1);
        let refused = Self { refusals, refused_at: Some(at), ..self.clone() };
        if refusals < REFUSALS_MAX {
            return (Write::put(&refused), OUTBOX_ROW_REFUSED);
        }
        let expires_at = at.plus_seconds(SET_ASIDE_KEPT_S).as_seconds();
        let set_aside = Self { set_aside_at: Some(at), expires_at, ..refused };
        (Write::put(&set_aside), OUTBOX_ROW_SET_ASIDE)
    }

    /// Makes a row that was set aside wait for publication again, with no refusals.
    pub fn retried(&self, at: Timestamp) -> Write {
        let expires_at = at.plus_seconds(OUTBOX_KEPT_S).as_seconds();
        let (refused_at, set_aside_at) = (None, None);
        let waiting = Self { refusals: 0, refused_at, set_aside_at, expires_at, ..self.clone() };
        let at = self.set_aside_at.map_or_else(String::new, |at| at.to_string());
        Write::put(&waiting).when(Condition::Equals(SET_ASIDE_AT, AttributeValue::S(at)))
    }

    /// Sets aside an item that cannot be read as a row. The item keeps its content and leaves the
    /// index of unpublished rows. The write fails if the item no longer exists.
    pub fn set_aside_unreadable(item: &Item, at: Timestamp) -> Option<Write> {
        let text = |name: &str| match item.get(name) {
            Some(AttributeValue::S(text)) => Some(text.clone()),
            _ => None,
        };
        let key = Key { pk: text(PARTITION_KEY)?, sk: text(SORT_KEY) };
        let mut kept = item.clone();
        let attributes = kept.inner_mut();
        attributes.remove(&BY_WAITING.partition_attribute());
        attributes.remove(&BY_WAITING.position_attribute());
        let expires_at = at.plus_seconds(SET_ASIDE_KEPT_S).as_seconds();
        attributes.insert(SET_ASIDE_AT.to_owned(), AttributeValue::S(at.to_string()));
        attributes.insert("expiresAt".to_owned(), AttributeValue::N(expires_at.to_string()));
        Some(Write {
            table: OUTBOX,
            key,
            action: WriteAction::Put(kept),
            condition: Some(Condition::Present),
            on_condition_failed: OnConditionFailed::Retry,
        })
    }
}

impl Record for OutboxRow {
    const TABLE: TableName = OUTBOX;

    fn key(&self) -> Key {
        Key::sorted(&self.envelope.aggregate_id, &self.envelope.event_id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let Envelope { event_id, occurred_at, .. } = &self.envelope;
        let waiting = self.relayed_at.is_none() && self.set_aside_at.is_none();
        let since = self.refused_at.unwrap_or(*occurred_at);
        let place = || IndexKey::sharded(BY_WAITING, event_id, format!("{since}#{event_id}"));
        waiting.then(place).into_iter().collect()
    }
}

impl crate::consumer::RecordInput for OutboxRow {
    fn event_id(&self) -> Option<&str> {
        Some(&self.envelope.event_id)
    }

    fn request_id(&self) -> Option<&str> {
        Some(&self.envelope.request_id)
    }

    fn traceparent(&self) -> Option<&str> {
        self.envelope.traceparent.as_deref()
    }

    fn tracestate(&self) -> Option<&str> {
        self.envelope.tracestate.as_deref()
    }
}

fn verb_of(write: &Write) -> Action {
    match write.action {
        WriteAction::Put(_) => Action::PutItem,
        WriteAction::Update(_) => Action::UpdateItem,
        WriteAction::Delete => Action::DeleteItem,
        WriteAction::Check => Action::ConditionCheckItem,
    }
}

/// The size of the item data in a write, in bytes, close enough to the store's count to check a
/// limit.
pub(crate) fn size_of_write(write: &Write) -> usize {
    match &write.action {
        WriteAction::Put(item) => {
            item.inner().iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
        }
        WriteAction::Update(changes) => changes.iter().map(size_of_change).sum(),
        WriteAction::Delete | WriteAction::Check => 0,
    }
}

fn size_of_change(change: &Change) -> usize {
    match change {
        Change::Set(name, value) => name.len() + size_of_value(value),
        Change::Add(name, _) => name.len() + 21,
        Change::Remove(name) => name.len(),
    }
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::N(text) | AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + size_of_value(value)).sum::<usize>()
        }
        AttributeValue::L(values) => 3 + values.iter().map(|v| 1 + size_of_value(v)).sum::<usize>(),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
            texts.iter().map(String::len).sum()
        }
        AttributeValue::Bs(blobs) => blobs.iter().map(Vec::len).sum(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_of_released_versions_are_read() {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let envelope = Envelope {
            event_id: "0197f5a4-0000-7000-8000-00000000000e".to_owned(),
            event_type: "OrderCreated".to_owned(),
            version: 1,
            occurred_at: at,
            aggregate_id: "0197f5a4-0000-7000-8000-00000000000a".to_owned(),
            request_id: "request-1".to_owned(),
            traceparent: None,
            tracestate: None,
            data: json!({ "orderId": "0197f5a4-0000-7000-8000-00000000000a", "total": 850 }),
        };
        let traced = Envelope {
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            tracestate: Some("vendor=1".to_owned()),
            ..envelope.clone()
        };
        let waiting = OutboxRow {
            envelope,
            relayed_at: None,
            expires_at: at.plus_seconds(OUTBOX_KEPT_S).as_seconds(),
            refusals: 0,
            refused_at: None,
            set_aside_at: None,
        };
        crate::released::holds::<OutboxRow>(&[
            OutboxRow { relayed_at: Some(at), envelope: traced, ..waiting.clone() },
            OutboxRow { refusals: 1, refused_at: Some(at), ..waiting.clone() },
            OutboxRow {
                refusals: REFUSALS_MAX,
                refused_at: Some(at),
                set_aside_at: Some(at),
                ..waiting.clone()
            },
            waiting,
        ]);
    }
}
