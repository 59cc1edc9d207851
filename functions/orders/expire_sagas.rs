//! On a schedule: sends the time-out of orders that are pending for too long.

use std::time::Duration;

use aws::{Range, Table};
use domain::orders::{Order, OrderOverdue};
use domain::resources::{BY_DEADLINE, CUSTOMER_SAGA, ORDERS};
use lifecycle::Consumer;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| ExpireSagas { orders: aws.table() })
}

struct ExpireSagas {
    orders: Table<Order>,
}

/// The maximum number of orders in one run. The next run begins with the oldest ones again.
const MESSAGES_MAX: usize = 500;

/// Time reserved for sending: with less left, the run reads no further page.
const TIME_TO_SEND: Duration = Duration::from_secs(5);

/// Orders in one read. The run holds this many of each partition of the index in memory, with up to
/// 25 lines each.
const PAGE: usize = 100;

impl Consumer for ExpireSagas {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));

    /// A repeated message does no harm: only a pending order times out.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources =
        &[Resource::Index(ORDERS, BY_DEADLINE), Resource::Queue(CUSTOMER_SAGA)];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: a run carries no data to check
    type Command = ScheduledRun;

    // 6. Retrieval: the overdue pending orders whose message is due, the longest overdue first
    type Facts = Vec<Order>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Vec<Order>> {
        let now = permit.moment().now();
        let mut due = Vec::new();
        let mut range = Range::sharded(BY_DEADLINE).up_to(now);
        while due.len() < MESSAGES_MAX && permit.deadline().left() > TIME_TO_SEND {
            let page = self.orders.first_of(permit, &range, PAGE).await?;
            let Some(last) = page.last().map(|found| found.position.clone()) else { break };
            // After the first page the range has no upper bound: stop at the first later deadline.
            let ends = page.len() < PAGE || page.iter().any(|it| it.record.settle_by > now);
            let orders = page.into_iter().map(|found| found.record);
            due.extend(orders.filter(|order| OrderOverdue::is_due(order, now)));
            if ends {
                break;
            }
            range = Range::sharded(BY_DEADLINE).after(last);
        }
        due.truncate(MESSAGES_MAX);
        Ok(due)
    }

    // 7. and 8. The queue of the credit decisions, so that one consumer settles all orders
    fn decide(_: &Moment, _: &ScheduledRun, overdue: Vec<Order>) -> Result<Effects, DomainError> {
        Ok(overdue.iter().fold(Effects::none(), |effects, order| {
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
        let effects =
            ExpireSagas::decide(&moment(), &scheduled_run(), vec![order.clone()]).unwrap();
        let [message] = effects.messages() else { panic!("not one message: {effects:?}") };
        assert_eq!(message.queue, CUSTOMER_SAGA);
        let Content::New(event) = &message.content else { panic!("not new: {message:?}") };
        assert_eq!(event.data["orderId"], order.order_id.to_string());
        assert_eq!(event.data["orderType"], "TIMED_OUT");
        assert_eq!(message.group, Some(order.user_id.to_string()));
    }

    #[test]
    fn a_run_without_overdue_orders_has_no_effects() {
        let effects = ExpireSagas::decide(&moment(), &scheduled_run(), Vec::new()).unwrap();
        assert!(effects.messages().is_empty() && effects.writes().is_empty());
    }
}
