//! The commit: each attempt with its writes, their conditions and outcomes.

use serde_json::Value;

use super::calls::error;
use super::items::{expression, key_of};
use crate::activity::record::{CallRecord, Invocation, ms};
use crate::activity::redaction::Redaction;
use crate::activity::snapshot::WriteSnapshot;
use crate::activity::view::{
    CommitAttempt, CommitOutcomeView, CommitView, ItemWrite, WriteKind, WriteView,
};
use crate::services::plain_item;

/// The actions of a transaction, by their members.
const ACTIONS: [(&str, &str); 4] =
    [("Put", "put"), ("Update", "update"), ("Delete", "delete"), ("ConditionCheck", "check")];

/// The commit of an invocation; `None` if it made none.
pub(super) fn commit(invocation: &Invocation, redaction: &Redaction) -> Option<CommitView> {
    let calls = invocation.calls.iter().enumerate();
    let commits = calls.filter(|(_, call)| is_attempt(call));
    let has_ended = invocation.answered.is_some();
    let attempts: Vec<CommitAttempt> =
        commits.map(|(place, call)| attempt(call, place, has_ended, redaction)).collect();
    let stale = invocation.inspected.ended.as_ref().map(|ended| ended.stale.as_slice());
    let stale = stale.unwrap_or_default().iter().map(|text| redaction.text(text)).collect();
    (!attempts.is_empty()).then_some(CommitView { attempts, stale })
}

/// Whether a call is an attempt to commit. A counter of a rate limit is none.
pub(super) fn is_attempt(call: &CallRecord) -> bool {
    call.is_commit()
        && !call.deferred
        && !call.writes.iter().all(|write| kind_of_table(&write.table) == WriteKind::Counter)
}

fn attempt(
    call: &CallRecord,
    place: usize,
    has_ended: bool,
    redaction: &Redaction,
) -> CommitAttempt {
    CommitAttempt {
        operation: call.operation.clone(),
        outcome: outcome(call, has_ended),
        writes: writes(call, redaction),
        write_units: call.units.map(|(_, write)| write),
        took_ms: call
            .ended
            .map(|it| ms(it.saturating_duration_since(call.began)))
            .unwrap_or_default(),
        call: place,
    }
}

/// The outcome of an attempt. A call without an end is running, unless its process has ended.
pub(super) fn outcome(call: &CallRecord, has_ended: bool) -> CommitOutcomeView {
    if call.ended.is_none() {
        return if has_ended { CommitOutcomeView::Failed } else { CommitOutcomeView::Running };
    }
    if call.succeeded() {
        return CommitOutcomeView::Committed;
    }
    let answer: Value = serde_json::from_slice(&call.response).unwrap_or_default();
    let error = error(call).unwrap_or_default();
    let reasons = answer["CancellationReasons"].as_array().into_iter().flatten();
    let codes: Vec<&str> = reasons.filter_map(|reason| reason["Code"].as_str()).collect();
    if error.starts_with("ConditionalCheckFailed") || codes.contains(&"ConditionalCheckFailed") {
        CommitOutcomeView::ConditionFailed
    } else if error.starts_with("TransactionConflict") || codes.contains(&"TransactionConflict") {
        CommitOutcomeView::Conflict
    } else {
        CommitOutcomeView::Failed
    }
}

/// The writes of a call, in the order of its body.
pub(super) fn writes(call: &CallRecord, redaction: &Redaction) -> Vec<WriteView> {
    let input: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let answer: Value = serde_json::from_slice(&call.response).unwrap_or_default();
    let one = |action: &str, input: &Value, place: usize, found: &Found<'_>| {
        let written = call.writes.get(place);
        let table = written.map(|write| write.table.clone()).unwrap_or_default();
        let key = written.map(|write| write.key.clone());
        let key = key.unwrap_or_else(|| key_of(&input["Key"]));
        let condition = input["ConditionExpression"].as_str();
        let item = plain_item(&input["Item"]);
        let content = match input["UpdateExpression"].as_str() {
            Some(changes) => Value::String(expression(changes, input, redaction)),
            None if action == "put" => redaction.json(item.clone()),
            None => Value::Null,
        };
        WriteView {
            kind: kind(&table, &key, &item),
            table,
            action: action.to_owned(),
            key: redaction.text(&key),
            condition: condition.map(|it| expression(it, input, redaction)),
            held: condition.and(found.held),
            content,
            found: found.item.map(|item| redaction.json(plain_item(item))),
            event: item["eventType"].as_str().map(str::to_owned),
        }
    };
    match call.operation.as_str() {
        "TransactWriteItems" => {
            let items = input["TransactItems"].as_array().into_iter().flatten();
            let views = items.enumerate().map(|(place, item)| {
                let named = ACTIONS.iter().find(|(member, _)| item[member].is_object());
                let (member, action) = named.copied().unwrap_or(("", "check"));
                let reason = &answer["CancellationReasons"][place];
                one(action, &item[member], place, &Found::of(call, reason))
            });
            views.collect()
        }
        "BatchWriteItem" => {
            let tables = input["RequestItems"].as_object().into_iter().flatten();
            let requests =
                tables.flat_map(|(_, requests)| requests.as_array().into_iter().flatten());
            let views = requests.enumerate().map(|(place, request)| {
                let found = Found::of(call, &Value::Null);
                if request["PutRequest"].is_object() {
                    one("put", &request["PutRequest"], place, &found)
                } else {
                    one("delete", &request["DeleteRequest"], place, &found)
                }
            });
            views.collect()
        }
        operation => {
            let action = match operation {
                "PutItem" => "put",
                "UpdateItem" => "update",
                _ => "delete",
            };
            vec![one(action, &input, 0, &Found::of(call, &answer))]
        }
    }
}

/// The known result of a write's condition.
struct Found<'a> {
    held: Option<bool>,
    /// The item that was compared.
    item: Option<&'a Value>,
}

impl<'a> Found<'a> {
    /// By the reason of a cancelled transaction for this write, or by the response to a single write.
    fn of(call: &CallRecord, reason: &'a Value) -> Self {
        let item = Some(&reason["Item"]).filter(|item| item.is_object());
        let held = match reason["Code"].as_str() {
            _ if call.succeeded() => Some(true),
            Some("ConditionalCheckFailed") => Some(false),
            Some("None") => Some(true),
            Some(_) => None,
            None => {
                let failed = error(call).is_some_and(|it| it.starts_with("ConditionalCheckFailed"));
                failed.then_some(false)
            }
        };
        Self { held, item }
    }
}

/// The purpose of a write, by its table, or by the members of an item.
fn kind(table: &str, key: &str, item: &Value) -> WriteKind {
    let has = |name: &str| item.get(name).is_some();
    match kind_of_table(table) {
        WriteKind::State if has("eventId") && has("eventType") && has("occurredAt") => {
            WriteKind::OutboxRow
        }
        // The lifecycle keeps both kinds in one table.
        WriteKind::IdempotencyRecord if key.contains("inbox#") => WriteKind::InboxEntry,
        kind => kind,
    }
}

/// The kind of a table's items, by its logical id.
fn kind_of_table(table: &str) -> WriteKind {
    let name = table.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["outbox"]) {
        WriteKind::OutboxRow
    } else if has(&["inbox"]) {
        WriteKind::InboxEntry
    } else if has(&["idempotency", "ledger"]) {
        WriteKind::IdempotencyRecord
    } else if has(&["limits"]) {
        WriteKind::Counter
    } else {
        WriteKind::State
    }
}

/// The writes to an item.
pub(in crate::activity) fn history(
    found: &[WriteSnapshot],
    redaction: &Redaction,
) -> Vec<ItemWrite> {
    let view = |snapshot: &WriteSnapshot| {
        let write = writes(&snapshot.call, redaction).into_iter().nth(snapshot.place)?;
        Some(ItemWrite {
            at: snapshot.call.at,
            invocation: snapshot.invocation.to_string(),
            function: snapshot.function.to_string(),
            request: snapshot.request.clone(),
            outcome: outcome(&snapshot.call, snapshot.has_ended),
            write,
        })
    };
    found.iter().filter_map(view).collect()
}
