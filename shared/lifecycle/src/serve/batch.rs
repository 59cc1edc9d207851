//! Batches of records, from a queue, a stream or the clock: each record on its own, through
//! stages 4 to 8.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::Shared;
use super::after::{Aftermath, Tertiary};
use super::http::{guarded, pause};
use super::lambda::{self, Answer, Handled, Invocation};
use super::postpone::postpone;
use super::records::{Content, Group, Raw, groups_of};
use crate::commit::{Cause, Outcome, commit, outgoing};
use crate::consumer::{Consumer, Delivered, Delivery, Inbox, Source, inbox_key};
use crate::effects::{Effects, Queue, Write};
use crate::failure::{Failure, Fault, Rejection, Violations};
use crate::idempotency::{LEDGER, absent_or_expired};
use crate::record::{Key, Record, Table};
use crate::telemetry::line::{lines_of_noted, metric, millis};
use crate::telemetry::{Observations, TraceContext, observed};
use crate::{Deadline, Moment, Permit, Timestamp};

/// How long a consumed record is remembered: as long as a queue can keep a message.
const REMEMBERED_S: i64 = 14 * 24 * 60 * 60;

/// Serves one consumer.
pub(crate) struct Handler<C> {
    pub(crate) consumer: C,
    pub(crate) shared: Arc<Shared>,
}

#[async_trait]
impl<C: Consumer> lambda::Handler for Handler<C> {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let groups = match groups_of(C::SOURCE, &invocation.event) {
            Ok(groups) => groups,
            Err(error) => {
                tracing::error!(error, "not an event of this consumer's source");
                return Handled { answer: Err("unreadable event".to_owned()), aftermath: None };
            }
        };
        let consumed = stream::iter(groups)
            .map(|group| self.consume_group(group, invocation.deadline))
            .buffer_unordered(C::CONCURRENCY.max(1))
            .collect::<Vec<GroupConsumed>>()
            .await;
        let (failed, lines): (Vec<_>, Vec<_>) =
            consumed.into_iter().map(|group| (group.failed, group.lines)).unzip();
        postpone(&*self.shared.platform, C::SOURCE, &failed, invocation.deadline).await;
        let answer = answer_of(C::SOURCE, &failed);
        let aftermath = Aftermath {
            shared: Arc::clone(&self.shared),
            deadline: invocation.deadline,
            lines: lines.concat(),
            spans: None,
            tertiary: Tertiary::default(),
        };
        Handled { answer, aftermath: Some(aftermath) }
    }
}

/// Which records are to come again. Of a schedule's run, the only record there is, it is told by
/// the failure of the invocation.
fn answer_of(source: Source, failed: &[Vec<Raw>]) -> Result<Answer, String> {
    let failed = failed.iter().flatten();
    let failed: Vec<Value> = failed.map(|raw| json!({ "itemIdentifier": raw.item_id })).collect();
    if source == Source::Schedule && !failed.is_empty() {
        return Err("the run failed".to_owned());
    }
    Ok(Answer::Json(json!({ "batchItemFailures": failed })))
}

#[derive(Default)]
struct GroupConsumed {
    /// The record that failed, and those behind it.
    failed: Vec<Raw>,
    lines: Vec<String>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It had its effects.
    Consumed,
    /// It had had its effects before.
    Repeated,
    /// A rule said no; it is remembered as consumed.
    Refused,
    /// It cannot be understood, and is in the dead-letter queue.
    Buried,
}

impl<C: Consumer> Handler<C> {
    /// Consumes records one after the other. Behind one that fails, none is touched: they come
    /// again in order.
    async fn consume_group(&self, group: Group, deadline: Deadline) -> GroupConsumed {
        let mut consumed = GroupConsumed::default();
        let mut records = group.into_iter();
        for raw in records.by_ref() {
            if !self.consume(&raw, deadline, &mut consumed.lines).await {
                consumed.failed.push(raw);
                break;
            }
        }
        consumed.failed.extend(records);
        consumed
    }

    /// Consumes one record, and tells whether it is done with.
    async fn consume(&self, raw: &Raw, deadline: Deadline, lines: &mut Vec<String>) -> bool {
        let started = Instant::now();
        let at = Timestamp::now();
        let understood = raw.understand::<C>();
        let input = understood.as_ref().ok();
        let record_id = input.and_then(Delivery::event_id).unwrap_or(&raw.record_id).to_owned();
        let request_id = input.and_then(Delivery::request_id).unwrap_or(&record_id).to_owned();
        let parent = input.and_then(Delivery::traceparent);
        let trace = TraceContext::continued(parent, None, None);
        let observations = Observations::of(request_id.clone(), Some(trace.clone()));
        let cause = Cause { request_id: request_id.clone(), traceparent: Some(trace.to_string()) };

        let delivered = Delivered { record_id: record_id.clone(), deliveries: raw.deliveries };
        let permit = Permit::new(delivered, Moment::of_record(at, &record_id), deadline);
        let stages = async {
            match understood.and_then(C::parse) {
                Ok(command) => self.settle(&permit, &command, &cause).await,
                Err(violations) => self.bury(raw, &violations).await,
            }
        };
        let fate = observed(Arc::clone(&observations), guarded(deadline, stages)).await;

        let service = &self.shared.settings.service;
        let told =
            fate.as_ref().map_or_else(|_| "failed".to_owned(), |f| format!("{f:?}").to_lowercase());
        let labels = [("source", source_name(C::SOURCE)), ("outcome", &told)];
        let mut line = metric(service, at, &labels, "records_total", "Count", 1);
        let facts = json!({
            "level": if fate.is_err() { "ERROR" } else { "INFO" },
            "timestamp": at,
            "message": "record",
            "function": self.shared.settings.function,
            "recordId": record_id,
            "requestId": request_id,
            "traceId": trace.trace_id(),
            "deliveries": raw.deliveries,
            "durationMs": millis(started.elapsed()),
            "error": fate.as_ref().err().map(ToString::to_string),
        });
        merge(&mut line, &facts);
        lines.push(line);
        lines.extend(lines_of_noted(service, at, &observations.noted()));
        fate.is_ok()
    }

    /// Stages 6 to 8, again while the facts move and there is time.
    async fn settle(
        &self,
        permit: &Permit<Delivered>,
        command: &C::Command,
        cause: &Cause,
    ) -> Result<Fate, Failure> {
        let platform = &*self.shared.platform;
        let moment = permit.moment();
        let inbox = (C::INBOX == Inbox::Remembered)
            .then(|| Consumed::of(C::SOURCE, &permit.caller().record_id, moment.now()));
        if let Some(inbox) = &inbox
            && platform.read(LEDGER, &inbox.key()).await?.is_some()
        {
            return Ok(Fate::Repeated);
        }
        for attempts in 1.. {
            // 6. Retrieval, and 7. business rules.
            let facts = self.consumer.retrieve(permit, command).await?;
            let (effects, fate) = match C::decide(moment, command, facts) {
                Ok(effects) => (effects, Fate::Consumed),
                Err(rejection) => (refused(&rejection), Fate::Refused),
            };
            // 8. Side effects. What is sent comes first: it may be sent again, but not be lost.
            self.dispatch(&effects, moment, cause).await?;
            let note = inbox.as_ref().map(|i| Write::put(i).when(absent_or_expired(moment.now())));
            match commit(platform, &effects, note, C::USES, moment, cause).await? {
                Outcome::Committed => return Ok(fate),
                Outcome::Known(_) => return Ok(Fate::Repeated),
                Outcome::Rejected(rejection) => {
                    tracing::info!(
                        code = rejection.code,
                        "a condition of the record's effects failed"
                    );
                    pause(attempts, permit.deadline()).await?;
                }
                Outcome::Moved => pause(attempts, permit.deadline()).await?,
            }
        }
        unreachable!("the last pause is an error")
    }

    async fn dispatch(
        &self,
        effects: &Effects,
        moment: &Moment,
        cause: &Cause,
    ) -> Result<(), Fault> {
        let platform = &*self.shared.platform;
        if !effects.messages().is_empty() {
            let messages = outgoing(effects.messages(), moment, cause);
            if let Some((_, fault)) = platform.send(&messages).await.into_iter().next() {
                return Err(fault);
            }
        }
        for mail in effects.mails() {
            platform.mail(mail).await?;
        }
        for notice in effects.notices() {
            platform.notify(notice).await?;
        }
        Ok(())
    }

    async fn bury(&self, raw: &Raw, violations: &Violations) -> Result<Fate, Failure> {
        let reasons = violations.iter().map(|found| format!("{} {}", found.field, found.message));
        let reason = reasons.collect::<Vec<_>>().join("; ");
        tracing::error!(reason, "a record cannot be understood");
        let body = match &raw.content {
            Content::Text(text) => text.clone(),
            Content::Item(item) => serde_dynamo::from_item::<_, Value>(item.clone())
                .map_or_else(|error| error.to_string(), |value| value.to_string()),
        };
        let queue = dead_letters(C::SOURCE).ok_or_else(|| Fault::internal(reason.clone()))?;
        self.shared.platform.bury(queue, &body, &reason).await?;
        Ok(Fate::Buried)
    }
}

/// A refused record has no effects; that it was refused is told to the log.
fn refused(rejection: &Rejection) -> Effects {
    tracing::warn!(code = rejection.code, reason = %rejection.message, "a record is refused");
    Effects::none()
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Queue(queue) => queue.name(),
        Source::Stream(table) => table.name(),
        Source::Schedule => "schedule",
    }
}

/// The queue whose dead-letter queue takes what cannot be understood; for a stream, the one that
/// is named after the table. A schedule has none.
pub(crate) fn dead_letters(source: Source) -> Option<Queue> {
    (source != Source::Schedule).then(|| Queue::new(source_name(source)))
}

/// That a record was consumed, as the ledger keeps it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consumed {
    source: String,
    record_id: String,
    expires_at: i64,
}

impl Consumed {
    fn of(source: Source, record_id: &str, now: Timestamp) -> Self {
        Self {
            source: source_name(source).to_owned(),
            record_id: record_id.to_owned(),
            expires_at: now.plus_seconds(REMEMBERED_S).as_seconds(),
        }
    }
}

impl Record for Consumed {
    const TABLE: Table = LEDGER;

    fn key(&self) -> Key {
        inbox_key(&self.source, &self.record_id)
    }
}

/// Adds facts to a line; what is null is left out.
fn merge(line: &mut String, facts: &Value) {
    let Ok(Value::Object(mut merged)) = serde_json::from_str(line) else {
        return;
    };
    if let Value::Object(facts) = facts {
        let told = facts.iter().filter(|(_, value)| !value.is_null());
        merged.extend(told.map(|(name, value)| (name.clone(), value.clone())));
    }
    *line = Value::Object(merged).to_string();
}
