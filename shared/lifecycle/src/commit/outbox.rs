//! The outbox: events as rows of a table, until they are published.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;

use crate::Timestamp;
use crate::consumer::RecordInput;
use crate::effects::{Condition, OnConditionFailed, Write, WriteAction};
use crate::envelope::Envelope;
use crate::record::{
    IndexKey, IndexName, Key, PARTITION_KEY, Record, SORT_KEY, TableName, item_of,
};
use crate::resource::OUTBOX;

/// The index of unpublished outbox rows, ordered by the time of their event.
pub const BY_WAITING: IndexName = IndexName::new("by_waiting");

/// The attribute with the position in [`BY_WAITING`].
const WAITING_POSITION: &str = "by_waiting_sk";

/// How long an outbox row is kept; its time-to-live attribute is `expiresAt`.
const OUTBOX_KEPT_S: i64 = 7 * 24 * 60 * 60;

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

/// An event in the outbox: the envelope, stored under its aggregate, so that the stream has the
/// events of one aggregate in order.
///
/// An item under any other key is not read as a row. Its state would be written under the correct
/// key, and the item itself would stay unpublished.
#[derive(Clone, Serialize, Deserialize)]
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
    /// The time of the last refusal, or of the last run of the sweeper that could not send the row. It
    /// moves the row behind other rows that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
    /// When the row was set aside. The row is not retried until an operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside_at: Option<Timestamp>,
}

/// Without the data of the event, which may hold a secret, such as a token for a mail.
impl fmt::Debug for OutboxRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxRow")
            .field("event_id", &self.envelope.event_id)
            .field("event_type", &self.envelope.event_type)
            .field("aggregate_id", &self.envelope.aggregate_id)
            .field("request_id", &self.envelope.request_id)
            .field("relayed_at", &self.relayed_at)
            .field("refusals", &self.refusals)
            .field("set_aside_at", &self.set_aside_at)
            .finish_non_exhaustive()
    }
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
    /// How long after its event a row may be retried: it has waited, and was set aside.
    const RETRIED_S: i64 = OUTBOX_KEPT_S + SET_ASIDE_KEPT_S;
    /// How long after its event a row may be relayed again. Consumers remember its event for longer.
    pub(crate) const RELAYED_AGAIN_S: i64 = Self::RETRIED_S + OUTBOX_KEPT_S;

    /// A row that waits for publication.
    pub(super) fn waiting(envelope: Envelope<Value>, now: Timestamp) -> Self {
        Self {
            envelope,
            relayed_at: None,
            expires_at: now.plus_seconds(OUTBOX_KEPT_S).as_seconds(),
            refusals: 0,
            refused_at: None,
            set_aside_at: None,
        }
    }

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

    /// Moves the row behind the others that wait. The sweeper writes this for a row that it could not
    /// send, since each run reads the first rows only. The write fails if the row waits no longer where
    /// it was read.
    pub fn moved_back(&self, at: Timestamp) -> Write {
        let write = Write::put(&Self { refused_at: Some(at), ..self.clone() });
        match item_of(self).get(WAITING_POSITION) {
            Some(position) => write.when(Condition::Equals(WAITING_POSITION, position.clone())),
            None => write,
        }
    }

    /// Whether the row was set aside and may wait again. Consumers might no longer remember an older event,
    /// and `DynamoDB` takes days to delete a row.
    pub fn may_be_retried(&self, now: Timestamp) -> bool {
        let until = self.envelope.occurred_at.plus_seconds(Self::RETRIED_S);
        self.set_aside_at.is_some() && now <= until && now.as_seconds() <= self.expires_at
    }

    /// Makes a row that was set aside wait for publication again, with no refusals. Its event is then sent
    /// to all of its queues, also to one that has taken it before: the consumer remembers it.
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
            key_is_personal: false,
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

impl RecordInput for OutboxRow {
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

#[cfg(test)]
mod tests;
