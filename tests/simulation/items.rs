//! Stored items as plain values, read without the types of the store: a mistake in a type must not
//! hide itself.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use simulation::world::{Event, Happened, View};

/// The tables that oracles read, by their logical ids.
pub mod tables {
    /// Users, claims to e-mail addresses, and known sources.
    pub const USERS: &str = "UsersTable";
    /// Marked mail addresses.
    pub const MAIL_ADDRESSES: &str = "MailAddressesTable";
    /// Postal addresses.
    pub const ADDRESSES: &str = "AddressesTable";
    /// Products, and claims to names.
    pub const PRODUCTS: &str = "ProductsTable";
    /// Orders.
    pub const ORDERS: &str = "OrdersTable";
    /// The projection.
    pub const SUMMARIES: &str = "OrderSummariesTable";
    /// Credit accounts and reservations.
    pub const CREDITS: &str = "CreditsTable";
    /// Articles.
    pub const ARTICLES: &str = "ArticlesTable";
    /// Objects.
    pub const OBJECTS: &str = "ObjectsTable";
    /// Stored responses and inbox records.
    pub const LEDGER: &str = "LedgerTable";
    /// The outbox.
    pub const OUTBOX: &str = "OutboxTable";
    /// Calls of upstreams.
    pub const COMMUNICATIONS: &str = "CommunicationsTable";
    /// The circuits of upstreams.
    pub const CIRCUITS: &str = "CircuitsTable";
    /// The rules.
    pub const SETTINGS: &str = "SettingsTable";
}

/// The plain JSON of an item in `DynamoDB`'s JSON.
pub fn plain(item: &Value) -> Value {
    let Value::Object(attributes) = item else { return Value::Null };
    let plain = attributes.iter().map(|(name, value)| (name.clone(), attribute(value)));
    Value::Object(plain.collect::<Map<_, _>>())
}

fn attribute(value: &Value) -> Value {
    let Some((kind, content)) = value.as_object().and_then(|value| value.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), content) {
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_default(),
        ("NULL", _) => Value::Null,
        ("M", map) => plain(map),
        ("L", Value::Array(list)) => list.iter().map(attribute).collect(),
        ("NS", Value::Array(numbers)) => numbers
            .iter()
            .filter_map(|number| serde_json::from_str::<Value>(number.as_str()?).ok())
            .collect(),
        (_, other) => other.clone(),
    }
}

/// The items of a table that have these fields, as plain values.
pub fn all<T: DeserializeOwned>(view: &View<'_>, table: &str) -> Vec<T> {
    let items = view.items(table).into_iter();
    items.filter_map(|item| serde_json::from_value(plain(&item)).ok()).collect()
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Money {
    /// In minor units.
    pub amount: i64,
    /// The currency.
    pub currency: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id.
    pub order_id: String,
    /// Its customer.
    pub user_id: String,
    /// Its status.
    pub status: String,
    /// The ordered lines.
    pub items: Vec<Line>,
    /// The total.
    pub total: Money,
    /// The serial number of an approved order.
    pub serial_number: Option<u32>,
    /// The version.
    pub version: u64,
}

impl Order {
    /// Whether its pieces are out of stock.
    pub fn holds_stock(&self) -> bool {
        matches!(self.status.as_str(), "PENDING" | "APPROVED")
    }
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The product.
    pub product_id: String,
    /// The pieces.
    pub quantity: i64,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id.
    pub product_id: String,
    /// The pieces in stock.
    pub stock: i64,
}

/// A credit account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The customer.
    pub user_id: String,
    /// The currency.
    pub currency: String,
    /// The reserved amount.
    pub reserved: i64,
}

/// The reservation of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The order.
    pub order_id: String,
    /// The customer.
    pub user_id: String,
    /// The amount.
    pub amount: Money,
    /// `HELD` or `RELEASED`.
    pub status: String,
}

/// A summary in the projection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The order.
    pub order_id: String,
    /// Its status.
    pub order_status: String,
    /// The total price.
    pub total_price: Money,
    /// The serial number.
    pub serial_number: Option<u32>,
    /// The version of the order.
    pub version: u64,
}

/// An event in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its id.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// The id of its aggregate.
    pub aggregate_id: String,
    /// Its data.
    #[serde(default)]
    pub data: Value,
    /// When it was relayed.
    pub relayed_at: Option<String>,
    /// When it was set aside.
    pub set_aside_at: Option<String>,
}

/// An article.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Article {
    /// Its id.
    pub article_id: String,
    /// Its author.
    pub author_id: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub content: String,
    /// `DRAFT` or `PUBLISHED`.
    pub status: String,
    /// The editors who approved it.
    pub approvals: BTreeSet<String>,
    /// The version.
    pub version: u64,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Their id.
    pub user_id: String,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Whether the address is proven.
    pub email_verified: bool,
}

/// Notices the writes of some tables.
#[derive(Debug, Clone)]
pub struct Writes {
    tables: &'static [&'static str],
    open: BTreeSet<u64>,
}

/// The operations that write.
const WRITES: [&str; 5] =
    ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];

impl Writes {
    /// Notices the writes of these tables.
    pub fn of(tables: &'static [&'static str]) -> Self {
        Self { tables, open: BTreeSet::new() }
    }

    /// Whether a write of one of the tables was just performed.
    pub fn happened(&mut self, event: &Event) -> bool {
        match &event.what {
            Happened::Called { call, operation, body, .. } => {
                let writes = operation.rsplit('.').next().is_some_and(|it| WRITES.contains(&it));
                if writes && self.tables.iter().any(|table| body.contains(table)) {
                    self.open.insert(*call);
                }
                false
            }
            Happened::Performed { call, status, .. } => self.open.remove(call) && *status == 200,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_plain_json_without_its_types() {
        let item = json!({
            "pk": { "S": "a" }, "stock": { "N": "7" }, "on": { "BOOL": true }, "no": { "NULL": true },
            "names": { "SS": ["x", "y"] }, "numbers": { "NS": ["1"] },
            "lines": { "L": [{ "M": { "quantity": { "N": "2" } } }] },
        });
        let expected = json!({
            "pk": "a", "stock": 7, "on": true, "no": null, "names": ["x", "y"], "numbers": [1],
            "lines": [{ "quantity": 2 }],
        });
        assert_eq!(plain(&item), expected);
    }

    #[test]
    fn the_performed_writes_of_a_table_are_noticed_and_no_reads() {
        let mut writes = Writes::of(&["OrdersTable"]);
        let called = |call, operation: &str, table: &str| Happened::Called {
            call,
            function: "F".to_owned(),
            invocation: None,
            operation: format!("DynamoDB_20120810.{operation}"),
            body: json!({ "TableName": table }).to_string(),
        };
        let performed = |call, status| Happened::Performed { call, status, body: String::new() };
        let happened = [
            (called(1, "PutItem", "OrdersTable"), false),
            (called(2, "GetItem", "OrdersTable"), false),
            (called(3, "PutItem", "UsersTable"), false),
            (called(4, "UpdateItem", "OrdersTable"), false),
            (performed(1, 200), true),
            (performed(1, 200), false),
            (performed(2, 200), false),
            (performed(3, 200), false),
            (performed(4, 400), false),
        ];
        for (number, (what, noticed)) in happened.into_iter().enumerate() {
            let number = u64::try_from(number).unwrap();
            let event = Event { number, at: simulation::Millis(0), what };
            assert_eq!(writes.happened(&event), noticed, "{event:?}");
        }
    }
}
