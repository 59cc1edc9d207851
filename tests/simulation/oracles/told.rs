//! The messages about orders that queues have taken: by them orders are announced without rows in the
//! outbox.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulation::evidence::Sends;
use simulation::world::Event;

use crate::items::Order;

/// Each message by its order, the type and the id of its event, its queue, and its decision.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    sends: Sends,
    messages: BTreeMap<String, BTreeSet<Message>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    event_type: String,
    event_id: String,
    queue: String,
    /// `APPROVED` or `REJECTED`, in a decision of the customer service.
    decision: String,
}

impl Told {
    /// Notes the messages that a queue takes.
    pub(super) fn observe(&mut self, event: &Event) {
        for sent in self.sends.taken(event) {
            self.add(sent.queue, &serde_json::from_str(&sent.body).unwrap_or_default());
        }
    }

    pub(super) fn add(&mut self, queue: String, body: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let message = Message {
            event_type: text(&body["eventType"]),
            event_id: text(&body["eventId"]),
            queue,
            decision: text(&body["data"]["orderType"]),
        };
        self.messages.entry(text(&body["aggregateId"])).or_default().insert(message);
    }

    /// Whether the mail's queue has the event of an order that is decided on: afterwards nothing
    /// would send it.
    pub(super) fn mails_first(&self, order: &Order) -> Result<(), String> {
        let Order { order_id, status, created_event_id, .. } = order;
        let Some(event_id) = created_event_id.as_ref().filter(|_| status != "PENDING") else {
            return Ok(());
        };
        let is_it = |it: &Message| it.event_id == *event_id && it.queue == "EmailsQueue";
        if self.of(order_id).any(is_it) {
            return Ok(());
        }
        Err(format!("order {order_id} is {status}, and its mail is in no queue"))
    }

    /// Whether an order at rest was announced by one event and decided on once, and whether the
    /// customer service had the event of an order that it decided on.
    pub(super) fn once(&self, order: &Order) -> Result<(), String> {
        let Order { order_id, status, created_event_id, serial_number, .. } = order;
        let created = self.ids(order_id, "OrderCreated");
        let carried: BTreeSet<&str> = created_event_id.as_deref().into_iter().collect();
        if created_event_id.is_some() && created != carried {
            return Err(format!("order {order_id} was announced by {created:?}"));
        }
        let decided: BTreeSet<&str> = self.decisions(order_id).collect();
        if decided.len() > 1 || self.ids(order_id, "CustomerDecided").len() > 1 {
            return Err(format!("order {order_id} was decided on twice: {decided:?}"));
        }
        let approvals = self.ids(order_id, "OrderApproved").len();
        if approvals > usize::from(serial_number.is_some()) {
            return Err(format!("order {order_id} is {status}, and {approvals} times approved"));
        }
        Ok(())
    }

    /// The different approvals of the customer service.
    pub(super) fn approvals(&self, order_id: &str) -> usize {
        self.decisions(order_id).filter(|decision| *decision == "APPROVED").count().min(1)
    }

    fn ids(&self, order_id: &str, event_type: &str) -> BTreeSet<&str> {
        let of_type = self.of(order_id).filter(|it| it.event_type == event_type);
        of_type.map(|it| it.event_id.as_str()).collect()
    }

    fn decisions(&self, order_id: &str) -> impl Iterator<Item = &str> {
        let decided = self.of(order_id).filter(|it| it.event_type == "CustomerDecided");
        decided.map(|it| it.decision.as_str())
    }

    fn of(&self, order_id: &str) -> impl Iterator<Item = &Message> {
        self.messages.get(order_id).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(messages: &[(&str, &str, &str, &str)]) -> Told {
        let mut told = Told::default();
        for (event_type, event_id, queue, decision) in messages {
            let body = json!({
                "eventType": event_type, "eventId": event_id, "aggregateId": "o",
                "data": { "orderType": decision },
            });
            told.add((*queue).to_owned(), &body);
        }
        told
    }

    fn order(status: &str, number: Option<u32>) -> Order {
        serde_json::from_value(json!({
            "orderId": "o", "userId": "u", "status": status, "version": 2, "items": [],
            "total": { "amount": 7, "currency": "EUR" }, "serialNumber": number,
            "createdEventId": "c",
        }))
        .unwrap()
    }

    const MAIL: (&str, &str, &str, &str) = ("OrderCreated", "c", "EmailsQueue", "");
    const CREDIT: (&str, &str, &str, &str) = ("OrderCreated", "c", "CustomerApprovalsQueue", "");
    const APPROVED: (&str, &str, &str, &str) =
        ("CustomerDecided", "d", "CustomerSagaQueue", "APPROVED");

    #[test]
    fn an_order_that_is_decided_on_before_its_mail_is_queued_is_found() {
        assert!(told(&[MAIL, CREDIT]).mails_first(&order("APPROVED", Some(1))).is_ok());
        assert!(told(&[CREDIT]).mails_first(&order("PENDING", None)).is_ok());
        told(&[CREDIT]).mails_first(&order("APPROVED", Some(1))).unwrap_err();
        told(&[]).mails_first(&order("TIMED_OUT", None)).unwrap_err();
    }

    #[test]
    fn an_order_that_is_announced_or_decided_on_by_two_events_is_found() {
        let approved = order("APPROVED", Some(1));
        assert!(told(&[MAIL, CREDIT, APPROVED, APPROVED]).once(&approved).is_ok());
        let other = ("OrderCreated", "x", "EmailsQueue", "");
        let rejected = ("CustomerDecided", "d", "CustomerSagaQueue", "REJECTED");
        let again = ("CustomerDecided", "e", "CustomerSagaQueue", "APPROVED");
        for wrong in
            [&[][..], &[MAIL, other], &[MAIL, APPROVED, rejected], &[MAIL, APPROVED, again]]
        {
            told(wrong).once(&approved).unwrap_err();
        }
        let projected = ("OrderApproved", "p", "OrderProjectionsQueue", "");
        assert!(told(&[MAIL, projected]).once(&approved).is_ok());
        told(&[MAIL, projected]).once(&order("REJECTED", None)).unwrap_err();
        assert_eq!(told(&[APPROVED, APPROVED]).approvals("o"), 1);
        assert_eq!(told(&[rejected]).approvals("o"), 0);
    }
}
