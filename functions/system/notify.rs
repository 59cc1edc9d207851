//! Consumer of the queue `notifications`: sends alerts about failures to the services that
//! operators watch.

use std::process::ExitCode;

use aws::alerts::{DATADOG, NEW_RELIC, NOTIFIERS, SLACK};
use aws::{AlertSender, Table};
use domain::notices::{AlertChannel, NoticeDue, NoticeLog, UpstreamFailed};
use domain::resources::{NOTICES, NOTIFICATIONS};
use lifecycle::commit::OUTBOX;
use lifecycle::consumer::{DeliveredMessage, Source};
use lifecycle::effects::{Effects, EventData, Post};
use lifecycle::envelope::Envelope;
use lifecycle::resource::{Action, Resource};
use lifecycle::{Consumer, DomainError, FieldErrors, Moment, Permit, RetrieveError, Upstream};
use serde_json::Value;

fn main() -> ExitCode {
    aws::consume(|aws| Notify { logs: aws.table(), notifiers: aws.notifiers() })
}

struct Notify {
    logs: Table<NoticeLog>,
    notifiers: AlertSender,
}

impl Consumer for Notify {
    const SOURCE: Source = Source::Queue(NOTIFICATIONS);

    const RESOURCES: &'static [Resource] = &[
        Resource::Table(NOTICES, &[Action::GetItem, Action::PutItem, Action::UpdateItem]),
        Resource::Table(OUTBOX, &[Action::PutItem]),
        Resource::Secret(NOTIFIERS),
        Resource::Upstream(SLACK),
        Resource::Upstream(DATADOG),
        Resource::Upstream(NEW_RELIC),
    ];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: a failure is counted; an alert that is due is delivered
    type Command = Word;

    fn parse(envelope: Envelope<Value>) -> Result<Word, FieldErrors> {
        let event_id = envelope.event_id.clone();
        match envelope.event_type.as_str() {
            UpstreamFailed::TYPE => envelope.read().map(Word::Failed),
            NoticeDue::TYPE => envelope.read().map(|due| Word::Due { due, event_id }),
            _ => Err(envelope.unknown_type()),
        }
    }

    // 6. Retrieval: the last alert about this kind of failure, and the receivers
    type Facts = (Option<NoticeLog>, Vec<AlertChannel>);

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        word: &Word,
    ) -> Result<Self::Facts, RetrieveError> {
        let Word::Failed(failed) = word else {
            return Ok((None, Vec::new()));
        };
        let key = NoticeLog::key_of(failed);
        let (log, configured) =
            futures::try_join!(self.logs.get(permit, &key), self.notifiers.receivers(permit))?;
        let receivers = AlertChannel::ALL.into_iter();
        Ok((log, receivers.filter(|receiver| configured.contains(&service(*receiver))).collect()))
    }

    // 7. and 8. Each receiver has a separate message, so that only a receiver that is down is
    // retried
    fn decide(
        moment: &Moment,
        word: &Word,
        (log, receivers): Self::Facts,
    ) -> Result<Effects, DomainError> {
        Ok(match word {
            Word::Failed(failed) => NoticeLog::tell(log.as_ref(), failed, &receivers, moment.now()),
            Word::Due { due, event_id } => Effects::none().post(Post {
                id: event_id.clone(),
                upstream: service(due.receiver),
                json: due.body(event_id),
            }),
        })
    }
}

/// The service behind a channel.
fn service(channel: AlertChannel) -> Upstream {
    match channel {
        AlertChannel::Slack => SLACK,
        AlertChannel::Datadog => DATADOG,
        AlertChannel::NewRelic => NEW_RELIC,
    }
}

/// A message of the queue.
#[derive(Debug)]
enum Word {
    /// An upstream has failed.
    Failed(UpstreamFailed),
    /// An alert to one receiver is due.
    Due { due: NoticeDue, event_id: String },
}

#[cfg(test)]
mod tests {
    use domain::examples::{envelope, moment};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failure_makes_one_event_per_receiver_and_each_event_one_alert() {
        let receivers = vec![AlertChannel::Slack, AlertChannel::Datadog];
        let failed = Notify::parse(envelope(UpstreamFailed::TYPE, failure())).unwrap();
        let effects = Notify::decide(&moment(), &failed, (None, receivers)).unwrap();
        assert_eq!((effects.writes().len(), effects.posts().len()), (1, 0));
        let [slack, datadog] = effects.events() else { panic!("{:?}", effects.events()) };
        for (event, receiver) in [(slack, AlertChannel::Slack), (datadog, AlertChannel::Datadog)] {
            let due = Notify::parse(envelope(NoticeDue::TYPE, event.data.clone())).unwrap();
            let effects = Notify::decide(&moment(), &due, (None, Vec::new())).unwrap();
            let [post] = effects.posts() else { panic!("{:?}", effects.posts()) };
            assert_eq!((post.id.as_str(), post.upstream), ("event-1", service(receiver)));
        }
    }

    #[test]
    fn unknown_events_and_unreadable_data_are_poison() {
        for (event_type, data) in [
            ("OrderCreated", failure()),
            (UpstreamFailed::TYPE, json!({ "upstream": "partner" })),
            (NoticeDue::TYPE, failure()),
        ] {
            assert!(Notify::parse(envelope(event_type, data)).is_err(), "{event_type}");
        }
    }

    fn failure() -> Value {
        json!({ "upstream": "partner", "kind": "CIRCUIT_OPENED", "at": moment().now() })
    }
}
