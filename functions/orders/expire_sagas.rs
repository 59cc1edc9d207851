//! On a schedule: sends the time-out of orders that are pending for too long, and announces orders
//! again that wait for their decision.

use std::time::Duration;

use aws::{Range, Table};
use domain::events::messages_about;
use domain::orders::{Order, OrderOverdue, is_announced_again};
use domain::resources::{BY_DEADLINE, CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, ORDERS};
use futures::future::try_join_all;
use lifecycle::prelude::*;
use lifecycle::record::IndexName;
use lifecycle::{Consumer, ServiceError, Timestamp};

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| ExpireSagas { orders: aws.table() })
}

struct ExpireSagas {
    orders: Table<Order>,
}

/// The maximum number of order lines in one run, of each kind of message and in each partition of
/// the index: an order takes as much memory as it has lines. A later run takes the rest.
const LINES_MAX: usize = 1_000;

/// Time reserved for sending: with less left, the run reads no further page.
const TIME_TO_SEND: Duration = Duration::from_secs(8);

/// Orders in one read of a partition.
const PAGE: usize = 100;

/// Orders in one part of the effects: as many as one batch of messages.
const PART: usize = 10;

/// The orders about which a run sends messages.
#[derive(Default)]
struct DueOrders {
    /// The pending orders after their deadline.
    overdue: Vec<Order>,
    /// The pending orders that may not have been announced.
    waiting: Vec<Order>,
}

impl Consumer for ExpireSagas {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));

    /// A repeated message does no harm: only a pending order times out, and an announced order is
    /// recognised by the id of its event.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources = &[
        Resource::Index(ORDERS, BY_DEADLINE),
        Resource::Queue(EMAILS),
        Resource::Queue(CUSTOMER_APPROVALS),
        Resource::Queue(CUSTOMER_SAGA),
    ];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: a run carries no data to check
    type Command = ScheduledRun;

    // 6. Retrieval: the pending orders with a message that is due. Overdue and waiting ones are read
    // at the same time, each up to a separate limit: neither kind takes the places of the other
    type Facts = DueOrders;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<DueOrders> {
        // A position is the deadline, a `#` and the id. `~` is behind `#`, so the end is behind all
        // orders whose deadline is this millisecond: they are overdue.
        let end = format!("{}~", permit.moment().now());
        let (overdue, waiting) = futures::try_join!(
            self.due(permit, OrderOverdue::is_due, |partition| partition.up_to(&end)),
            self.due(permit, is_announced_again, |partition| partition.after(&end)),
        )?;
        Ok(DueOrders { overdue, waiting })
    }

    // 7. and 8. Time-outs go to the queue of the credit decisions, so that one consumer settles all
    // orders. They are sent first. A part that fails does not stop the others
    fn decide(_: &Moment, _: &ScheduledRun, due: DueOrders) -> Result<Effects, DomainError> {
        let time_outs = due.overdue.chunks(PART).map(|orders| {
            let messages = orders.iter().map(time_out);
            messages.fold(Effects::none(), Effects::message)
        });
        let announcements = due.waiting.chunks(PART).map(|orders| {
            let messages = orders.iter().flat_map(|order| messages_about(&order.created_event()));
            Effects::none().announce_all(messages)
        });
        Ok(time_outs.chain(announcements).fold(Effects::none(), Effects::part))
    }
}

impl ExpireSagas {
    /// The due orders in a section of each partition of the index, by their deadlines.
    async fn due(
        &self,
        permit: &Permit<DeliveredMessage>,
        is_due: fn(&Order, Timestamp) -> bool,
        section: impl Fn(Range) -> Range,
    ) -> Result<Vec<Order>, ServiceError> {
        let ranges = IndexName::WRITE_SHARDS.map(|shard| section(Range::of(BY_DEADLINE, shard)));
        let found = ranges.map(|range| self.due_in(permit, is_due, range));
        let mut due: Vec<Order> = try_join_all(found).await?.into_iter().flatten().collect();
        due.sort_by_key(|order| order.settle_by);
        Ok(due)
    }

    /// The due orders of a range, by their deadlines, as many as there is time and memory for.
    async fn due_in(
        &self,
        permit: &Permit<DeliveredMessage>,
        is_due: fn(&Order, Timestamp) -> bool,
        mut range: Range,
    ) -> Result<Vec<Order>, ServiceError> {
        let now = permit.moment().now();
        let (mut due, mut lines) = (Vec::new(), 0);
        while lines < LINES_MAX && permit.deadline().left() > TIME_TO_SEND {
            let page = self.orders.first_of(permit, &range, PAGE).await?;
            let Some(last) = page.last().map(|found| found.position.clone()) else { break };
            let is_last = page.len() < PAGE;
            for order in page.into_iter().map(|found| found.record) {
                if lines < LINES_MAX && is_due(&order, now) {
                    lines += order.items.len();
                    due.push(order);
                }
            }
            if is_last {
                break;
            }
            range = range.after(last);
        }
        Ok(due)
    }
}

/// The message about an overdue order.
fn time_out(order: &Order) -> Message {
    let event = Event::about(order.order_id, &OrderOverdue::of(order));
    Message::new(CUSTOMER_SAGA, event).of_group(order.user_id.to_string())
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::examples::{moment, pending_order, scheduled_run};
    use lifecycle::effects::{Content, QueueName};
    use lifecycle::testing::Memory;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_overdue_order_sends_timed_out_to_the_saga() {
        let order = pending_order();
        let due = DueOrders { overdue: vec![order.clone()], ..DueOrders::default() };
        let effects = ExpireSagas::decide(&moment(), &scheduled_run(), due).unwrap();
        let [part] = effects.parts() else { panic!("not one part: {effects:?}") };
        assert!(part.announced().is_empty());
        let [message] = part.messages() else { panic!("not one message: {part:?}") };
        assert_eq!(message.queue, CUSTOMER_SAGA);
        let Content::New(event) = &message.content else { panic!("not new: {message:?}") };
        assert_eq!(event.data["orderId"], order.order_id.to_string());
        assert_eq!(event.data["orderType"], "TIMED_OUT");
        assert_eq!(message.group, Some(order.user_id.to_string()));
    }

    #[test]
    fn an_order_that_waits_for_its_decision_is_announced_again_by_the_id_of_its_event() {
        let order = pending_order();
        let due = DueOrders { waiting: vec![order.clone()], ..DueOrders::default() };
        let effects = ExpireSagas::decide(&moment(), &scheduled_run(), due).unwrap();
        let [part] = effects.parts() else { panic!("not one part: {effects:?}") };
        let queues: Vec<_> = part.announced().iter().map(|message| message.queue).collect();
        assert_eq!((queues, part.messages().len()), (vec![EMAILS, CUSTOMER_APPROVALS], 0));
        for message in part.announced() {
            let Content::New(event) = &message.content else { panic!("not new: {message:?}") };
            assert_eq!(event.id, order.created_event_id);
        }
    }

    #[test]
    fn time_outs_are_sent_before_announcements_and_in_parts_of_ten() {
        let orders = |count| vec![pending_order(); count];
        let due = DueOrders { overdue: orders(25), waiting: orders(5) };
        let effects = ExpireSagas::decide(&moment(), &scheduled_run(), due).unwrap();
        let parts = effects.parts().iter();
        let sizes: Vec<_> =
            parts.map(|part| (part.messages().len(), part.announced().len())).collect();
        assert_eq!(sizes, [(10, 0), (10, 0), (5, 0), (0, 10)]);
    }

    #[test]
    fn a_run_without_orders_has_no_effects() {
        let due = DueOrders::default();
        let effects = ExpireSagas::decide(&moment(), &scheduled_run(), due).unwrap();
        assert!(effects.is_empty());
    }

    #[tokio::test]
    async fn hundreds_of_overdue_orders_do_not_keep_waiting_ones_from_their_announcement() {
        let memory = Memory::new();
        let now = moment().now();
        for number in 0..510 {
            let overdue = Order { settle_by: now.plus_seconds(-1), ..placed(number) };
            memory.put(&overdue);
        }
        for number in 510..520 {
            memory.put(&placed(number));
        }
        let expire_sagas =
            InMemory::new(&memory).consumer(|aws| ExpireSagas { orders: aws.table() });

        let run = expire_sagas.at(now).run("run-1").await;

        assert!(run.failed.is_empty(), "{run:?}");
        let sent = memory.messages();
        let count = |queue: QueueName| sent.iter().filter(|message| message.queue == queue).count();
        assert_eq!([CUSTOMER_SAGA, EMAILS, CUSTOMER_APPROVALS].map(count), [510, 10, 10]);
    }

    /// A pending order that was placed a minute ago.
    fn placed(number: u128) -> Order {
        let created_at = moment().now().plus_seconds(-60);
        let settle_by = created_at.plus_seconds(900);
        let order_id = Uuid::from_u128(number).into();
        Order { order_id, created_at, settle_by, ..pending_order() }
    }
}
