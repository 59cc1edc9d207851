//! The routing table of the outbox's relay: the queues that subscribe to each event.

use lifecycle::effects::{EventData, QueueName};
use lifecycle::envelope::Envelope;
use lifecycle::relay::Subscriptions;
use serde_json::Value;

use crate::notices::NoticeDue;
use crate::orders::{
    ApprovalLapsed, CustomerDecided, OrderApproved, OrderCreated, OrderDeleted, OrderRejected,
    OrderTimedOut,
};
use crate::resources::{
    CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, NOTIFICATIONS, ORDER_PROJECTIONS,
};

/// The queues that subscribe to the store's events.
pub struct EventQueues;

impl Subscriptions for EventQueues {
    const QUEUES: &'static [QueueName] =
        &[CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, NOTIFICATIONS, ORDER_PROJECTIONS];

    fn subscribers(event_type: &str) -> &'static [QueueName] {
        subscribers(event_type)
    }

    /// The account that the event is about, so that a customer with many orders does not delay the
    /// others.
    fn group(envelope: &Envelope<Value>) -> Option<&str> {
        envelope.data["userId"].as_str()
    }
}

/// The message group of mails that clients without a sign-in request: together they delay mails
/// about orders no more than one customer does.
pub const ANONYMOUS: &str = "anonymous";

/// The queues that subscribe to an event; none for an event without subscribers.
///
/// ```
/// use domain::{events, resources};
/// assert!(events::subscribers("OrderCreated").contains(&resources::CUSTOMER_APPROVALS));
/// assert!(events::subscribers("NobodyCares").is_empty());
/// ```
pub fn subscribers(event_type: &str) -> &'static [QueueName] {
    match event_type {
        OrderCreated::TYPE => &[CUSTOMER_APPROVALS, EMAILS],
        CustomerDecided::TYPE => &[CUSTOMER_SAGA],
        OrderApproved::TYPE => &[ORDER_PROJECTIONS],
        OrderRejected::TYPE | OrderTimedOut::TYPE | ApprovalLapsed::TYPE => &[CUSTOMER_APPROVALS],
        OrderDeleted::TYPE => &[CUSTOMER_APPROVALS, ORDER_PROJECTIONS],
        NoticeDue::TYPE => &[NOTIFICATIONS],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::relay::relay;

    use super::*;
    use crate::examples::{moment, outbox_row};

    #[test]
    fn every_subscriber_is_among_the_subscribed_queues() {
        for event_type in [
            OrderCreated::TYPE,
            CustomerDecided::TYPE,
            OrderApproved::TYPE,
            OrderRejected::TYPE,
            OrderTimedOut::TYPE,
            ApprovalLapsed::TYPE,
            OrderDeleted::TYPE,
            NoticeDue::TYPE,
        ] {
            for queue in subscribers(event_type) {
                let name = queue.name();
                assert!(EventQueues::QUEUES.contains(queue), "{event_type} goes to {name}");
            }
        }
    }

    #[test]
    fn a_new_order_goes_to_the_credit_check_and_the_mails_in_its_accounts_group() {
        assert_eq!(subscribers(OrderCreated::TYPE), [CUSTOMER_APPROVALS, EMAILS]);
        let mut row = outbox_row(OrderCreated::TYPE);
        assert_eq!(EventQueues::group(&row.envelope), None);
        row.envelope.data["userId"] = "ann".into();
        let effects = relay::<EventQueues>(&row, moment().now());
        let sent = effects.messages().iter().map(|sent| (sent.queue, sent.group.as_deref()));
        let expected = [(CUSTOMER_APPROVALS, Some("ann")), (EMAILS, Some("ann"))];
        assert_eq!(sent.collect::<Vec<_>>(), expected);
    }
}
