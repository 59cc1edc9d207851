//! The sweeper of the outbox: on a schedule, it relays the rows that the stream has missed.

use std::marker::PhantomData;

use lifecycle::Consumer;
use lifecycle::commit::{BY_WAITING, OUTBOX, OUTBOX_ROW_SET_ASIDE, OutboxRow};
use lifecycle::prelude::*;
use lifecycle::relay::{Subscriptions, relay};
use lifecycle::telemetry::observe_error;

use crate::{Found, Range, Table};

/// Serves the schedule that relays the rows of the outbox that the stream has missed.
///
/// A run relays up to 100 rows that have waited for two minutes, the oldest first. A row that cannot
/// be sent is moved behind the others: see [`OutboxRow::moved_back`]. One that cannot be read is set
/// aside: see [`OutboxRow::set_aside_unreadable`].
pub fn sweep_outbox<S: Subscriptions>() -> ExitCode {
    crate::consume(|aws| SweepOutbox::<S> { outbox: aws.table(), subscriptions: PhantomData })
}

struct SweepOutbox<S> {
    outbox: Table<OutboxRow>,
    subscriptions: PhantomData<fn() -> S>,
}

/// The stream has missed a row that waits longer: it takes less than a second.
const WAITING_S_MAX: i64 = 120;
/// The maximum number of rows in one run; each is relayed separately.
const ROWS_MAX: usize = 100;

impl<S: Subscriptions> Consumer for SweepOutbox<S> {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));

    /// A row may be relayed twice: each consumer stores the ids of the events it has handled.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources = &[
        Resource::Table(OUTBOX, &[PutItem]),
        Resource::Index(OUTBOX, BY_WAITING),
        Resource::Queues(S::QUEUES),
    ];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: a run carries no data
    type Command = ScheduledRun;

    // 6. Retrieval: the overdue rows, the oldest first, unreadable ones included. They are logged
    // and counted here, because a decision has no effect except its result.
    type Facts = Vec<Found<OutboxRow>>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Self::Facts> {
        let latest = permit.moment().now().plus_seconds(-WAITING_S_MAX);
        let overdue = Range::sharded(BY_WAITING).up_to(latest);
        let rows = self.outbox.everything_in(permit, &overdue, ROWS_MAX).await?;
        if !rows.is_empty() {
            tracing::warn!(rows = rows.len(), "relaying overdue rows of the outbox");
        }
        for _ in rows.iter().filter(|row| matches!(row, Found::Unreadable(_))) {
            observe_error(OUTBOX_ROW_SET_ASIDE);
        }
        Ok(rows)
    }

    // 7. and 8. Each row is relayed separately, in the same way as from the stream. A row whose queue
    // fails waits behind the others, and an unreadable one is set aside: every run would find them again
    fn decide(
        moment: &Moment,
        _: &ScheduledRun,
        rows: Self::Facts,
    ) -> Result<Effects, DomainError> {
        let part = |row: &Found<OutboxRow>| match row {
            Found::Record(row) => {
                let behind = Effects::none().write(row.moved_back(moment.now()));
                relay::<S>(row, moment.now()).if_unsent(behind)
            }
            Found::Unreadable(item) => {
                let aside = OutboxRow::set_aside_unreadable(item, moment.now());
                aside.into_iter().fold(Effects::none(), Effects::write)
            }
        };
        Ok(rows.iter().map(part).fold(Effects::none(), Effects::part))
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::commit::SET_ASIDE_AT;
    use lifecycle::effects::{QueueName, WriteAction, text};
    use lifecycle::examples::{moment, outbox_row, scheduled_run};
    use lifecycle::record::{Record, item_of};

    use super::*;

    const APPROVALS: QueueName = QueueName::new("approvals");
    const EMAILS: QueueName = QueueName::new("emails");

    struct Shop;

    impl Subscriptions for Shop {
        const QUEUES: &'static [QueueName] = &[APPROVALS, EMAILS];

        fn subscribers(event_type: &str) -> &'static [QueueName] {
            if event_type == "OrderCreated" { Self::QUEUES } else { &[] }
        }
    }

    #[test]
    fn each_overdue_row_is_relayed_and_marked_separately() {
        let rows = ["OrderCreated", "NobodyCares"].map(|event| Found::Record(outbox_row(event)));
        let effects =
            SweepOutbox::<Shop>::decide(&moment(), &scheduled_run(), rows.into()).unwrap();
        let [created, other] = effects.parts() else { panic!("not one part per row") };
        let queues: Vec<_> = created.messages().iter().map(|message| message.queue).collect();
        assert_eq!(queues, [APPROVALS, EMAILS]);
        assert_eq!((created.writes().len(), other.writes().len()), (1, 1));
        assert!(effects.writes().is_empty() && effects.messages().is_empty());
    }

    #[test]
    fn a_row_that_is_not_sent_is_moved_behind_the_others() {
        let mut row = outbox_row("OrderCreated");
        row.envelope.occurred_at = moment().now().plus_seconds(-WAITING_S_MAX);
        let rows = vec![Found::Record(row.clone())];
        let effects = SweepOutbox::<Shop>::decide(&moment(), &scheduled_run(), rows).unwrap();
        let unsent = effects.parts()[0].unsent().expect("it has effects if it is not sent");
        let WriteAction::Put(moved) = &unsent.writes()[0].action else { panic!("no put") };
        let read = item_of(&row);
        assert_eq!(moved.get("pk"), read.get("pk"));
        assert_ne!(moved.get("by_waiting_sk"), read.get("by_waiting_sk"));
        assert_eq!(OutboxRow::of_item(moved.clone()).unwrap().refusals, 0, "it is no refusal");
    }

    #[test]
    fn a_row_with_a_key_that_is_not_its_events_cannot_be_read() {
        let item = item_of(&outbox_row("OrderCreated"));
        assert!(OutboxRow::of_item(item.clone()).is_ok());
        for (name, value) in [("pk", "poison"), ("sk", "poison"), ("eventId", "")] {
            let mut odd = item.clone();
            odd.insert(name.to_owned(), text(value));
            assert!(OutboxRow::of_item(odd).is_err(), "{name}");
        }
    }

    #[test]
    fn an_unreadable_row_leaves_the_index_and_keeps_its_data() {
        let mut item = item_of(&outbox_row("OrderCreated"));
        item.remove("eventType");
        let rows = vec![Found::Unreadable(item.clone()), Found::Record(outbox_row("OrderCreated"))];
        let effects = SweepOutbox::<Shop>::decide(&moment(), &scheduled_run(), rows).unwrap();
        let WriteAction::Put(kept) = &effects.parts()[0].writes()[0].action else {
            panic!("not kept")
        };
        assert!(kept.contains_key(SET_ASIDE_AT) && !kept.contains_key("by_waiting_pk"));
        assert_eq!((kept.get("data"), kept.get("pk")), (item.get("data"), item.get("pk")));
        assert_eq!(effects.parts()[1].messages().len(), 2, "the next row is relayed");
    }
}
