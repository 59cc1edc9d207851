//! The relay of the outbox: the consumer of its stream.

use std::marker::PhantomData;

use lifecycle::Consumer;
use lifecycle::commit::{OUTBOX, OutboxRow};
use lifecycle::prelude::*;
use lifecycle::relay::{Subscriptions, relay};

/// Serves the consumer of the outbox's stream: it sends each event to the queues that subscribe to
/// it.
pub fn relay_outbox<S: Subscriptions>() -> ExitCode {
    crate::consume(|_| RelayOutbox::<S>(PhantomData))
}

struct RelayOutbox<S>(PhantomData<fn() -> S>);

impl<S: Subscriptions> Consumer for RelayOutbox<S> {
    const SOURCE: Source = Source::Stream(OUTBOX);

    /// A row may be relayed twice: each consumer stores the ids of the events it has handled.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources =
        &[Resource::Table(OUTBOX, &[PutItem]), Resource::Queues(S::QUEUES)];

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
        Ok(relay::<S>(row, moment.now()))
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::QueueName;
    use lifecycle::examples::{moment, outbox_row};

    use super::*;

    const EMAILS: QueueName = QueueName::new("emails");

    struct Shop;

    impl Subscriptions for Shop {
        const QUEUES: &'static [QueueName] = &[EMAILS];

        fn subscribers(_: &str) -> &'static [QueueName] {
            Self::QUEUES
        }
    }

    #[test]
    fn a_row_of_the_stream_is_relayed_to_its_subscribers() {
        let row = outbox_row("OrderCreated");
        let effects = RelayOutbox::<Shop>::decide(&moment(), &row, ()).unwrap();
        assert_eq!((effects.messages().len(), effects.messages()[0].queue), (1, EMAILS));
    }

    #[test]
    fn the_outbox_and_the_queues_of_all_subscribers_are_declared() {
        let declared = RelayOutbox::<Shop>::RESOURCES;
        assert_eq!(declared[0], Resource::Table(OUTBOX, &[PutItem]));
        assert_eq!(declared[1], Resource::Queues(&[EMAILS]));
    }
}
