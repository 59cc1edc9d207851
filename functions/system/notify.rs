//! Consumer of the queue `notifications`: sends alerts about failures to the services that
//! operators watch.

use aws::alerts::{DATADOG, NEW_RELIC, NOTIFIERS, SLACK};
use aws::{AlertSender, Table};
use domain::notices::{AlertChannel, NoticeDue, NoticeLog, UpstreamFailed};
use domain::resources::{NOTICES, NOTIFICATIONS};
use lifecycle::effects::{EventData, Post};
use lifecycle::prelude::*;
use lifecycle::{Consumer, Upstream};
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| Notify { logs: aws.table(), notifiers: aws.notifiers() })
}

struct Notify {
    logs: Table<NoticeLog>,
    notifiers: AlertSender,
}

impl Consumer for Notify {
    const SOURCE: Source = Source::Queue(NOTIFICATIONS);

    const RESOURCES: Resources = &[
        Resource::Table(NOTICES, &[GetItem, PutItem, UpdateItem]),
        Resource::Outbox,
        Resource::Secret(NOTIFIERS),
        Resource::Upstream(SLACK),
        Resource::Upstream(DATADOG),
        Resource::Upstream(NEW_RELIC),
    ];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: a failure is counted; an alert that is due is delivered
    type Command = Notification;

    // 6. Retrieval: the last alert about this kind of failure, and the receivers
    type Facts = (Option<NoticeLog>, Vec<AlertChannel>);

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        notification: &Notification,
    ) -> Retrieved<Self::Facts> {
        let Notification::Failed(failed) = notification else {
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
        notification: &Notification,
        (log, receivers): Self::Facts,
    ) -> Result<Effects, DomainError> {
        Ok(match notification {
            Notification::Failed(failed) => {
                NoticeLog::tell(log.as_ref(), failed, &receivers, moment.now())
            }
            Notification::Due { due, event_id } => Effects::none().post(Post {
                id: event_id.clone(),
                upstream: service(due.receiver),
                json: due.body(event_id),
            }),
        })
    }
}

/// A message of the queue.
#[derive(Debug)]
enum Notification {
    /// An upstream has failed.
    Failed(UpstreamFailed),
    /// An alert to one receiver is due.
    Due { due: NoticeDue, event_id: String },
}

impl TryFrom<Envelope<Value>> for Notification {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Value>) -> Result<Self, FieldErrors> {
        let event_id = envelope.event_id.clone();
        match envelope.event_type.as_str() {
            UpstreamFailed::TYPE => envelope.read().map(Self::Failed),
            NoticeDue::TYPE => envelope.read().map(|due| Self::Due { due, event_id }),
            _ => Err(envelope.unknown_type()),
        }
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

#[cfg(test)]
mod tests {
    use domain::examples::{envelope, moment};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failure_makes_one_event_per_receiver_and_each_event_one_alert() {
        let receivers = vec![AlertChannel::Slack, AlertChannel::Datadog];
        let failed = Notification::try_from(envelope(UpstreamFailed::TYPE, failure())).unwrap();
        let effects = Notify::decide(&moment(), &failed, (None, receivers)).unwrap();
        assert_eq!((effects.writes().len(), effects.posts().len()), (1, 0));
        let [slack, datadog] = effects.events() else { panic!("{:?}", effects.events()) };
        for (event, receiver) in [(slack, AlertChannel::Slack), (datadog, AlertChannel::Datadog)] {
            let due =
                Notification::try_from(envelope(NoticeDue::TYPE, event.data.clone())).unwrap();
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
            assert!(Notification::try_from(envelope(event_type, data)).is_err(), "{event_type}");
        }
    }

    fn failure() -> Value {
        json!({ "upstream": "partner", "kind": "CIRCUIT_OPENED", "at": moment().now() })
    }
}
