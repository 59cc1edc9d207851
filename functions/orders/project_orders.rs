//! Consumer of the queue `order_projections`: updates the read model of customers' orders after a
//! cancellation, and after an approval whose commit has no summary.

use aws::{OrNotFound, Table, batch_get};
use domain::orders::{Order, OrderApproved, OrderDeleted, OrderId, OrderSummary};
use domain::people::{Address, User};
use domain::resources::{ADDRESSES, ORDER_PROJECTIONS, ORDER_SUMMARIES, ORDERS, USERS};
use lifecycle::Consumer;
use lifecycle::effects::EventData;
use lifecycle::prelude::*;
use serde::Deserialize;
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| ProjectOrders {
        orders: aws.table(),
        summaries: aws.table(),
        customers: aws.table(),
        addresses: aws.table(),
    })
}

struct ProjectOrders {
    orders: Table<Order>,
    summaries: Table<OrderSummary>,
    customers: Table<User>,
    addresses: Table<Address>,
}

impl Consumer for ProjectOrders {
    const SOURCE: Source = Source::Queue(ORDER_PROJECTIONS);

    /// The version of a summary shows that it was stored.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources = &[
        Resource::Table(ORDERS, &[BatchGetItem]),
        Resource::Table(ORDER_SUMMARIES, &[BatchGetItem, PutItem]),
        Resource::Table(USERS, &[BatchGetItem]),
        Resource::Table(ADDRESSES, &[BatchGetItem]),
    ];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: only the id; stage 6 reads the order as it is now
    type Command = Changed;

    // 6. Retrieval: the order's current summary, and the stored one. The write has a condition on
    // the stored one
    type Facts = Facts;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        Changed { order_id }: &Changed,
    ) -> Retrieved<Facts> {
        let order = self.orders.one(Order::key_of(*order_id));
        let stored = self.summaries.one(OrderSummary::key_of(*order_id)).guarded();
        let (order, stored) = batch_get(permit, (order, stored)).await?;
        let order = order.or_not_found()?;
        let customer = self.customers.one(User::key_of(order.user_id)).lagging();
        let address = self.addresses.one(Address::key_of(order.address_id)).lagging();
        let (customer, address) = batch_get(permit, (customer, address)).await?;
        let current = OrderSummary::of(&order, customer.as_ref(), &address.or_not_found()?);
        Ok(Facts { current, stored })
    }

    // 7. and 8. A newer summary is stored. A late or repeated event changes nothing.
    fn decide(_: &Moment, _: &Changed, facts: Facts) -> Result<Effects, DomainError> {
        let version = facts.stored.map_or(0, |stored| stored.version);
        let newer = facts.current.filter(|current| current.version > version);
        Ok(Effects::none().writes_of(newer.as_ref().map(OrderSummary::store)))
    }
}

/// The changed order. All events about orders have this field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    order_id: OrderId,
}

impl TryFrom<Envelope<Value>> for Changed {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Value>) -> Result<Self, FieldErrors> {
        match envelope.event_type.as_str() {
            OrderApproved::TYPE | OrderDeleted::TYPE => envelope.read(),
            _ => Err(envelope.unknown_type()),
        }
    }
}

/// An order's summary.
struct Facts {
    /// Of the order as it is now; none if the order does not belong in the projection.
    current: Option<OrderSummary>,
    /// As stored in the projection.
    stored: Option<OrderSummary>,
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, approved_order, envelope, home, moment};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_newer_summary_is_stored_and_a_late_or_repeated_event_is_ignored() {
        for (stored, writes) in [(None, 1), (Some(1), 1), (Some(2), 0), (Some(3), 0)] {
            let stored = stored.map(|version| OrderSummary { version, ..summary() });
            let facts = Facts { current: Some(summary()), stored };
            let changed = Changed { order_id: order_id() };
            let effects = ProjectOrders::decide(&moment(), &changed, facts).unwrap();
            assert_eq!(effects.writes().len(), writes);
        }
    }

    #[test]
    fn events_that_change_the_projection_are_read_and_others_are_poison() {
        let data = json!({ "orderId": order_id() });
        for event_type in ["OrderApproved", "OrderDeleted"] {
            let changed = Changed::try_from(envelope(event_type, data.clone()));
            assert_eq!(changed.unwrap().order_id, order_id());
        }
        assert!(Changed::try_from(envelope("OrderCreated", data)).is_err());
        assert!(Changed::try_from(envelope("OrderApproved", json!({}))).is_err());
    }

    fn summary() -> OrderSummary {
        OrderSummary::of(&approved_order(), Some(&ann()), &home()).unwrap()
    }

    fn order_id() -> OrderId {
        approved_order().order_id
    }
}
