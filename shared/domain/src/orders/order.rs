//! Orders as they are stored, published and shown.

use lifecycle::effects::{Event, EventData, Write};
use lifecycle::newtypes::{bounded_int, wire_enum};
use lifecycle::record::{IndexKey, Key, Record, TableName};
use lifecycle::{EntityTag, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrderId, PaymentMethod, Quantity};
use crate::catalogue::{Money, Price, Product, ProductId, ProductName, StockPart};
use crate::people::{AddressId, UserId};
use crate::resources::{BY_CREATION, BY_DEADLINE, ORDERS};

/// An order as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id.
    pub order_id: OrderId,
    /// The customer.
    pub user_id: UserId,
    /// Its status.
    pub status: OrderStatus,
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The ordered items, at the prices of that moment.
    pub items: Vec<OrderLine>,
    /// The delivery address.
    pub address_id: AddressId,
    /// The shipping price.
    pub shipping: Money,
    /// The total price, shipping included.
    pub total: Money,
    /// The serial number, given on approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// The parts of the stock that its pieces return to, of products whose stock is in parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_from: Vec<TakenFrom>,
    /// Increases with every change.
    pub version: u64,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The deadline for the approval of its customer. An order that was stored before there were
    /// deadlines is overdue.
    #[serde(default = "long_ago")]
    pub settle_by: Timestamp,
    /// The id of [`OrderCreated`], which this item carries: while the order is pending, it may have
    /// to be announced again. None if the order was stored with a row of the outbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_event_id: Option<String>,
}

impl Order {
    /// The key of an order.
    pub fn key_of(order_id: OrderId) -> Key {
        Key::new(order_id)
    }

    /// The tag of this version.
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::of_version(self.version)
    }

    /// Returns the ordered pieces to the stock, those of a product in parts to the part that they came
    /// from: orders that return pieces spread like orders that take them.
    pub fn return_stock(&self) -> impl Iterator<Item = Write> {
        self.items.iter().map(move |OrderLine { product_id, quantity, .. }| {
            let taken = self.taken_from.iter().find(|taken| taken.product_id == *product_id);
            match taken {
                Some(taken) => StockPart::add(*product_id, taken.part, quantity.get()),
                None => Product::give_back(*product_id, quantity.get()),
            }
        })
    }

    /// [`OrderCreated`], with the same id in each function that announces it.
    pub fn created_event(&self) -> Event {
        let event = Event::about(self.order_id, &self.created());
        match &self.created_event_id {
            Some(id) => event.known_as(id),
            None => event,
        }
    }

    /// The event about the placed order.
    pub fn created(&self) -> OrderCreated {
        OrderCreated {
            order_id: self.order_id,
            user_id: self.user_id,
            payment_method: self.payment_method,
            items: self.items.clone(),
            address_id: self.address_id,
            shipping: self.shipping,
            total: self.total,
            created_at: self.created_at,
        }
    }
}

impl Record for Order {
    const TABLE: TableName = ORDERS;

    fn key(&self) -> Key {
        Self::key_of(self.order_id)
    }

    /// All orders are in the index by creation, and pending ones also in the index by deadline.
    fn indexed(&self) -> Vec<IndexKey> {
        let id = self.order_id;
        let place = |index, time| IndexKey::sharded(index, id, format_args!("{time}#{id}"));
        let mut places = vec![place(BY_CREATION, self.created_at)];
        if self.status == OrderStatus::Pending {
            places.push(place(BY_DEADLINE, self.settle_by));
        }
        places
    }
}

fn long_ago() -> Timestamp {
    Timestamp::from_millis(0)
}

/// A number of pieces of one product, at the price when they were ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name.
    pub name: ProductName,
    /// The number of pieces.
    pub quantity: Quantity,
    /// The price of one piece, before the discount.
    pub unit_price: Price,
    /// The price of one piece, after the discount.
    pub actual_price: Price,
}

impl OrderLine {
    /// The price of all pieces together.
    pub fn total(&self) -> Money {
        self.actual_price.times(self.quantity.get())
    }
}

/// The part of a product's stock that an order took its pieces from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakenFrom {
    /// The product.
    pub product_id: ProductId,
    /// The number of the part.
    pub part: u16,
}

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCreated {
    /// The order.
    pub order_id: OrderId,
    /// The customer.
    pub user_id: UserId,
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The ordered items.
    pub items: Vec<OrderLine>,
    /// The delivery address.
    pub address_id: AddressId,
    /// The shipping price.
    pub shipping: Money,
    /// The total price, shipping included.
    pub total: Money,
    /// When it was placed.
    pub created_at: Timestamp,
}

impl EventData for OrderCreated {
    const TYPE: &'static str = "OrderCreated";
}

/// An order as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// Its id.
    pub order_id: OrderId,
    /// The customer.
    pub user_id: UserId,
    /// Its status.
    pub status: OrderStatus,
    /// The payment method.
    pub payment_method: PaymentMethod,
    /// The ordered items, at the prices of that moment.
    pub items: Vec<OrderLine>,
    /// The shipping price.
    pub shipping: Money,
    /// The total price, shipping included.
    pub total: Money,
    /// The serial number, given on approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            order_id: order.order_id,
            user_id: order.user_id,
            status: order.status,
            payment_method: order.payment_method,
            items: order.items,
            shipping: order.shipping,
            total: order.total,
            serial_number: order.serial_number,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

bounded_int! {
    /// The serial number of an approved order: from 1 to 100, then from 1 again.
    SerialNumber: 1..=100
}

wire_enum! {
    /// The status of an order.
    OrderStatus {
        /// It waits for the approval of its customer.
        Pending = "PENDING",
        /// Its customer is approved.
        Approved = "APPROVED",
        /// Its customer is not approved.
        Rejected = "REJECTED",
        /// The deadline passed without a decision on its customer.
        TimedOut = "TIMED_OUT",
        /// It was cancelled.
        Cancelled = "CANCELLED",
    }
}
