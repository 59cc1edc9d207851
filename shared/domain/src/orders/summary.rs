//! The read model: summaries of orders for their customers.

use lifecycle::Timestamp;
use lifecycle::effects::{Condition, Write};
use lifecycle::record::{IndexKey, Key, Record, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Order, OrderId, OrderLine, OrderStatus, PaymentMethod, Quantity, SerialNumber};
use crate::catalogue::{Money, Price, ProductId, ProductName};
use crate::people::{Address, PersonName, User, UserId};
use crate::resources::{BY_CUSTOMER, ORDER_SUMMARIES};

/// A summary as it is stored in the projection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// The part that clients see.
    #[serde(flatten)]
    pub shown: OrderSummaryView,
    /// The version of the order that this is a summary of.
    pub version: u64,
}

impl OrderSummary {
    /// The summary of an order that is, or has been, approved; `None` for any other order.
    ///
    /// There is no customer record for a user of an outside issuer.
    pub fn of(order: &Order, customer: Option<&User>, address: &Address) -> Option<Self> {
        let belongs = matches!(order.status, OrderStatus::Approved | OrderStatus::Cancelled);
        belongs.then(|| Self {
            shown: OrderSummaryView {
                order_id: order.order_id,
                order_status: order.status,
                payment_method: order.payment_method,
                client: Client {
                    client_id: order.user_id,
                    client_name: customer.map(|customer| customer.name.clone()),
                },
                address: on_one_line(address),
                serial_number: order.serial_number,
                products: order.items.iter().map(OrderedProduct::of).collect(),
                total_price: order.total,
                created_at: order.created_at,
            },
            version: order.version,
        })
    }

    /// The key of the summary of an order.
    pub fn key_of(order_id: OrderId) -> Key {
        Key::new(order_id)
    }

    /// Stores the summary, if the stored one is older: events may come late, or twice.
    pub fn store(&self) -> Write {
        Write::put(self).when(below(self.version))
    }

    /// Stores the summary, unless the stored one is newer. One of the same version is overwritten,
    /// since it may be damaged.
    pub fn restore(&self) -> Write {
        Write::put(self).when(below(self.version + 1))
    }

    /// Removes the summary of an order that does not belong in the projection, unless a newer one
    /// is stored.
    pub fn remove(order: &Order) -> Write {
        Write::delete::<Self>(Self::key_of(order.order_id)).when(below(order.version + 1))
    }
}

impl Record for OrderSummary {
    const TABLE: TableName = ORDER_SUMMARIES;

    fn key(&self) -> Key {
        Self::key_of(self.shown.order_id)
    }

    /// Only approved orders are in the index. The summary of a cancelled order stays in the table,
    /// so that a late event of its approval meets a newer version.
    fn indexed(&self) -> Vec<IndexKey> {
        let OrderSummaryView { order_id, created_at, client, .. } = &self.shown;
        let place = || IndexKey {
            index: BY_CUSTOMER,
            partition: client.client_id.to_string(),
            position: format!("{created_at}#{order_id}"),
        };
        let approved = self.shown.order_status == OrderStatus::Approved;
        approved.then(place).into_iter().collect()
    }
}

/// A summary as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummaryView {
    /// Its id.
    pub order_id: OrderId,
    /// The status of the order.
    pub order_status: OrderStatus,
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The customer.
    pub client: Client,
    /// The delivery address on one line: `Country, City, Street, 44`.
    pub address: String,
    /// The serial number, given on approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// The ordered products.
    pub products: Vec<OrderedProduct>,
    /// The total price, shipping included.
    pub total_price: Money,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// The customer in a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrderClient")]
pub struct Client {
    /// The customer's id.
    pub client_id: UserId,
    /// The customer's name; absent for a user of an outside issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<PersonName>,
}

/// A number of pieces of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderedProduct {
    /// The product.
    pub product_id: ProductId,
    /// Its name when it was ordered.
    pub name: ProductName,
    /// The number of pieces.
    pub quantity: Quantity,
    /// The price of one piece, after the discount.
    pub actual_price: Price,
}

impl OrderedProduct {
    fn of(line: &OrderLine) -> Self {
        Self {
            product_id: line.product_id,
            name: line.name.clone(),
            quantity: line.quantity,
            actual_price: line.actual_price,
        }
    }
}

/// The condition that nothing is stored, or a version below this one.
fn below(version: u64) -> Condition {
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    Condition::Any(vec![Condition::Absent, Condition::Below("version", version)])
}

fn on_one_line(address: &Address) -> String {
    let Address { country, city, street_name, building_number, .. } = address;
    format!("{country}, {city}, {street_name}, {}", building_number.get())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::examples::{ann, approved_order, home};

    #[test]
    fn a_summary_has_every_field_that_the_customer_sees() {
        let (order, customer, address) = (approved_order(), ann(), home());
        let summary = OrderSummary::of(&order, Some(&customer), &address).unwrap();
        let line = &order.items[0];
        let expected = json!({
            "orderId": order.order_id, "orderStatus": "APPROVED", "paymentMethod": "CARD",
            "client": { "clientId": customer.user_id, "clientName": "Ann" },
            "address": "DE, City, Street, 44", "serialNumber": 7,
            "products": [{ "productId": line.product_id, "name": "Lamp", "quantity": 2,
                "actualPrice": { "amount": 180, "currency": "EUR" } }],
            "totalPrice": { "amount": 850, "currency": "EUR" },
            "createdAt": order.created_at,
        });
        assert_eq!(serde_json::to_value(&summary.shown).unwrap(), expected);
        let item: serde_dynamo::Item = serde_dynamo::to_item(&summary).unwrap();
        assert_eq!(serde_dynamo::from_item::<_, OrderSummary>(item).unwrap(), summary);
    }

    #[test]
    fn a_stored_summary_is_replaced_by_a_newer_one_and_restored_over_the_same() {
        let order = approved_order();
        let summary = OrderSummary::of(&order, None, &home()).unwrap();
        for (write, below_version) in [
            (summary.store(), order.version),
            (summary.restore(), order.version + 1),
            (OrderSummary::remove(&order), order.version + 1),
        ] {
            assert_eq!(write.condition, Some(below(below_version)), "{write:?}");
        }
    }

    #[test]
    fn only_an_approved_order_is_indexed_and_a_cancelled_one_is_kept() {
        for (status, kept, found) in [
            (OrderStatus::Pending, false, false),
            (OrderStatus::Approved, true, true),
            (OrderStatus::Rejected, false, false),
            (OrderStatus::TimedOut, false, false),
            (OrderStatus::Cancelled, true, false),
        ] {
            let order = Order { status, ..approved_order() };
            let summary = OrderSummary::of(&order, None, &home());
            assert_eq!(summary.is_some(), kept, "{status:?}");
            assert_eq!(summary.is_some_and(|kept| !kept.indexed().is_empty()), found, "{status:?}");
        }
    }
}
