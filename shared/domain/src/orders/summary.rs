//! The projection: orders as their customers look at them.

use lifecycle::Timestamp;
use lifecycle::effects::{Condition, Write};
use lifecycle::record::{IndexKey, Key, Record, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Order, OrderId, OrderLine, OrderStatus, PaymentMethod, Quantity, SerialNumber};
use crate::catalogue::{Money, Price, ProductId, ProductName};
use crate::people::{Address, PersonName, User, UserId};
use crate::tables::{BY_CUSTOMER, ORDER_SUMMARIES};

/// An order as the projection keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// What is shown of it.
    #[serde(flatten)]
    pub shown: OrderSummaryView,
    /// The version of the order that this is a summary of.
    pub version: u64,
}

impl OrderSummary {
    /// The summary of an order that is, or has been, approved; others are not in the projection.
    ///
    /// The customer is missing where an outside issuer knows them.
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

    /// Stores the summary, unless what is stored is as new: events may come twice, and late.
    pub fn store(&self) -> Write {
        Write::put(self).when(below(self.version))
    }

    /// Stores the summary, unless what is stored is newer: what is as new may be damaged.
    pub fn restore(&self) -> Write {
        Write::put(self).when(below(self.version + 1))
    }

    /// Removes the summary of an order that does not belong in the projection, unless the order
    /// has moved on.
    pub fn remove(order: &Order) -> Write {
        Write::delete::<Self>(Self::key_of(order.order_id)).when(below(order.version + 1))
    }
}

impl Record for OrderSummary {
    const TABLE: Table = ORDER_SUMMARIES;

    fn key(&self) -> Key {
        Self::key_of(self.shown.order_id)
    }

    /// Only what is approved is found. What was cancelled stays, so that an event of its approval
    /// that comes late meets something newer.
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

/// An order as its customer is shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummaryView {
    /// Its id.
    pub order_id: OrderId,
    /// How far it has come.
    pub order_status: OrderStatus,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// The customer.
    pub client: Client,
    /// Where it goes, as one line: `Country, City, Street, 44`.
    pub address: String,
    /// Given on approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// What is ordered.
    pub products: Vec<OrderedProduct>,
    /// What everything costs together, shipping included.
    pub total_price: Money,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// A customer as an order shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrderClient")]
pub struct Client {
    /// Their id.
    pub client_id: UserId,
    /// How they want to be called; absent for somebody whom an outside issuer knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<PersonName>,
}

/// Some pieces of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderedProduct {
    /// The product.
    pub product_id: ProductId,
    /// Its name when it was ordered.
    pub name: ProductName,
    /// How many pieces.
    pub quantity: Quantity,
    /// What one piece cost.
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

/// Nothing is stored, or something of an older version than this.
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
    fn a_summary_says_everything_that_the_customer_is_shown() {
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
    fn only_an_approved_order_is_found_and_a_cancelled_one_stays() {
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
