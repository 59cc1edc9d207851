//! Consumer of the outbox's stream: relays events to the queues that subscribe to them.

use domain::events::{SUBSCRIBED, relay};
use lifecycle::Consumer;
use lifecycle::commit::{OUTBOX, OutboxRow};
use lifecycle::prelude::*;

fn main() -> ExitCode {
    aws::consume(|_| RelayOutbox)
}

struct RelayOutbox;

impl Consumer for RelayOutbox {
    const SOURCE: Source = Source::Stream(OUTBOX);

    /// A row may be relayed twice: each consumer stores the ids of the events it has handled.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources =
        &[Resource::Table(OUTBOX, &[PutItem]), Resource::Queues(SUBSCRIBED)];

    // 4. Deserialisation
    type Input = OutboxRow;

    // 5. Syntax validation: none; the subscribers validate the event's data
    type Command = OutboxRow;

    // 6. Retrieval: nothing is needed
    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &OutboxRow) -> Retrieved<()> {
        Ok(())
    }

    // 7. and 8. The same envelope, to every subscriber. The update that marks the row as relayed
    // comes through the stream too, and has no effects.
    fn decide(moment: &Moment, row: &OutboxRow, (): ()) -> Result<Effects, DomainError> {
        Ok(relay(row, moment.now()))
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{moment, outbox_row};
    use domain::resources::{CUSTOMER_APPROVALS, EMAILS};
    use lifecycle::commit::REFUSALS_MAX;
    use lifecycle::effects::{Content, WriteAction};
    use lifecycle::record::Record;

    use super::*;

    #[test]
    fn an_event_goes_unchanged_to_every_subscriber_and_is_marked_relayed() {
        let row = outbox_row("OrderCreated");
        let effects = RelayOutbox::decide(&moment(), &row, ()).unwrap();
        let queues: Vec<_> = effects.messages().iter().map(|message| message.queue).collect();
        assert_eq!(queues, [CUSTOMER_APPROVALS, EMAILS]);
        for message in effects.messages() {
            assert_eq!(message.content, Content::Forward(Box::new(row.envelope.clone())));
        }
        let WriteAction::Put(noted) = &effects.writes()[0].action else { panic!("not stored") };
        assert!(noted.contains_key("relayedAt") && !noted.contains_key("by_waiting_pk"));
    }

    #[test]
    fn the_messages_of_an_event_are_in_the_group_of_its_account() {
        let mut row = outbox_row("OrderCreated");
        let groups = |row: &OutboxRow| {
            let effects = RelayOutbox::decide(&moment(), row, ()).unwrap();
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
            let effects = RelayOutbox::decide(&moment(), &row, ()).unwrap();
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
        assert!(RelayOutbox::decide(&moment(), &row, ()).unwrap().is_empty());
        let WriteAction::Put(retried) = row.retried(moment().now()).action else { panic!() };
        let retried = OutboxRow::of_item(retried).unwrap();
        assert_eq!((retried.refusals, retried.indexed().len()), (0, 1));
    }

    #[test]
    fn an_event_without_subscribers_is_only_marked_relayed() {
        let effects = RelayOutbox::decide(&moment(), &outbox_row("NobodyCares"), ()).unwrap();
        assert_eq!((effects.messages().len(), effects.writes().len()), (0, 1));
    }

    #[test]
    fn a_relayed_row_has_no_effects() {
        let row = OutboxRow { relayed_at: Some(moment().now()), ..outbox_row("OrderCreated") };
        let effects = RelayOutbox::decide(&moment(), &row, ()).unwrap();
        assert_eq!((effects.messages().len(), effects.writes().len()), (0, 0));
    }
}
