//! Which queues hear of which events: the one routing table of the outbox's relay.

use lifecycle::effects::{EventData, Queue};

use crate::orders::OrderCreated;
use crate::tables::{CUSTOMER_APPROVALS, EMAILS};

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
        _ => &[],
    }
}
