//! Credit: each account is the sum of its held reservations, and each order has the right one.

use std::collections::BTreeMap;

use serde::Deserialize;
use simulation::evidence::dead_letters;
use simulation::world::{Event, Oracle, View};

use crate::items::{self, Account, Money, Order, Reservation, Writes, tables};

pub(super) const NAME: &str = "credit is conserved";

/// Checks each write of credit.
#[derive(Debug, Clone)]
pub(super) struct Credit {
    writes: Writes,
}

impl Default for Credit {
    fn default() -> Self {
        Self { writes: Writes::of(&[tables::CREDITS]) }
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    open_credit: Money,
}

impl Oracle for Credit {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if !self.writes.happened(event) {
            return Ok(());
        }
        let rules: Vec<Rules> = items::all(view, tables::SETTINGS);
        let open_credit = rules.first().map(|rules| rules.open_credit.amount);
        balance(&accounts(view), &reservations(view), open_credit)
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let (accounts, reservations) = (accounts(view), reservations(view));
        balance(&accounts, &reservations, None)?;
        let orders: Vec<Order> = items::all(view, tables::ORDERS);
        settled(&orders, &reservations, &dead_letters(view))
    }
}

fn accounts(view: &View<'_>) -> Vec<Account> {
    items::all(view, tables::CREDITS)
}

fn reservations(view: &View<'_>) -> Vec<Reservation> {
    items::all(view, tables::CREDITS)
}

fn balance(
    accounts: &[Account],
    reservations: &[Reservation],
    open_credit: Option<i64>,
) -> Result<(), String> {
    let mut held: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for reservation in reservations.iter().filter(|it| it.status == "HELD") {
        let Reservation { user_id, amount, .. } = reservation;
        *held.entry((user_id.as_str(), amount.currency.as_str())).or_default() += amount.amount;
    }
    for Account { user_id, currency, reserved } in accounts {
        let held = held.remove(&(user_id.as_str(), currency.as_str())).unwrap_or_default();
        if *reserved != held {
            return Err(format!("user {user_id} has {reserved} reserved, but holds {held}"));
        }
        if open_credit.is_some_and(|most| *reserved > most) {
            return Err(format!("user {user_id} has {reserved} reserved, over {open_credit:?}"));
        }
    }
    match held.into_iter().next() {
        None => Ok(()),
        Some(((user_id, _), held)) => Err(format!("user {user_id} holds {held} without account")),
    }
}

/// Whether each approved order holds its total, and no other order holds anything.
fn settled(orders: &[Order], reservations: &[Reservation], excused: &str) -> Result<(), String> {
    for order in orders.iter().filter(|order| !excused.contains(&order.order_id)) {
        let Order { order_id, status, total, .. } = order;
        let reservation = reservations.iter().find(|it| it.order_id == *order_id);
        let held = reservation.filter(|it| it.status == "HELD").map(|it| &it.amount);
        let expected = (status == "APPROVED").then_some(total);
        if held != expected {
            return Err(format!("order {order_id} is {status}, and holds {held:?} of {total:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(json: Value) -> Vec<T> {
        vec![serde_json::from_value(json).unwrap()]
    }

    fn account(reserved: i64) -> Vec<Account> {
        read(json!({ "userId": "u", "currency": "EUR", "reserved": reserved }))
    }

    fn reservation(status: &str) -> Vec<Reservation> {
        let amount = json!({ "amount": 7, "currency": "EUR" });
        read(json!({ "orderId": "o", "userId": "u", "amount": amount, "status": status }))
    }

    fn order(status: &str) -> Vec<Order> {
        read(json!({
            "orderId": "o", "userId": "u", "status": status, "version": 1, "items": [],
            "total": { "amount": 7, "currency": "EUR" },
        }))
    }

    #[test]
    fn an_account_that_is_not_the_sum_of_its_reservations_is_found() {
        assert!(balance(&account(7), &reservation("HELD"), Some(7)).is_ok());
        assert!(balance(&account(0), &reservation("RELEASED"), Some(7)).is_ok());
        for (account, reservation, most) in [
            (account(14), reservation("HELD"), 50),
            (account(7), reservation("RELEASED"), 50),
            (Vec::new(), reservation("HELD"), 50),
            (account(7), reservation("HELD"), 6),
        ] {
            balance(&account, &reservation, Some(most)).unwrap_err();
        }
    }

    #[test]
    fn a_closed_order_that_holds_credit_is_found_unless_a_dead_letter_names_it() {
        assert!(settled(&order("APPROVED"), &reservation("HELD"), "").is_ok());
        assert!(settled(&order("TIMED_OUT"), &reservation("RELEASED"), "").is_ok());
        assert!(settled(&order("REJECTED"), &[], "").is_ok());
        settled(&order("CANCELLED"), &reservation("HELD"), "").unwrap_err();
        settled(&order("APPROVED"), &[], "").unwrap_err();
        assert!(settled(&order("CANCELLED"), &reservation("HELD"), "text about o").is_ok());
    }
}
