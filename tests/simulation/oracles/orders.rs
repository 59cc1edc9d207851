//! Orders: each ends once, its events are those of its status, and each position of a serial number has
//! one order at most.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use simulation::evidence::dead_letters;
use simulation::world::{Event, Oracle, View};

use super::told::Told;
use crate::items::{self, Order, Row, SerialNumbers, Writes, tables};

pub(super) const NAME: &str = "each order ends once, with its events in order";

/// Checks each write of orders, and the messages about them.
#[derive(Debug, Clone)]
pub(super) struct Orders {
    writes: Writes,
    told: Told,
    known: BTreeMap<String, Order>,
}

impl Default for Orders {
    fn default() -> Self {
        let writes = Writes::of(&[tables::ORDERS]);
        Self { writes, told: Told::default(), known: BTreeMap::new() }
    }
}

impl Oracle for Orders {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        self.told.observe(event);
        if !self.writes.happened(event) {
            return Ok(());
        }
        let orders: Vec<Order> = items::all(view, tables::ORDERS);
        let rows = view.records::<Row>(tables::OUTBOX);
        for order in &orders {
            let before = self.known.insert(order.order_id.clone(), order.clone());
            if before.as_ref() != Some(order) {
                changed(before.as_ref(), order)?;
                published(order, &rows)?;
                self.told.mails_first(order)?;
            }
        }
        match self.known.keys().find(|id| !orders.iter().any(|order| order.order_id == **id)) {
            None => Ok(()),
            Some(id) => Err(format!("order {id} is gone")),
        }
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let orders: Vec<Order> = items::all(view, tables::ORDERS);
        if let Some(order) = orders.iter().find(|order| order.status == "PENDING") {
            return Err(format!("order {} is still pending", order.order_id));
        }
        let (rows, excused): (Vec<Row>, _) = (items::all(view, tables::OUTBOX), dead_letters(view));
        let judged = orders.iter().filter(|order| !excused.contains(&order.order_id));
        for order in judged {
            published(order, &rows)?;
            self.told.once(order)?;
            lapsed(order, &rows, self.told.approvals(&order.order_id))?;
        }
        let counters: Vec<SerialNumbers> = items::all(view, tables::COUNTERS);
        numbered(&orders, counters.first().map_or(0, |numbers| numbers.last))
    }
}

/// Whether an order may change like this. Two changes may be seen as one.
fn changed(before: Option<&Order>, after: &Order) -> Result<(), String> {
    let is_right = match before {
        None => after.version <= 3,
        Some(before) => {
            let (changes, from, to) =
                (after.version.saturating_sub(before.version), &before.status, &after.status);
            let kept = (&before.user_id, &before.items, &before.total)
                == (&after.user_id, &after.items, &after.total);
            let is_numbered =
                before.serial_number.is_none() || before.serial_number == after.serial_number;
            let step = matches!(
                (changes, from.as_str(), to.as_str()),
                (1, "PENDING", "APPROVED" | "REJECTED" | "TIMED_OUT")
                    | (1, "APPROVED", "CANCELLED")
                    | (2, "PENDING", "CANCELLED")
            );
            step && kept && is_numbered
        }
    };
    let has_number = matches!(after.status.as_str(), "APPROVED" | "CANCELLED");
    if is_right && has_number == after.serial_number.is_some() {
        return Ok(());
    }
    Err(format!("order {} changed from {before:?} to {after:?}", after.order_id))
}

/// Whether the outbox has the events of the order's status, each once, and no others: an approval is
/// carried by the order and its summary.
fn published(order: &Order, rows: &[impl Borrow<Row>]) -> Result<(), String> {
    let of_order =
        rows.iter().map(Borrow::borrow).filter(|row: &&Row| row.aggregate_id == order.order_id);
    let types: Vec<&str> = of_order.map(|row| row.event_type.as_str()).collect();
    let count = |name: &str| types.iter().filter(|it| **it == name).count();
    let status = order.status.as_str();
    let expected = [
        ("OrderCreated", false),
        ("CustomerDecided", false),
        ("OrderApproved", false),
        ("OrderRejected", status == "REJECTED"),
        ("OrderTimedOut", status == "TIMED_OUT"),
        ("OrderDeleted", status == "CANCELLED"),
    ];
    for (name, is_expected) in expected {
        if count(name) != usize::from(is_expected) {
            return Err(format!("order {} is {status}, with {types:?}", order.order_id));
        }
    }
    Ok(())
}

/// Whether an approval lapsed once if it came after the order's time-out, however often it was
/// delivered, and never otherwise.
fn lapsed(order: &Order, rows: &[Row], approvals: usize) -> Result<(), String> {
    let of_order = rows.iter().filter(|row| row.aggregate_id == order.order_id);
    let expected = if order.status == "TIMED_OUT" { approvals } else { 0 };
    let found = of_order.filter(|row| row.event_type == "ApprovalLapsed").count();
    if found == expected {
        return Ok(());
    }
    let Order { order_id, status, .. } = order;
    Err(format!("order {order_id} is {status}, and {found} approvals lapsed, not {expected}"))
}

/// Whether the serial numbers are those of different positions: 1, 2, … 100, 1, … up to the last
/// position. A position may be left out.
pub(crate) fn numbered(orders: &[Order], last: u64) -> Result<(), String> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for number in orders.iter().filter_map(|order| order.serial_number) {
        *counts.entry(number).or_default() += 1;
    }
    for number in 1..=100_u32 {
        let positions = last / 100 + u64::from(u64::from(number) <= last % 100);
        let found = counts.remove(&number).unwrap_or_default();
        if found > positions {
            return Err(format!(
                "{found} orders have the number {number}, of {positions} positions up to {last}"
            ));
        }
    }
    if counts.is_empty() { Ok(()) } else { Err(format!("there are numbers over 100: {counts:?}")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(status: &str, version: u64, number: Option<u32>) -> Order {
        serde_json::from_value(json!({
            "orderId": "o", "userId": "u", "status": status, "version": version, "items": [],
            "total": { "amount": 7, "currency": "EUR" }, "serialNumber": number,
        }))
        .unwrap()
    }

    #[test]
    fn an_order_changes_only_along_its_saga() {
        let pending = order("PENDING", 1, None);
        let approved = order("APPROVED", 2, Some(1));
        for (before, after, is_right) in [
            (None, pending.clone(), true),
            (Some(&pending), approved.clone(), true),
            (Some(&pending), order("TIMED_OUT", 2, None), true),
            (Some(&pending), order("CANCELLED", 3, Some(1)), true),
            (Some(&approved), order("CANCELLED", 3, Some(1)), true),
            (Some(&pending), order("APPROVED", 2, None), false),
            (Some(&pending), order("CANCELLED", 2, None), false),
            (Some(&approved), order("REJECTED", 3, Some(1)), false),
            (Some(&approved), order("APPROVED", 3, Some(2)), false),
            (Some(&order("TIMED_OUT", 2, None)), order("APPROVED", 3, Some(1)), false),
        ] {
            assert_eq!(changed(before, &after).is_ok(), is_right, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_missing_or_a_repeated_event_is_found() {
        let row = |event_type: &str| -> Row {
            serde_json::from_value(json!({
                "eventId": event_type, "eventType": event_type, "aggregateId": "o",
            }))
            .unwrap()
        };
        let rows = |types: &[&str]| types.iter().map(|name| row(name)).collect::<Vec<Row>>();
        let approved = order("APPROVED", 2, Some(1));
        let cancelled = order("CANCELLED", 3, Some(1));
        for (order, types, is_right) in [
            (&approved, &[][..], true),
            (&approved, &["OrderTimedOut"], false),
            (&approved, &["OrderApproved"], false),
            (&cancelled, &["OrderDeleted"], true),
            (&cancelled, &[], false),
            (&cancelled, &["OrderDeleted", "OrderDeleted"], false),
            (&cancelled, &["OrderDeleted", "OrderRejected"], false),
        ] {
            assert_eq!(published(order, &rows(types)).is_ok(), is_right, "{types:?}");
        }
    }

    #[test]
    fn a_late_approval_that_does_not_lapse_and_one_that_lapses_twice_are_found() {
        let late: Row = serde_json::from_value(json!({
            "eventId": "e", "eventType": "ApprovalLapsed", "aggregateId": "o",
        }))
        .unwrap();
        let timed_out = order("TIMED_OUT", 2, None);
        let cancelled = order("CANCELLED", 3, Some(1));
        for (order, rows, approvals, is_right) in [
            (&timed_out, std::slice::from_ref(&late), 1, true),
            (&timed_out, &[], 0, true),
            (&cancelled, &[], 1, true),
            (&timed_out, &[], 1, false),
            (&timed_out, &[late.clone(), late.clone()], 1, false),
            (&timed_out, std::slice::from_ref(&late), 0, false),
            (&cancelled, std::slice::from_ref(&late), 1, false),
        ] {
            assert_eq!(lapsed(order, rows, approvals).is_ok(), is_right, "{order:?} {rows:?}");
        }
    }

    #[test]
    fn a_repeated_serial_number_is_found_and_one_that_is_left_out_is_none() {
        let orders = |numbers: &[u32]| {
            numbers.iter().map(|it| order("APPROVED", 2, Some(*it))).collect::<Vec<_>>()
        };
        assert!(numbered(&orders(&[2, 1, 3]), 3).is_ok());
        assert!(numbered(&orders(&[1, 3]), 3).is_ok());
        assert!(numbered(&[], 0).is_ok());
        numbered(&orders(&[1, 1]), 2).unwrap_err();
        numbered(&orders(&[1, 3]), 2).unwrap_err();
        numbered(&orders(&[101]), 101).unwrap_err();
        let two_runs: Vec<u32> = (1..=100).chain([1, 2]).collect();
        assert!(numbered(&orders(&two_runs), 102).is_ok());
        numbered(&orders(&two_runs), 101).unwrap_err();
    }
}
