//! The outbox: an event is marked only when all its queues have it, and all events are marked. An
//! event that an order carries is in all its queues, too: at the latest after a run of the schedule that
//! announces waiting orders again.

use std::collections::{BTreeMap, BTreeSet};

use lifecycle::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use simulation::Millis;
use simulation::evidence::{Sends, dead_letters};
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{self, Order, Row, Writes, tables};
use crate::opening::SAGA_TIMEOUT_S;

pub(super) const NAME: &str = "every event reaches its queues";

/// The function that announces waiting orders again.
const ANNOUNCER: &str = "ExpireSagasFunction";
/// The time after which a run announces an order: half a minute, and the most that an index lags and
/// clocks differ.
const WAITED: Millis = Millis::seconds(30 + 2 + 1);
/// The time in which an order waits for its decision, less the most that clocks differ.
const WAITS: Millis = Millis::seconds(SAGA_TIMEOUT_S - 1);
/// The most waiting orders that a run surely finds: one page.
const WAITING_MAX: usize = 100;

/// Checks each write of the outbox.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    writes: Writes,
    sends: Sends,
    /// The queues and the ids of the events that they took.
    sent: BTreeSet<(String, String)>,
    /// The ids of the events that are marked.
    marked: BTreeSet<String>,
    order_writes: Writes,
    /// When each order was stored.
    stored: BTreeMap<String, Millis>,
    /// When each run of the announcer began that has not ended.
    runs: BTreeMap<String, Millis>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            writes: Writes::of(&[tables::OUTBOX]),
            sends: Sends::default(),
            sent: BTreeSet::new(),
            marked: BTreeSet::new(),
            order_writes: Writes::of(&[tables::ORDERS]),
            stored: BTreeMap::new(),
            runs: BTreeMap::new(),
        }
    }
}

/// An order that may wait for its decision.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    order_id: String,
    status: String,
    created_at: Timestamp,
    created_event_id: Option<String>,
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
        if self.order_writes.happened(event) {
            for order in view.records::<Waiting>(tables::ORDERS) {
                self.stored.entry(order.order_id.clone()).or_insert(event.at);
            }
        }
        if let Some(began) = self.successful_run(event) {
            let orders = view.records::<Waiting>(tables::ORDERS);
            let waiting: Vec<_> = orders.iter().filter(|order| order.status == "PENDING").collect();
            let mut judged = waiting.iter().filter(|_| waiting.len() <= WAITING_MAX);
            judged.try_for_each(|order| self.announced(order, began, event.at))?;
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

impl Outbox {
    /// The beginning of a run of the announcer, if the event is its success.
    fn successful_run(&mut self, event: &Event) -> Option<Millis> {
        match &event.what {
            Happened::Invoked { invocation, function, .. } if function == ANNOUNCER => {
                self.runs.insert(invocation.clone(), event.at);
                None
            }
            Happened::Returned { invocation, .. } => self.runs.remove(invocation),
            Happened::Failed { invocation, .. } => {
                self.runs.remove(invocation);
                None
            }
            _ => None,
        }
    }

    /// Whether all queues have the event of a waiting order after a successful run of the announcer.
    fn announced(&self, order: &Waiting, began: Millis, ended: Millis) -> Result<(), String> {
        let Waiting { order_id, created_at, created_event_id, .. } = order;
        let (Some(event_id), Some(stored)) = (created_event_id, self.stored.get(order_id)) else {
            return Ok(());
        };
        let created_at = Millis(u64::try_from(created_at.as_millis()).unwrap_or_default());
        if began < *stored + WAITED || ended > created_at + WAITS {
            return Ok(());
        }
        let has_it = |queue: &str| self.sent.contains(&(queue.to_owned(), event_id.clone()));
        match queues("OrderCreated").iter().find(|queue| !has_it(queue)) {
            None => Ok(()),
            Some(queue) => Err(format!(
                "order {order_id} waits after a run of {ANNOUNCER}, and {queue} never took its event"
            )),
        }
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
    fn an_order_that_a_run_has_not_announced_again_is_found() {
        // 2026-01-01T00:00:00Z is the time of the order.
        let at = |second| Millis(1_767_225_600_000) + Millis::seconds(second);
        let order: Waiting = serde_json::from_value(json!({
            "orderId": "o", "status": "PENDING", "createdAt": "2026-01-01T00:00:00.000Z",
            "createdEventId": "e",
        }))
        .unwrap();
        let mut outbox = Outbox::default();
        outbox.stored.insert("o".to_owned(), at(10));
        let mut announced = |queue: Option<&str>, began, ended| {
            outbox.sent.extend(queue.map(|queue| (queue.to_owned(), "e".to_owned())));
            outbox.announced(&order, at(began), at(ended)).is_ok()
        };
        assert!(announced(None, 42, 60), "it was stored too late for this run");
        assert!(announced(None, 43, 120), "its time may be over");
        assert!(!announced(None, 43, 60));
        assert!(!announced(Some("EmailsQueue"), 43, 60));
        assert!(announced(Some("CustomerApprovalsQueue"), 43, 60));
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
