//! The routing table of events: the queues that subscribe to each, for the outbox's relay and for
//! events that are announced without a row.

use lifecycle::effects::{Event, EventData, Message, QueueName};
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

    fn group(envelope: &Envelope<Value>) -> Option<&str> {
        account_of(&envelope.data)
    }
}

/// The account that an event is about, so that a customer with many orders does not delay the
/// others.
fn account_of(data: &Value) -> Option<&str> {
    data["userId"].as_str()
}

/// The messages to the subscribers of an event that has no row in the outbox, because stored items
/// carry it: for [`Effects::announce_all`](lifecycle::effects::Effects::announce_all).
pub fn messages_about(event: &Event) -> Vec<Message> {
    let message = |queue: &QueueName| {
        let message = Message::new(*queue, event.clone());
        match account_of(&event.data) {
            Some(account) => message.of_group(account),
            None => message,
        }
    };
    subscribers(event.event_type).iter().map(message).collect()
}

/// The message group of mails that clients without a sign-in request: together they delay mails
/// about orders no more than one customer does.
pub const ANONYMOUS: &str = "anonymous";

/// The queues that subscribe to an event; none for an event without subscribers.
///
/// The last queue of `OrderCreated` is the one whose consumer moves the order on: an announcement
/// leaves queue after queue, so an order that is decided on has its mail in the other queue.
///
/// ```
/// use domain::{events, resources};
/// assert!(events::subscribers("OrderCreated").contains(&resources::CUSTOMER_APPROVALS));
/// assert!(events::subscribers("NobodyCares").is_empty());
/// ```
pub fn subscribers(event_type: &str) -> &'static [QueueName] {
    match event_type {
        OrderCreated::TYPE => &[EMAILS, CUSTOMER_APPROVALS],
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
    use lifecycle::effects::Content;
    use lifecycle::relay::relay;

    use super::*;
    use crate::examples::{moment, outbox_row, pending_order};

    /// The queues of each event of the contract.
    const ROUTES: [(&str, &[QueueName]); 8] = [
        ("OrderCreated", &[EMAILS, CUSTOMER_APPROVALS]),
        ("CustomerDecided", &[CUSTOMER_SAGA]),
        ("OrderApproved", &[ORDER_PROJECTIONS]),
        ("OrderRejected", &[CUSTOMER_APPROVALS]),
        ("OrderTimedOut", &[CUSTOMER_APPROVALS]),
        ("ApprovalLapsed", &[CUSTOMER_APPROVALS]),
        ("OrderDeleted", &[CUSTOMER_APPROVALS, ORDER_PROJECTIONS]),
        ("NoticeDue", &[NOTIFICATIONS]),
    ];

    #[test]
    fn each_event_goes_to_its_queues_and_each_of_them_is_subscribed() {
        for (event_type, queues) in ROUTES {
            assert_eq!(EventQueues::subscribers(event_type), queues, "{event_type}");
            for queue in queues {
                let name = queue.name();
                assert!(EventQueues::QUEUES.contains(queue), "{event_type} goes to {name}");
            }
        }
        assert!(EventQueues::subscribers("Unknown").is_empty());
        let unused = EventQueues::QUEUES
            .iter()
            .filter(|queue| !ROUTES.iter().any(|(_, queues)| queues.contains(queue)));
        assert_eq!(unused.count(), 0, "a subscribed queue gets no event");
    }

    #[test]
    fn a_new_order_goes_to_the_credit_check_and_the_mails_in_its_accounts_group() {
        assert_eq!(subscribers(OrderCreated::TYPE), [EMAILS, CUSTOMER_APPROVALS], "mails first");
        let mut row = outbox_row(OrderCreated::TYPE);
        assert_eq!(EventQueues::group(&row.envelope), None);
        row.envelope.data["userId"] = "ann".into();
        let effects = relay::<EventQueues>(&row, moment().now());
        let sent = effects.messages().iter().map(|sent| (sent.queue, sent.group.as_deref()));
        let expected = [(EMAILS, Some("ann")), (CUSTOMER_APPROVALS, Some("ann"))];
        assert_eq!(sent.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_announced_event_goes_where_the_relay_would_send_it() {
        let order = pending_order();
        let event = order.created_event();
        let sent = messages_about(&event);
        let queues: Vec<_> = sent.iter().map(|sent| sent.queue).collect();
        assert_eq!(queues, subscribers(OrderCreated::TYPE));
        for message in sent {
            assert_eq!(message.group, Some(order.user_id.to_string()));
            assert_eq!(message.content, Content::New(event.clone()));
        }
    }
}
