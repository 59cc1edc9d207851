//! The outbox: an event is marked only when all its queues have it, and all events are marked.

use std::collections::BTreeSet;

use serde_json::Value;
use simulation::evidence::Sends;
use simulation::world::{Event, Oracle, View};

use crate::items::{self, Row, Writes, tables};

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
        match rows.iter().find(|row| row.relayed_at.is_none()) {
            None => Ok(()),
            Some(row) => Err(format!("an event still waits: {row:?}")),
        }
    }
}

/// The queues of an event, as documented.
fn queues(event_type: &str) -> &'static [&'static str] {
    match event_type {
        "OrderCreated" => &["CustomerApprovalsQueue", "EmailsQueue"],
        "CustomerDecided" => &["CustomerSagaQueue"],
        "OrderApproved" => &["OrderProjectionsQueue"],
        "OrderRejected" | "OrderTimedOut" | "ApprovalLapsed" => &["CustomerApprovalsQueue"],
        "OrderDeleted" => &["CustomerApprovalsQueue", "OrderProjectionsQueue"],
        "NoticeDue" => &["NotificationsQueue"],
        _ => &[],
    }
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
}
