//! Orders, as clients submit them.

use lifecycle::FieldErrors;
use lifecycle::input::List;
use lifecycle::newtypes::{bounded_int, wire_enum};
use lifecycle::record::Key;
use schemars::JsonSchema;
use serde::Serialize;

use super::OrderId;
use crate::catalogue::{Product, ProductId};
use crate::people::AddressId;

/// A new order, as a client submits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderDraft {
    /// The id, if the client chooses it.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// The ordered items: 1 to 25 different products.
    pub items: List<OrderItem, 1, { OrderItems::LENGTH_MAX }>,
    /// The delivery address: one of the customer's addresses.
    pub address_id: AddressId,
    /// The payment method.
    pub payment_method: PaymentMethod,
}

/// A number of pieces of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderItem {
    /// The product.
    pub product_id: ProductId,
    /// The number of pieces.
    pub quantity: Quantity,
}

/// A well-formed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The id, if the client chose it.
    pub order_id: Option<OrderId>,
    /// The ordered items.
    pub items: OrderItems,
    /// The delivery address.
    pub address_id: AddressId,
    /// The payment method.
    pub payment_method: PaymentMethod,
}

impl PlaceOrder {
    /// The keys of the ordered products, in the order of the items.
    pub fn product_keys(&self) -> impl Iterator<Item = Key> {
        self.items.as_slice().iter().map(|item| Product::key_of(item.product_id))
    }
}

impl TryFrom<OrderDraft> for PlaceOrder {
    type Error = FieldErrors;

    fn try_from(draft: OrderDraft) -> Result<Self, FieldErrors> {
        Ok(Self {
            order_id: draft.order_id,
            items: draft.items.into_vec().try_into()?,
            address_id: draft.address_id,
            payment_method: draft.payment_method,
        })
    }
}

/// 1 to 25 items, each of a different product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderItems(Vec<OrderItem>);

impl OrderItems {
    /// The maximum number of items under any rules: with it a transaction stays far below the 100
    /// writes that `DynamoDB` allows.
    pub const LENGTH_MAX: usize = 25;

    /// The items, in the client's order.
    pub fn as_slice(&self) -> &[OrderItem] {
        &self.0
    }
}

impl TryFrom<Vec<OrderItem>> for OrderItems {
    type Error = FieldErrors;

    fn try_from(items: Vec<OrderItem>) -> Result<Self, FieldErrors> {
        if !(1..=Self::LENGTH_MAX).contains(&items.len()) {
            return Err(FieldErrors::one("/items", "must have 1 to 25 items"));
        }
        let mut field_errors = FieldErrors::none();
        for (index, item) in items.iter().enumerate() {
            if items[..index].iter().any(|earlier| earlier.product_id == item.product_id) {
                field_errors.add(
                    format!("/items/{index}/productId"),
                    "must not be repeated; raise the quantity of the first item instead",
                );
            }
        }
        field_errors.or(Self(items))
    }
}

bounded_int! {
    /// The number of pieces of one product in an order.
    Quantity: 1..=99
}

wire_enum! {
    /// A payment method.
    PaymentMethod {
        /// By a payment service.
        Online = "ONLINE",
        /// By card, on delivery.
        Card = "CARD",
        /// In cash, on delivery.
        Cash = "CASH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_1_to_25_items() {
        for (count, taken) in [(0, false), (1, true), (25, true), (26, false)] {
            let items: Vec<_> = (0..count).map(item).collect();
            assert_eq!(OrderItems::try_from(items).is_ok(), taken, "{count}");
        }
    }

    #[test]
    fn the_keys_of_the_products_are_in_the_order_of_the_items() {
        let order = PlaceOrder {
            order_id: None,
            items: OrderItems(vec![item(2), item(1)]),
            address_id: uuid::Uuid::nil().into(),
            payment_method: PaymentMethod::Card,
        };
        let keys = [item(2), item(1)].map(|item| Product::key_of(item.product_id));
        assert_eq!(order.product_keys().collect::<Vec<_>>(), keys);
    }

    #[test]
    fn every_repeated_product_is_named_by_its_pointer() {
        let field_errors =
            OrderItems::try_from(vec![item(1), item(2), item(1), item(1)]).unwrap_err();
        let fields: Vec<_> =
            field_errors.iter().map(|field_error| field_error.field.as_str()).collect();
        assert_eq!(fields, ["/items/2/productId", "/items/3/productId"]);
    }

    fn item(product: u8) -> OrderItem {
        let product_id = uuid::Uuid::from_bytes([product; 16]).into();
        OrderItem { product_id, quantity: Quantity::MIN }
    }
}
