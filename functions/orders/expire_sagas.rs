//! On a schedule: sends the time-out of orders that are pending for too long, and announces orders
//! again that wait for their decision.

use std::time::Duration;

use aws::{Range, Table};
use domain::events::messages_about;
use domain::orders::{Order, OrderOverdue, announced_again};
use domain::resources::{BY_DEADLINE, CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, ORDERS};
use lifecycle::Consumer;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| ExpireSagas { orders: aws.table() })
}

struct ExpireSagas {
    orders: Table<Order>,
}

/// The maximum number of orders that one run sends messages about. The next run begins with the
/// oldest ones again.
const MESSAGES_MAX: usize = 500;

/// Time reserved for sending: with less left, the run reads no further page.
const TIME_TO_SEND: Duration = Duration::from_secs(5);

/// Orders in one read. The run holds this many of each partition of the index in memory, with up to
/// 25 lines each.
const PAGE: usize = 100;

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

    // 6. Retrieval: the pending orders with a message that is due, by their deadlines
    type Facts = Vec<Order>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Vec<Order>> {
        let now = permit.moment().now();
        let is_due = |order: &Order| {
            OrderOverdue::is_due(order, now) || announced_again(order, now).is_some()
        };
        let mut due = Vec::new();
        let mut range = Range::sharded(BY_DEADLINE);
        while due.len() < MESSAGES_MAX && permit.deadline().left() > TIME_TO_SEND {
            let page = self.orders.first_of(permit, &range, PAGE).await?;
            let Some(last) = page.last().map(|found| found.position.clone()) else { break };
            let ends = page.len() < PAGE;
            due.extend(page.into_iter().map(|found| found.record).filter(is_due));
            if ends {
                break;
            }
            range = Range::sharded(BY_DEADLINE).after(last);
        }
        due.truncate(MESSAGES_MAX);
        Ok(due)
    }

    // 7. and 8. Time-outs go to the queue of the credit decisions, so that one consumer settles all
    // orders
    fn decide(moment: &Moment, _: &ScheduledRun, due: Vec<Order>) -> Result<Effects, DomainError> {
        let now = moment.now();
        Ok(due.iter().fold(Effects::none(), |effects, order| {
            if let Some(event) = announced_again(order, now) {
                return effects.announce_all(messages_about(&event));
            }
            let event = Event::about(order.order_id, &OrderOverdue::of(order));
            let message = Message::new(CUSTOMER_SAGA, event);
            effects.message(message.of_group(order.user_id.to_string()))
        }))
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{moment, pending_order, scheduled_run};
    use lifecycle::effects::Content;

    use super::*;

    #[test]
    fn an_overdue_order_sends_timed_out_to_the_saga() {
        let order = pending_order();
        let late = Moment::new(order.settle_by, [1; 32]);
        let effects = ExpireSagas::decide(&late, &scheduled_run(), vec![order.clone()]).unwrap();
        assert!(effects.announced().is_empty());
        let [message] = effects.messages() else { panic!("not one message: {effects:?}") };
        assert_eq!(message.queue, CUSTOMER_SAGA);
        let Content::New(event) = &message.content else { panic!("not new: {message:?}") };
        assert_eq!(event.data["orderId"], order.order_id.to_string());
        assert_eq!(event.data["orderType"], "TIMED_OUT");
        assert_eq!(message.group, Some(order.user_id.to_string()));
    }

    #[test]
    fn an_order_that_waits_for_its_decision_is_announced_again_by_the_id_of_its_event() {
        let order = pending_order();
        let later = Moment::new(order.created_at.plus_seconds(120), [1; 32]);
        let effects = ExpireSagas::decide(&later, &scheduled_run(), vec![order.clone()]).unwrap();
        let queues: Vec<_> = effects.announced().iter().map(|message| message.queue).collect();
        assert_eq!((queues, effects.messages().len()), (vec![EMAILS, CUSTOMER_APPROVALS], 0));
        for message in effects.announced() {
            let Content::New(event) = &message.content else { panic!("not new: {message:?}") };
            assert_eq!(event.id, order.created_event_id);
        }
    }

    #[test]
    fn a_run_without_orders_has_no_effects() {
        let effects = ExpireSagas::decide(&moment(), &scheduled_run(), Vec::new()).unwrap();
        assert!(effects.is_empty());
    }
}
