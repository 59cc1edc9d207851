//! The projection: it has the orders that are or were approved, as they are.

use simulation::evidence::dead_letters;
use simulation::world::{Oracle, View};

use crate::items::{self, Order, Summary, tables};

pub(super) const NAME: &str = "the projection equals the write model";

/// Checks the world at rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projection;

impl Oracle for Projection {
    fn name(&self) -> &str {
        NAME
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let (orders, summaries) =
            (items::all(view, tables::ORDERS), items::all(view, tables::SUMMARIES));
        equal(&orders, &summaries, &dead_letters(view))
    }
}

fn equal(orders: &[Order], summaries: &[Summary], excused: &str) -> Result<(), String> {
    for order in orders.iter().filter(|order| !excused.contains(&order.order_id)) {
        let expected = matches!(order.status.as_str(), "APPROVED" | "CANCELLED");
        let summary = summaries.iter().find(|summary| summary.order_id == order.order_id);
        let is_right = match summary {
            None => !expected,
            Some(summary) => {
                expected
                    && summary.order_status == order.status
                    && summary.total_price == order.total
                    && summary.serial_number == order.serial_number
                    && summary.version == order.version
            }
        };
        if !is_right {
            return Err(format!("{order:?} is summarised as {summary:?}"));
        }
    }
    let of_none =
        summaries.iter().find(|it| !orders.iter().any(|order| order.order_id == it.order_id));
    of_none.map_or(Ok(()), |summary| Err(format!("there is no order of {summary:?}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_or_an_older_summary_is_found() {
        let total = json!({ "amount": 7, "currency": "EUR" });
        let order = |status: &str, version: u64| -> Order {
            serde_json::from_value(json!({
                "orderId": "o", "userId": "u", "status": status, "version": version, "items": [],
                "total": total, "serialNumber": 3,
            }))
            .unwrap()
        };
        let summary = |status: &str, version: u64| -> Summary {
            serde_json::from_value(json!({
                "orderId": "o", "orderStatus": status, "totalPrice": total, "serialNumber": 3,
                "version": version,
            }))
            .unwrap()
        };
        let approved = [order("APPROVED", 2)];
        assert!(equal(&approved, &[summary("APPROVED", 2)], "").is_ok());
        assert!(equal(&[order("PENDING", 1)], &[], "").is_ok());
        assert!(equal(&approved, &[], "the order of o").is_ok());
        equal(&approved, &[], "").unwrap_err();
        equal(&[order("CANCELLED", 3)], &[summary("APPROVED", 2)], "").unwrap_err();
        equal(&[], &[summary("APPROVED", 2)], "").unwrap_err();
    }
}
