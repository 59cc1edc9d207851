//! The relay of the outbox: sends each event to the queues that subscribe to it.

use serde_json::Value;

use crate::Timestamp;
use crate::commit::OutboxRow;
use crate::effects::{Effects, Message, QueueName};
use crate::envelope::Envelope;

/// The routing table of a service's events.
///
/// ```
/// use lifecycle::effects::QueueName;
/// use lifecycle::relay::Subscriptions;
///
/// const REMINDERS: QueueName = QueueName::new("reminders");
/// const FINES: QueueName = QueueName::new("fines");
///
/// struct LibraryEvents;
///
/// impl Subscriptions for LibraryEvents {
///     const QUEUES: &'static [QueueName] = &[REMINDERS, FINES];
///
///     fn subscribers(event_type: &str) -> &'static [QueueName] {
///         match event_type {
///             "BookLent" => &[REMINDERS],
///             "BookReturned" => &[REMINDERS, FINES],
///             _ => &[],
///         }
///     }
/// }
/// ```
pub trait Subscriptions: Send + Sync + 'static {
    /// The queues of all subscribers, for the IAM policy of the relay.
    const QUEUES: &'static [QueueName];

    /// Returns the queues that subscribe to an event; none for an event without subscribers.
    fn subscribers(event_type: &str) -> &'static [QueueName];

    /// Returns the message group of an event, such as the account that it is about: 1 to 128
    /// letters, digits and punctuation marks. The messages of a group with many events do not delay
    /// those of the others. By default, messages have no group.
    fn group(_envelope: &Envelope<Value>) -> Option<&str> {
        None
    }
}

/// Relays the event of a row: sends the same envelope to every subscriber, and marks the row.
///
/// If the mark is lost, the event is relayed again; its consumers recognise its id. A row that has
/// been relayed or set aside has no effects. A row that a queue refuses is retried after the
/// others, and is set aside after too many refusals. Each retry sends the event to all subscribers:
/// one that has it recognises its id, also when an operator retries the row weeks later.
pub fn relay<S: Subscriptions>(row: &OutboxRow, at: Timestamp) -> Effects {
    if row.relayed_at.is_some() || row.set_aside_at.is_some() {
        return Effects::none();
    }
    let queues = S::subscribers(&row.envelope.event_type).iter();
    let message = |queue: &QueueName| {
        let message = Message::forward(*queue, row.envelope.clone());
        match S::group(&row.envelope) {
            Some(group) => message.of_group(group),
            None => message,
        }
    };
    let (refused, counted) = row.refused(at);
    queues
        .map(message)
        .fold(Effects::none(), Effects::message)
        .write(row.relayed(at))
        .if_refused(Effects::none().write(refused), counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::REFUSALS_MAX;
    use crate::effects::{Content, WriteAction};
    use crate::examples::{moment, outbox_row};
    use crate::record::Record;

    const APPROVALS: QueueName = QueueName::new("approvals");
    const EMAILS: QueueName = QueueName::new("emails");

    struct Shop;

    impl Subscriptions for Shop {
        const QUEUES: &'static [QueueName] = &[APPROVALS, EMAILS];

        fn subscribers(event_type: &str) -> &'static [QueueName] {
            if event_type == "OrderCreated" { &[APPROVALS, EMAILS] } else { &[] }
        }

        fn group(envelope: &Envelope<Value>) -> Option<&str> {
            envelope.data["userId"].as_str()
        }
    }

    fn decide(row: &OutboxRow) -> Effects {
        relay::<Shop>(row, moment().now())
    }

    #[test]
    fn an_event_goes_unchanged_to_every_subscriber_and_is_marked_relayed() {
        let row = outbox_row("OrderCreated");
        let effects = decide(&row);
        let queues: Vec<_> = effects.messages().iter().map(|message| message.queue).collect();
        assert_eq!(queues, [APPROVALS, EMAILS]);
        for message in effects.messages() {
            assert_eq!(message.content, Content::Forward(Box::new(row.envelope.clone())));
        }
        let WriteAction::Put(noted) = &effects.writes()[0].action else { panic!("not stored") };
        assert!(noted.contains_key("relayedAt") && !noted.contains_key("by_waiting_pk"));
    }

    #[test]
    fn by_default_messages_have_no_group() {
        struct Plain;

        impl Subscriptions for Plain {
            const QUEUES: &'static [QueueName] = &[EMAILS];

            fn subscribers(_: &str) -> &'static [QueueName] {
                &[EMAILS]
            }
        }

        let effects = relay::<Plain>(&outbox_row("OrderCreated"), moment().now());
        let [message] = effects.messages() else { panic!("{effects:?}") };
        assert_eq!(message.group, None);
    }

    #[test]
    fn the_messages_of_an_event_are_in_the_group_of_its_account() {
        let mut row = outbox_row("OrderCreated");
        let groups = |row: &OutboxRow| {
            let effects = decide(row);
            effects.messages().iter().map(|message| message.group.clone()).collect::<Vec<_>>()
        };
        assert_eq!(groups(&row), [None, None]);
        row.envelope.data["userId"] = "ann".into();
        assert_eq!(groups(&row), [Some("ann".to_owned()), Some("ann".to_owned())]);
    }

    #[test]
    fn a_row_that_a_queue_refuses_is_retried_last_and_finally_set_aside() {
        let mut row = outbox_row("OrderCreated");
        for refusal in 1..=REFUSALS_MAX {
            let effects = decide(&row);
            let instead = effects.instead().expect("there are effects for a refusal");
            let WriteAction::Put(item) = &instead.writes()[0].action else { panic!("not stored") };
            row = OutboxRow::of_item(item.clone()).unwrap();
            assert_eq!(row.refusals, refusal);
            let last = refusal == REFUSALS_MAX;
            assert_eq!((row.set_aside_at.is_some(), row.indexed().is_empty()), (last, last));
            if let [place] = &*row.indexed() {
                assert!(place.position.starts_with(&moment().now().to_string()));
            }
        }
        assert!(decide(&row).is_empty());
        let WriteAction::Put(retried) = row.retried(moment().now()).action else { panic!() };
        let retried = OutboxRow::of_item(retried).unwrap();
        assert_eq!((retried.refusals, retried.indexed().len()), (0, 1));
    }

    #[test]
    fn an_event_without_subscribers_is_only_marked_relayed() {
        let effects = decide(&outbox_row("NobodyCares"));
        assert_eq!((effects.messages().len(), effects.writes().len()), (0, 1));
    }

    #[test]
    fn a_relayed_row_has_no_effects() {
        let row = OutboxRow { relayed_at: Some(moment().now()), ..outbox_row("OrderCreated") };
        let effects = decide(&row);
        assert_eq!((effects.messages().len(), effects.writes().len()), (0, 0));
    }
}
