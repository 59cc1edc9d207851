//! Stored items as plain values, read without the types of the store: a mistake in a type must not
//! hide itself.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
pub use simulation::evidence::{Writes, records as all};

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
    /// The last position of serial numbers.
    pub const COUNTERS: &str = "CountersTable";
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
    /// The id of the event that the order carries.
    pub created_event_id: Option<String>,
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
    /// The pieces in stock that are not in parts.
    pub stock: i64,
}

/// A part of the stock of a product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockPart {
    /// The product.
    pub product_id: String,
    /// The number of the part.
    pub part: u16,
    /// Its pieces.
    pub pieces: i64,
}

/// The last position of serial numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SerialNumbers {
    /// The position, from 1.
    pub last: u64,
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
