//! The rows of growing tables, by their number.

use std::sync::LazyLock;

use domain::examples::{ann, approved_order, home, outbox_row, pending_order};
use domain::orders::{Order, OrderId, OrderSummary};
use domain::people::{User, UserId};
use lifecycle::commit::OutboxRow;
use lifecycle::record::{Record, TableName};
use lifecycle::{Timestamp, clock};
use serde_json::Value;
use tooling::Error;
use uuid::Uuid;

use crate::items::stored;

/// The time between the creations of two orders.
const APART_S: i64 = 1;
/// Longer than the measurement.
const PENDING_S: i64 = 24 * 60 * 60;
/// Longer than a row of the outbox waits before the sweeper relays it.
const OVERDUE_S: i64 = 600;
/// The summaries of the customer whose list is read: as many with every number of rows.
const OF_ONE_CUSTOMER: u32 = 50;

/// The time of all rows, so that a row is the same each time that it is made.
static STARTED: LazyLock<Timestamp> = LazyLock::new(clock::now);

/// The id of a row. Ids of neighbours are far from each other, as random ones are.
pub(super) fn id(number: u32) -> Uuid {
    // An odd factor keeps different numbers different.
    Uuid::from_u128(
        u128::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
    )
}

/// A pending order.
pub(super) fn order(number: u32) -> Result<(TableName, Value), Error> {
    item(&numbered(pending_order(), number))
}

/// The summary of an approved order. The first ones are the customer's, the others of others.
pub(super) fn summary(number: u32, customer: &User) -> Result<(TableName, Value), Error> {
    let mut order = numbered(approved_order(), number);
    order.user_id = if number < OF_ONE_CUSTOMER {
        customer.user_id
    } else {
        UserId::from(id(number / OF_ONE_CUSTOMER))
    };
    let summary = OrderSummary::of(&order, Some(customer), &home());
    item(&summary.ok_or("an approved order has a summary")?)
}

fn numbered(mut order: Order, number: u32) -> Order {
    order.order_id = OrderId::from(id(number));
    order.created_at = order.created_at.plus_seconds(i64::from(number) * APART_S);
    order.settle_by = STARTED.plus_seconds(PENDING_S);
    order
}

/// The records that each order names: its customer and the address.
pub(super) fn named() -> Result<Vec<(TableName, Value)>, Error> {
    Ok(vec![item(&ann())?, item(&home())?])
}

/// A row of the outbox that was relayed.
pub(super) fn relayed(number: u32) -> Result<(TableName, Value), Error> {
    let mut row = waiting(id(number));
    row.relayed_at = Some(*STARTED);
    item(&row)
}

/// A row of the outbox that has waited for too long.
pub(super) fn waiting(event_id: Uuid) -> OutboxRow {
    let mut row = outbox_row("OrderCreated");
    row.envelope.event_id = event_id.to_string();
    row.envelope.aggregate_id = event_id.to_string();
    row.envelope.occurred_at = STARTED.plus_seconds(-OVERDUE_S);
    row
}

/// A record with its table, in DynamoDB's JSON.
pub(super) fn item<R: Record>(record: &R) -> Result<(TableName, Value), Error> {
    Ok((R::TABLE, stored(record)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::resources::BY_CUSTOMER;

    use super::*;

    #[test]
    fn each_number_has_another_row() {
        let ids: BTreeSet<_> = (0..1_000).map(id).collect();
        assert_eq!(ids.len(), 1_000);
        let of_ann = (0..200).filter(|number| {
            let (_, row) = summary(*number, &ann()).unwrap();
            row[BY_CUSTOMER.partition_attribute()]["S"] == ann().user_id.to_string()
        });
        assert_eq!(of_ann.count(), 50);
    }

    #[test]
    fn only_a_waiting_row_is_in_the_index_of_waiting_ones() {
        let (_, relayed) = relayed(1).unwrap();
        let (_, waiting) = item(&waiting(id(2))).unwrap();
        let index = lifecycle::commit::BY_WAITING.partition_attribute();
        assert_eq!([relayed.get(&index).is_some(), waiting.get(&index).is_some()], [false, true]);
    }
}
