//! Customers who place orders until they have an answer, and the oracle that counts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::{Random, Seeded};
use simulation::world::{ApiRequest, Client, Event, Happened, Oracle, Planned, View, Workload};

/// How often a customer tries.
const ATTEMPTS_MAX: u32 = 60;

/// So many customers, each with one order.
pub(crate) struct Customers(pub(crate) usize);

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaceOrder {
    order_id: String,
    pieces: u64,
}

impl Workload for Customers {
    type Operation = PlaceOrder;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<PlaceOrder>> {
        let order = |number: usize| {
            let (order_id, pieces) = (format!("order-{number}"), random.below(9) + 1);
            Planned::within(Millis::seconds(60), random, PlaceOrder { order_id, pieces })
        };
        (0..self.0).map(order).collect()
    }

    async fn perform(&self, client: Client, order: &PlaceOrder) {
        let PlaceOrder { order_id, pieces } = order;
        let request =
            ApiRequest::post("/orders", &json!({ "orderId": order_id, "pieces": pieces }))
                .header("idempotency-key", order_id.clone());
        for _ in 0..ATTEMPTS_MAX {
            if let Ok(answer) = client.send(request.clone()).await
                && answer.is_success()
            {
                return client.note("placed", json!(order_id));
            }
            client.think(Millis::seconds(10)).await;
        }
    }
}

/// Each order that a customer has an answer to is there once, and its pieces are counted once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    placed: Vec<String>,
}

impl Oracle for Books {
    fn name(&self) -> &'static str {
        "books"
    }

    fn observe(&mut self, event: &Event, _: &View<'_>) -> Result<(), String> {
        if let Happened::Noted { name, value, .. } = &event.what
            && name == "placed"
        {
            self.placed.extend(value.as_str().map(str::to_owned));
        }
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let mut stored: BTreeMap<String, usize> = BTreeMap::new();
        let orders = view.items("OrdersTable");
        for order in &orders {
            *stored.entry(text(order, "orderId")).or_default() += 1;
        }
        if let Some((order, count)) = stored.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{order} is stored {count} times"));
        }
        if let Some(order) = self.placed.iter().find(|order| !stored.contains_key(*order)) {
            return Err(format!("{order} was placed, and is not stored"));
        }
        let pieces: u64 = orders.iter().map(|order| number(order, "pieces")).sum();
        let totals = view.items("TotalsTable");
        let counted: u64 = totals.iter().map(|total| number(total, "pieces")).sum();
        if pieces != counted {
            return Err(format!("{pieces} pieces are ordered, and {counted} are counted"));
        }
        for queue in view.dead_letter_queues() {
            if let Some(message) = view.messages(queue).first() {
                return Err(format!("{queue} has {message}"));
            }
        }
        Ok(())
    }
}

fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}

fn number(item: &Value, name: &str) -> u64 {
    item[name]["N"].as_str().and_then(|number| number.parse().ok()).unwrap_or_default()
}
