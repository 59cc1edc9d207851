//! Approvals: messages of the saga, each about another pending order.

use std::collections::{BTreeMap, BTreeSet};

use domain::orders::Order;
use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::Seeded;
use simulation::world::{
    Client, Event, Happened, Oracle, Planned, SENT, Simulation, View, Workload,
};

use super::figures::Done;
use super::load::Load;
use crate::items::{self, Row, SerialNumbers, Summary, tables};
use crate::opening::{self, item, made, product_id};
use crate::oracles::numbered;
use crate::people::{Person, fixed_id};

/// The function that settles orders.
pub(super) const FUNCTION: &str = "SettleOrderFunction";

const QUEUE: &str = "CustomerSagaQueue";
/// The attempts to send a message. The check finds an approval that was never sent.
const ATTEMPTS_MAX: usize = 10;
const DEAD_LETTERS: &str = "CustomerSagaDeadLetterQueue";

/// The world with the pending orders, their customer and address, and with the approvals of all.
pub(super) fn world(world: Simulation, load: Load) -> Simulation {
    let is_named = |(table, _): &&(String, Value)| {
        [tables::USERS, tables::ADDRESSES].contains(&table.as_str())
    };
    let named = opening::items().iter().filter(is_named).cloned();
    let orders = (0..load.count()).map(|number| item(&pending(number)));
    let world = named.chain(orders).fold(world, |world, (table, item)| world.item(&table, item));
    world.workload(Approvals { load }).check(Approved { load })
}

/// The committed approvals.
pub(super) fn done(events: &[Event]) -> Vec<Done> {
    let (mut sent, mut open) = (BTreeMap::new(), BTreeMap::new());
    let mut done = Vec::new();
    for event in events {
        match &event.what {
            Happened::Noted { name, value, .. } if name == SENT => {
                let body = value["body"].as_str().unwrap_or_default();
                let body: Value = serde_json::from_str(body).unwrap_or_default();
                sent.insert(text(&body["orderId"]), event.at);
            }
            Happened::Called { call, operation, body, .. } if operation.ends_with("Items") => {
                open.extend(order_of(body).map(|order| (*call, order)));
            }
            Happened::Performed { call, status, .. } => {
                let order = open.remove(call).filter(|_| *status == 200);
                let sent = order.and_then(|order| sent.remove(&order));
                done.extend(sent.map(|sent| Done { at: event.at, took: event.at.since(sent) }));
            }
            _ => {}
        }
    }
    done
}

/// The order that a transaction stores.
fn order_of(transaction: &str) -> Option<String> {
    let transaction: Value = serde_json::from_str(transaction).ok()?;
    let mut puts = transaction["TransactItems"].as_array()?.iter().map(|it| &it["Put"]);
    let put = puts.find(|put| put["TableName"] == tables::ORDERS)?;
    Some(text(&put["Item"]["orderId"]["S"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn order_id(number: u64) -> String {
    fixed_id(0x10_0000 + u128::from(number)).to_string()
}

fn pending(number: u64) -> Order {
    let price = json!({ "amount": 1_000, "currency": "EUR" });
    let customer = Person::Customer(0);
    made(json!({
        "orderId": order_id(number), "userId": customer.id(), "status": "PENDING",
        "paymentMethod": "CARD", "addressId": customer.address_id(), "version": 1,
        "items": [{
            "productId": product_id(0), "name": "Desk lamp", "quantity": 1,
            "unitPrice": price, "actualPrice": price,
        }],
        "shipping": price, "total": { "amount": 2_000, "currency": "EUR" },
        "createdAt": "2025-12-31T23:59:00.000Z", "updatedAt": "2025-12-31T23:59:00.000Z",
        "settleBy": "2026-01-01T01:00:00.000Z",
        "createdEventId": fixed_id(0x40_0000 + u128::from(number)),
    }))
}

/// Sends the approval of each order, as the customer service does.
#[derive(Debug, Clone, Copy)]
struct Approvals {
    load: Load,
}

impl Workload for Approvals {
    type Operation = u64;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<u64>> {
        self.load.planned()
    }

    async fn perform(&self, client: Client, number: &u64) {
        let (id, user_id) = (order_id(*number), Person::Customer(0).id());
        let approval = json!({ "orderId": id, "orderType": "APPROVED", "userId": user_id });
        for _ in 0..ATTEMPTS_MAX {
            if client.send_message(QUEUE, &approval.to_string()).await.is_ok() {
                return;
            }
            client.wait(Millis(100)).await;
        }
    }
}

/// Checks that each order is approved once, with its summary and the number of another position. An
/// approval has no row in the outbox.
#[derive(Debug, Clone, Copy)]
struct Approved {
    load: Load,
}

impl Oracle for Approved {
    fn name(&self) -> &'static str {
        "no approval is lost or numbered twice"
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let orders: Vec<items::Order> = items::all(view, tables::ORDERS);
        let is_approved =
            |order: &&items::Order| order.status == "APPROVED" && order.serial_number.is_some();
        let approved = orders.iter().filter(is_approved).count();
        let summaries: Vec<Summary> = items::all(view, tables::SUMMARIES);
        let shown: BTreeSet<&str> = summaries.iter().map(|it| it.order_id.as_str()).collect();
        let rows: Vec<Row> = items::all(view, tables::OUTBOX);
        let dead = view.messages(DEAD_LETTERS).len();
        let found = [approved, shown.len()].map(u64::try_from);
        let count = self.load.count();
        if dead > 0 || !rows.is_empty() || found.iter().any(|found| *found != Ok(count)) {
            return Err(format!(
                "of {count} orders {approved} are approved, {} have a summary, {} events are in the \
                 outbox, and {dead} messages are dead letters",
                shown.len(),
                rows.len()
            ));
        }
        let counters: Vec<SerialNumbers> = items::all(view, tables::COUNTERS);
        numbered(&orders, counters.first().map_or(0, |numbers| numbers.last))
    }
}

#[cfg(test)]
mod tests {
    use simulation::world::BEGINNING;

    use super::*;

    #[test]
    fn an_approval_is_done_when_its_transaction_is_performed() {
        let event = |at, what| Event { number: 0, at: BEGINNING + Millis(at), what };
        let body = json!({ "orderId": "o", "orderType": "APPROVED" }).to_string();
        let sent = Happened::Noted {
            operation: 0,
            name: SENT.to_owned(),
            value: json!({ "queue": QUEUE, "body": body }),
        };
        let put = json!({ "TableName": tables::ORDERS, "Item": { "orderId": { "S": "o" } } });
        let called = |call| Happened::Called {
            call,
            function: FUNCTION.to_owned(),
            invocation: None,
            operation: "DynamoDB_20120810.TransactWriteItems".to_owned(),
            body: json!({ "TransactItems": [{ "Put": put }] }).to_string(),
        };
        let performed = |call, status| Happened::Performed { call, status, body: String::new() };
        let events = [
            event(5, sent),
            event(6, called(1)),
            event(7, performed(1, 400)),
            event(8, called(2)),
            event(9, performed(2, 200)),
        ];
        assert_eq!(done(&events), [Done { at: BEGINNING + Millis(9), took: Millis(4) }]);
    }

    #[test]
    fn the_pending_orders_are_different_records() {
        let (table, first) = item(&pending(0));
        assert_eq!(table, tables::ORDERS);
        assert_ne!(first["pk"], item(&pending(1)).1["pk"]);
        assert_eq!(first["by_deadline_sk"]["S"].as_str().map(|it| &it[..4]), Some("2026"));
    }
}
