//! The outbox: an event is marked only when all its queues have it, and all events are marked. An
//! event that an order carries is in all its queues, too.

use std::collections::BTreeSet;

use serde_json::Value;
use simulation::evidence::{Sends, dead_letters};
use simulation::world::{Event, Oracle, View};

use crate::items::{self, Order, Row, Writes, tables};

pub(super) const NAME: &str = "every event reaches its queues";

/// Checks each write of the outbox.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    writes: Writes,
    sends: Sends,
    /// The queues and the ids of the events that they took.
    sent: BTreeSet<(String, String)>,
    /// The ids of the events that are marked.
    marked: BTreeSet<String>,
}

impl Default for Outbox {
    fn default() -> Self {
        let (writes, sends) = (Writes::of(&[tables::OUTBOX]), Sends::default());
        Self { writes, sends, sent: BTreeSet::new(), marked: BTreeSet::new() }
    }
}

impl Oracle for Outbox {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        for sent in self.sends.taken(event) {
            let body: Value = serde_json::from_str(&sent.body).unwrap_or_default();
            if let Some(event_id) = body["eventId"].as_str() {
                self.sent.insert((sent.queue, event_id.to_owned()));
            }
        }
        if !self.writes.happened(event) {
            return Ok(());
        }
        let rows = view.records::<Row>(tables::OUTBOX);
        for row in rows.iter().filter(|row| row.relayed_at.is_some()) {
            if !self.marked.contains(&row.event_id) {
                self.marked.insert(row.event_id.clone());
                relayed(row, &self.sent)?;
            }
        }
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let rows: Vec<Row> = items::all(view, tables::OUTBOX);
        if let Some(row) = rows.iter().find(|row| row.relayed_at.is_none()) {
            return Err(format!("an event still waits: {row:?}"));
        }
        let excused = dead_letters(view);
        let orders: Vec<Order> = items::all(view, tables::ORDERS);
        let mut judged = orders.iter().filter(|order| !excused.contains(&order.order_id));
        judged.try_for_each(|order| carried(order, &self.sent))
    }
}

/// The queues of an event, as documented.
fn queues(event_type: &str) -> &'static [&'static str] {
    match event_type {
        "OrderCreated" => &["EmailsQueue", "CustomerApprovalsQueue"],
        "CustomerDecided" => &["CustomerSagaQueue"],
        "OrderApproved" => &["OrderProjectionsQueue"],
        "OrderRejected" | "OrderTimedOut" | "ApprovalLapsed" => &["CustomerApprovalsQueue"],
        "OrderDeleted" => &["CustomerApprovalsQueue", "OrderProjectionsQueue"],
        "NoticeDue" => &["NotificationsQueue"],
        _ => &[],
    }
}

/// Whether all queues have the event that an order carries. The customer service may not have had the
/// event of an order whose time was over.
fn carried(order: &Order, sent: &BTreeSet<(String, String)>) -> Result<(), String> {
    let Order { order_id, status, created_event_id, .. } = order;
    let Some(event_id) = created_event_id else { return Ok(()) };
    for queue in queues("OrderCreated") {
        let is_needed = *queue != "CustomerApprovalsQueue" || status != "TIMED_OUT";
        if is_needed && !sent.contains(&((*queue).to_owned(), event_id.clone())) {
            return Err(format!("order {order_id} is {status}, and {queue} never took its event"));
        }
    }
    Ok(())
}

fn relayed(row: &Row, sent: &BTreeSet<(String, String)>) -> Result<(), String> {
    for queue in queues(&row.event_type) {
        if !sent.contains(&((*queue).to_owned(), row.event_id.clone())) {
            let Row { event_id, event_type, .. } = row;
            return Err(format!("{event_type} {event_id} is marked, but {queue} never took it"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_that_is_marked_before_all_its_queues_have_it_is_found() {
        let row: Row = serde_json::from_value(json!({
            "eventId": "e", "eventType": "OrderDeleted", "aggregateId": "o", "relayedAt": "now",
        }))
        .unwrap();
        let sent = |queues: &[&str]| -> BTreeSet<(String, String)> {
            queues.iter().map(|queue| ((*queue).to_owned(), "e".to_owned())).collect()
        };
        let both = ["CustomerApprovalsQueue", "OrderProjectionsQueue"];
        assert!(relayed(&row, &sent(&both)).is_ok());
        relayed(&row, &sent(&both[..1])).unwrap_err();
        relayed(&row, &sent(&[])).unwrap_err();
    }

    #[test]
    fn an_order_whose_event_is_in_no_queue_is_found() {
        let order = |status: &str| -> Order {
            serde_json::from_value(json!({
                "orderId": "o", "userId": "u", "status": status, "version": 2, "items": [],
                "total": { "amount": 7, "currency": "EUR" }, "createdEventId": "e",
            }))
            .unwrap()
        };
        let sent = |queues: &[&str]| -> BTreeSet<(String, String)> {
            queues.iter().map(|queue| ((*queue).to_owned(), "e".to_owned())).collect()
        };
        let both = ["EmailsQueue", "CustomerApprovalsQueue"];
        assert!(carried(&order("REJECTED"), &sent(&both)).is_ok());
        assert!(carried(&order("TIMED_OUT"), &sent(&both[..1])).is_ok());
        carried(&order("REJECTED"), &sent(&both[..1])).unwrap_err();
        carried(&order("TIMED_OUT"), &sent(&both[1..])).unwrap_err();
    }
}
