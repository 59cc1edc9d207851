//! Idempotency keys: one effect for each, and the same answer again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use simulation::world::{Event, Oracle, View};

use super::evidence::{Answer, Request, Requests, subject};
use crate::items::{self, Order, tables};

pub(super) const NAME: &str = "one effect for each idempotency key";

/// Checks each answer to a request with a key.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    requests: Requests,
    answers: BTreeMap<Scope, First>,
}

/// A key of a caller and a route. For callers without a token the request is a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    caller: String,
    route: String,
    key: String,
}

/// The first answer to a key.
#[derive(Debug, Clone)]
struct First {
    request: Value,
    body: String,
    /// Whether one of the answers was no replay.
    performed: bool,
}

impl Oracle for Keys {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        // The scope of such a key includes the request: no other client can take the key.
        let is_reused = answer.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED";
        if request.token().is_none() && is_reused {
            return Err(format!("{} is refused for the key of another client", request.path));
        }
        match scope(&request) {
            Some(scope) if answer.is_success() => self.check(scope, request.json(), &answer),
            _ => Ok(()),
        }
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
        let of_orders = self.answers.iter().filter(|(scope, _)| scope.route == "POST /orders");
        for (scope, First { body, .. }) in of_orders {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            let order_id = body["data"]["orderId"].as_str().unwrap_or_default();
            if !orders.iter().any(|order| order.order_id == order_id) {
                return Err(format!(
                    "{scope:?} was answered by order {order_id}, which is not there"
                ));
            }
        }
        Ok(())
    }

    fn check(&mut self, scope: Scope, request: Value, answer: &Answer<'_>) -> Result<(), String> {
        let performed = answer.header("idempotency-replayed").is_none();
        let Some(first) = self.answers.get_mut(&scope) else {
            let body = answer.body.to_owned();
            self.answers.insert(scope, First { request, body, performed });
            return Ok(());
        };
        if first.request != request {
            return Err(format!("{scope:?} was accepted for two requests"));
        }
        if first.body != answer.body {
            let (one, other) = (&first.body, answer.body);
            return Err(format!("{scope:?} was answered by {one} and by {other}"));
        }
        if performed && std::mem::replace(&mut first.performed, true) {
            return Err(format!("{scope:?} was performed twice"));
        }
        Ok(())
    }
}

fn scope(request: &Request) -> Option<Scope> {
    let key = request.header("idempotency-key")?.to_owned();
    let caller = match request.token() {
        Some(token) => subject(token)?,
        None => request.body.clone(),
    };
    let route = format!("{} {}", request.method, request.path);
    Some(Scope { caller, route, key })
}

/// A record of the ledger.
#[derive(Debug, Deserialize)]
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
    fn a_key_with_two_effects_or_for_two_requests_is_found() {
        let scope = || Scope {
            caller: "ann".to_owned(),
            route: "POST /orders".to_owned(),
            key: "1".to_owned(),
        };
        let replayed = [("idempotency-replayed".to_owned(), "true".to_owned())];
        let answer = |body, is_replay| Answer {
            status: 201,
            headers: if is_replay { &replayed[..] } else { &[] },
            body,
            by_function: true,
        };
        let first = || {
            let mut keys = Keys::default();
            keys.check(scope(), json!({ "a": 1, "b": 2 }), &answer("first", false)).unwrap();
            keys
        };
        let same = json!({ "b": 2, "a": 1 });
        assert!(first().check(scope(), same.clone(), &answer("first", true)).is_ok());
        first().check(scope(), same.clone(), &answer("first", false)).unwrap_err();
        first().check(scope(), same, &answer("second", true)).unwrap_err();
        first().check(scope(), json!({ "a": 2 }), &answer("first", true)).unwrap_err();
    }

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
