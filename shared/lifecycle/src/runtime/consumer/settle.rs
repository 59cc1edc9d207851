//! Stages 6 to 8 of one record: decided until the commit succeeds, and sent once.

use std::collections::HashSet;

use serde_json::Value;

use super::super::guard::Retries;
use super::super::repetition::Repetition;
use super::outcome::RecordOutcome;
use crate::commit::{
    CommitOutcome, EventOrigin, OutboxRow, announced, commit, outgoing, send_in_order,
};
use crate::consumer::{Consumer, DeliveredMessage, Inbox, Source, inbox_key};
use crate::effects::{Effects, Write};
use crate::error::{DomainError, RequestError, ServiceError};
use crate::idempotency::{IDEMPOTENCY_KEYS, absent_or_expired};
use crate::ports::{Adapter, Outgoing, RefusedMessage};
use crate::record::{Key, Record, TableName};
use crate::telemetry::inspector::{Inspection, Stage};
use crate::telemetry::{Stages, mark_own, observe_error, restore_own};
use crate::{Permit, Timestamp};

/// How long a message may wait in its queue: SQS's maximum retention period.
const QUEUED_S_MAX: i64 = 14 * 24 * 60 * 60;

/// How long a processed record is remembered: a row of the outbox that was set aside may send it again.
const REMEMBERED_S: i64 = 60 * 24 * 60 * 60;

const _: () = assert!(
    REMEMBERED_S > OutboxRow::RELAYED_AGAIN_S + QUEUED_S_MAX,
    "an event that is relayed again has to be known to its consumers"
);

/// A record that is being processed.
pub(super) struct Settling<'a, C> {
    pub(super) consumer: &'a C,
    pub(super) adapter: &'a dyn Adapter,
    pub(super) permit: &'a Permit<DeliveredMessage>,
    pub(super) cause: &'a EventOrigin,
    /// Whether there is a collector for spans.
    pub(super) record_spans: bool,
    pub(super) inspection: &'a Inspection,
}

/// The ids that one delivery has sent, so that a retry of its commit sends nothing twice.
#[derive(Debug, Default)]
pub(super) struct Sent(HashSet<String>);

impl<C: Consumer> Settling<'_, C> {
    /// Stages 6 to 8, repeated while the facts are stale and time is left.
    pub(super) async fn settle(
        &self,
        command: &C::Command,
        stages: &mut Stages,
        spans: &mut Vec<Value>,
    ) -> Result<RecordOutcome, RequestError> {
        let moment = self.permit.moment();
        self.inspection.enter(Stage::Retrieval);
        let inbox = (C::INBOX == Inbox::Remembered)
            .then(|| Consumed::of(C::SOURCE, &self.permit.caller().record_id, moment.now()));
        if let Some(inbox) = &inbox {
            let stored = self.adapter.read(IDEMPOTENCY_KEYS, &inbox.key()).await?;
            stages.end("inbox");
            if stored.is_some_and(|stored| !Consumed::has_expired(stored, moment.now())) {
                return Ok(RecordOutcome::Duplicate);
            }
        }
        let mut sent = Sent::default();
        let mut repetition = Repetition::default();
        mark_own();
        for attempts in 1.. {
            restore_own();
            self.inspection.enter(Stage::Retrieval);
            // 6. Retrieval, and 7. business rules.
            let facts = self.consumer.retrieve(self.permit, command).await?;
            stages.end("retrieval");
            self.inspection.enter(Stage::Rules);
            let (mut effects, fate) = match C::decide(moment, command, facts) {
                Ok(effects) => (effects, RecordOutcome::Processed),
                Err(rejection) => {
                    self.inspection.rejected(&rejection);
                    (refused(&rejection), RecordOutcome::Rejected)
                }
            };
            stages.end("rules");
            self.inspection.enter(Stage::Effects);
            // 8. Side effects.
            let parts = effects.take_parts();
            if !parts.is_empty() {
                if inbox.is_some() || !effects.is_empty() {
                    let why =
                        "effects in parts need a consumer without an inbox and no other effects";
                    return Err(ServiceError::internal(why).into());
                }
                let done = self.perform_parts(parts, spans).await;
                stages.end("parts");
                return done.map(|()| fate);
            }
            if inbox.is_some() && !effects.announced().is_empty() {
                // The inbox would skip the next delivery, and with it an announcement that failed.
                let why = "announcements need a consumer without an inbox";
                return Err(ServiceError::internal(why).into());
            }
            if effects.take_unsent().is_some() {
                return Err(ServiceError::internal("only a part has effects if unsent").into());
            }
            // Messages are sent before the commit: a duplicate is acceptable, a loss is not.
            let instead = effects.take_instead();
            let dispatched = self.dispatch(&effects, self.cause, &mut sent, stages).await;
            let (effects, fate) = match (dispatched, instead) {
                (Ok(()), _) => (effects, fate),
                (Err(fault), Some(instead)) if RefusedMessage::is(&fault) => {
                    let error = RequestError::ServiceError(fault).to_string();
                    tracing::error!(
                        error,
                        counted = instead.counted,
                        "a queue refused a message; committing the replacement effects"
                    );
                    observe_error(instead.counted);
                    self.inspection.replaced(instead.counted, &error);
                    (instead.effects, RecordOutcome::Undeliverable)
                }
                (Err(fault), _) => return Err(fault.into()),
            };
            let note = inbox.as_ref().map(|i| Write::put(i).when(absent_or_expired(moment.now())));
            let outcome =
                commit(self.adapter, &effects, note, C::RESOURCES, moment, self.cause).await?;
            stages.end("commit");
            match outcome {
                CommitOutcome::Committed => {
                    self.announce(&effects, self.cause, stages).await?;
                    return Ok(fate);
                }
                // An earlier delivery has committed it, and may have failed to announce it.
                CommitOutcome::Duplicate(_) => {
                    self.announce(&effects, self.cause, stages).await?;
                    return Ok(RecordOutcome::Duplicate);
                }
                CommitOutcome::Rejected(rejection) => {
                    tracing::info!(
                        code = rejection.code,
                        "a condition of the record's effects failed; deciding again"
                    );
                }
                CommitOutcome::Stale(failed) => repetition.note(failed)?,
                CommitOutcome::Conflict => repetition.interrupt(),
            }
            self.permit.facts_were_stale();
            Retries::OF_RECORD.pause(attempts, self.permit.deadline()).await?;
        }
        unreachable!("the pause after the last attempt is an error")
    }

    /// Sends the announcements of a decision, or of a part of it, that is committed. If one is not
    /// sent, the record fails, and its next delivery or the next run finds the committed items.
    pub(super) async fn announce(
        &self,
        effects: &Effects,
        cause: &EventOrigin,
        stages: &mut Stages,
    ) -> Result<(), ServiceError> {
        if effects.announced().is_empty() {
            return Ok(());
        }
        let messages = announced(effects.announced(), self.permit.moment(), cause);
        let deadline = self.permit.deadline().instant();
        let failed = send_in_order(self.adapter, &messages, deadline).await;
        stages.end("announcements");
        // The first error is the cause of those behind it.
        failed.into_iter().next().map_or(Ok(()), |(_, fault)| Err(fault))
    }

    /// Sends everything that this delivery has not sent yet. Ids are the same in later attempts, so
    /// that receivers ignore duplicates.
    pub(super) async fn dispatch(
        &self,
        effects: &Effects,
        cause: &EventOrigin,
        sent: &mut Sent,
        stages: &mut Stages,
    ) -> Result<(), ServiceError> {
        let messages = outgoing(effects.messages(), self.permit.moment(), cause);
        let messages: Vec<Outgoing> =
            messages.into_iter().filter(|message| !sent.knows(&id_of(message))).collect();
        if !messages.is_empty() {
            let failed = self.adapter.send(&messages).await;
            stages.end("messages");
            let unsent = |index: usize| failed.iter().any(|(failed, _)| *failed == index);
            let gone = messages.iter().enumerate().filter(|(index, _)| !unsent(*index));
            gone.for_each(|(_, message)| sent.note(id_of(message)));
            // Errors that a retry may fix have priority: the record itself is at fault only if all
            // errors are refusals.
            let (refused, failed): (Vec<ServiceError>, Vec<ServiceError>) =
                failed.into_iter().map(|(_, fault)| fault).partition(RefusedMessage::is);
            if let Some(fault) = failed.into_iter().chain(refused).next() {
                return Err(fault);
            }
        }
        for mail in effects.mails() {
            let id = format!("mail#{}", mail.id);
            if !sent.knows(&id) {
                self.adapter.mail(mail).await?;
                sent.note(id);
                stages.end("mail");
            }
        }
        for post in effects.posts() {
            let id = format!("post#{}#{}", post.upstream.name(), post.id);
            if !sent.knows(&id) {
                self.adapter.post(post).await?;
                sent.note(id);
                stages.end("post");
            }
        }
        Ok(())
    }
}

impl Sent {
    fn knows(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    fn note(&mut self, id: String) {
        self.0.insert(id);
    }
}

fn id_of(message: &Outgoing) -> String {
    format!("message#{}#{}", message.queue.name(), message.envelope.event_id)
}

/// A rejected record has no effects; the rejection is logged.
fn refused(rejection: &DomainError) -> Effects {
    tracing::warn!(code = rejection.code, reason = %rejection.message, "a business rule rejected a record; it counts as processed");
    Effects::none()
}

/// The inbox entry of a processed record.
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
            source: source.name().to_owned(),
            record_id: record_id.to_owned(),
            expires_at: now.plus_seconds(REMEMBERED_S).as_seconds(),
        }
    }

    /// Whether the entry has expired but is not deleted yet. An unreadable entry is still valid.
    fn has_expired(stored: serde_dynamo::Item, now: Timestamp) -> bool {
        Self::of_item(stored).is_ok_and(|consumed| consumed.expires_at < now.as_seconds())
    }
}

impl Record for Consumed {
    const TABLE: TableName = IDEMPOTENCY_KEYS;

    fn key(&self) -> Key {
        inbox_key(&self.source, &self.record_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::QueueName;

    #[test]
    fn notes_of_released_versions_are_read() {
        let source = Source::Queue(QueueName::new("emails"));
        let now = Timestamp::from_millis(1_800_000_000_000);
        crate::released::holds::<Consumed>(&[Consumed::of(source, "event-1", now)]);
    }

    #[test]
    fn a_record_is_remembered_while_its_event_may_be_delivered_again() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let source = Source::Queue(QueueName::new("emails"));
        let expires_at = Consumed::of(source, "event-1", now).expires_at;
        // A row waits for 7 days, is set aside for 30 and waits for 7 again; its message waits for 14.
        assert!(expires_at > now.plus_seconds((7 + 30 + 7 + 14) * 24 * 60 * 60).as_seconds());
    }
}
