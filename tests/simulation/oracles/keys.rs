//! Idempotency keys: one effect for each, and the same answer again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use simulation::evidence::Requests;
use simulation::oracles::OneEffectPerKey;
use simulation::world::{Event, Oracle, View};

use crate::items::{self, Order, tables};

pub(super) const NAME: &str = OneEffectPerKey::NAME;

/// Checks each answer to a request with a key, and the stored orders and answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    effects: OneEffectPerKey,
    requests: Requests,
}

impl Oracle for Keys {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if let Some((request, answer)) = self.requests.answered(event) {
            // The scope of such a key includes the request: no other client can take the key.
            let is_reused = answer.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED";
            if request.token().is_none() && is_reused {
                return Err(format!("{} is refused for the key of another client", request.path));
            }
        }
        self.effects.observe(event, view)
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let orders: Vec<Order> = items::all(view, tables::ORDERS);
        let records: Vec<Stored> = items::all(view, tables::LEDGER);
        self.kept(&orders)?;
        recorded(&orders, &records)
    }
}

impl Keys {
    /// Whether each order that was answered is stored.
    fn kept(&self, orders: &[Order]) -> Result<(), String> {
        let of_orders = self.effects.answers().filter(|(scope, _)| scope.route == "POST /orders");
        for (scope, answered) in of_orders {
            let order_id = answered.answer["data"]["orderId"].as_str().unwrap_or_default();
            if !orders.iter().any(|order| order.order_id == order_id) {
                return Err(format!(
                    "{scope:?} was answered by order {order_id}, which is not there"
                ));
            }
        }
        Ok(())
    }
}

/// A record of the ledger.
#[derive(Debug, Clone, Deserialize)]
struct Stored {
    pk: String,
    #[serde(default)]
    body: Option<String>,
}

/// Whether each order has one stored answer.
fn recorded(orders: &[Order], records: &[Stored]) -> Result<(), String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in records.iter().filter(|record| record.pk.starts_with("idempotency#")) {
        let body = record.body.as_deref().unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        if let Some(order_id) = body["data"]["orderId"].as_str() {
            *counts.entry(order_id.to_owned()).or_default() += 1;
        }
    }
    for Order { order_id, .. } in orders {
        let found = counts.remove(order_id).unwrap_or_default();
        if found != 1 {
            return Err(format!("order {order_id} has {found} stored answers"));
        }
    }
    match counts.keys().next() {
        None => Ok(()),
        Some(order_id) => Err(format!("there is an answer without its order {order_id}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_without_a_stored_answer_is_found() {
        let order: Order = serde_json::from_value(json!({
            "orderId": "o", "userId": "u", "status": "PENDING", "version": 1, "items": [],
            "total": { "amount": 7, "currency": "EUR" },
        }))
        .unwrap();
        let record = |pk: &str| Stored {
            pk: pk.to_owned(),
            body: Some(json!({ "data": { "orderId": "o" } }).to_string()),
        };
        let orders = std::slice::from_ref(&order);
        assert!(recorded(orders, &[record("idempotency#1")]).is_ok());
        recorded(orders, &[]).unwrap_err();
        recorded(orders, &[record("inbox#1")]).unwrap_err();
        recorded(orders, &[record("idempotency#1"), record("idempotency#2")]).unwrap_err();
        recorded(&[], &[record("idempotency#1")]).unwrap_err();
    }
}
