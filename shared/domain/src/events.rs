//! The routing table of the outbox's relay: the queues that subscribe to each event.

use lifecycle::Timestamp;
use lifecycle::commit::OutboxRow;
use lifecycle::effects::{Effects, EventData, Message, QueueName};
use lifecycle::envelope::Envelope;
use serde_json::Value;

use crate::notices::NoticeDue;
use crate::orders::{
    ApprovalLapsed, CustomerDecided, OrderApproved, OrderCreated, OrderDeleted, OrderRejected,
    OrderTimedOut,
};
use crate::resources::{
    CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, NOTIFICATIONS, ORDER_PROJECTIONS,
};

/// Relays the event of a row: sends the same envelope to every subscriber, and marks the row.
///
/// If the mark is lost, the event is relayed again; its consumers recognise its id. The messages of
/// one account are a group, so that a customer with many orders does not delay the others. A row
/// that has been relayed or set aside has no effects. A row that a queue refuses is retried after
/// the others, and is set aside after too many refusals.
pub fn relay(row: &OutboxRow, at: Timestamp) -> Effects {
    if row.relayed_at.is_some() || row.set_aside_at.is_some() {
        return Effects::none();
    }
    let queues = subscribers(&row.envelope.event_type).iter();
    let message = |queue: &QueueName| {
        let message = Message::forward(*queue, row.envelope.clone());
        match account(&row.envelope) {
            Some(account) => message.of_group(account),
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

/// The message group of mails that clients without a sign-in request: together they delay mails
/// about orders no more than one customer does.
pub const ANONYMOUS: &str = "anonymous";

/// The account that an event is about. The messages of an event without one have no group.
fn account(envelope: &Envelope<Value>) -> Option<&str> {
    envelope.data["userId"].as_str()
}

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

/// The queues of all [`subscribers`].
pub const SUBSCRIBED: &[QueueName] =
    &[CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, NOTIFICATIONS, ORDER_PROJECTIONS];

#[cfg(test)]
mod tests {
    use super::*;

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
                assert!(SUBSCRIBED.contains(queue), "{event_type} goes to {}", queue.name());
            }
        }
    }
}
