//! Which queues hear of which events: the one routing table of the outbox's relay.

use lifecycle::Timestamp;
use lifecycle::commit::OutboxRow;
use lifecycle::effects::{Effects, EventData, Message, Queue};
use lifecycle::envelope::Envelope;
use serde_json::Value;

use crate::notices::NoticeDue;
use crate::orders::{
    ApprovalLapsed, CustomerDecided, OrderApproved, OrderCreated, OrderDeleted, OrderRejected,
    OrderTimedOut,
};
use crate::tables::{CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, NOTIFICATIONS, ORDER_PROJECTIONS};

/// Passes the event of a row on, the same envelope to every subscriber, and notes that it was.
///
/// An event that is passed on again, because the note was lost, is the same event: its consumers
/// know it by its id. The messages of one account are a group, so that a customer with many orders
/// does not delay those of the others. A row that has been relayed or set aside has no effects. One that a queue
/// refuses waits again behind the others, and is set aside when that has happened often enough.
pub fn relay(row: &OutboxRow, at: Timestamp) -> Effects {
    if row.relayed_at.is_some() || row.set_aside_at.is_some() {
        return Effects::none();
    }
    let queues = subscribers(&row.envelope.event_type).iter();
    let message = |queue: &Queue| {
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

/// The group of mails that somebody without a sign-in asks for: any number of them together delay the
/// mails about orders no more than one customer does.
pub const ANONYMOUS: &str = "anonymous";

/// The account that an event is about. An event without one is a group of its own.
fn account(envelope: &Envelope<Value>) -> Option<&str> {
    envelope.data["userId"].as_str()
}

/// The queues that are subscribed to an event; none for an event that nobody waits for.
///
/// ```
/// use domain::{events, tables};
/// assert!(events::subscribers("OrderCreated").contains(&tables::CUSTOMER_APPROVALS));
/// assert!(events::subscribers("NobodyCares").is_empty());
/// ```
pub fn subscribers(event_type: &str) -> &'static [Queue] {
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
pub const SUBSCRIBED: &[Queue] =
    &[CUSTOMER_APPROVALS, CUSTOMER_SAGA, EMAILS, NOTIFICATIONS, ORDER_PROJECTIONS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_relays_may_send_to_every_subscriber() {
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
