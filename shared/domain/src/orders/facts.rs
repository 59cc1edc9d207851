//! The facts for the decision on an order: what it needs of the records that it names.

use lifecycle::record::Excerpt;
use serde::Deserialize;

use crate::BusinessRules;
use crate::catalogue::{Discount, Pieces, Price, Product, ProductId, ProductName};
use crate::people::{Address, Tier, User, UserId};

/// The facts for the decision on an order.
#[derive(Debug, Clone)]
pub struct OrderFacts {
    /// The ordered products, in the order of the items; `None` for one that does not exist.
    pub products: Vec<Option<OfferedProduct>>,
    /// The owner of the address that the order names.
    pub address: Option<AddressOwner>,
    /// The customer's tier. Users of outside issuers have no record here.
    pub customer: Option<CustomerTier>,
    /// The parameters of the rules.
    pub rules: BusinessRules,
}

/// What an order needs of a product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferedProduct {
    /// Its id.
    pub product_id: ProductId,
    /// Its name.
    pub name: ProductName,
    /// The price of one piece, before the discount.
    pub price: Price,
    /// The discount on the price.
    pub discount: Discount,
    /// The number of pieces in stock.
    pub stock: Pieces,
    /// Whether it can be ordered.
    pub available: bool,
}

/// What an order needs of an address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressOwner {
    /// The user it belongs to.
    pub user_id: UserId,
}

/// What an order needs of a user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerTier {
    /// Their tier as a customer.
    pub tier: Tier,
}

impl OfferedProduct {
    /// The price that a customer pays for one piece.
    pub fn actual_price(&self) -> Price {
        self.price.less(self.discount)
    }
}

impl Excerpt for OfferedProduct {
    type Of = Product;
    const ATTRIBUTES: &'static [&'static str] =
        &["productId", "name", "price", "discount", "stock", "available"];
}

impl Excerpt for AddressOwner {
    type Of = Address;
    const ATTRIBUTES: &'static [&'static str] = &["userId"];
}

impl Excerpt for CustomerTier {
    type Of = User;
    const ATTRIBUTES: &'static [&'static str] = &["tier"];
}

impl From<Product> for OfferedProduct {
    fn from(product: Product) -> Self {
        let Product { product_id, name, price, discount, stock, available, .. } = product;
        Self { product_id, name, price, discount, stock, available }
    }
}

impl From<Address> for AddressOwner {
    fn from(address: Address) -> Self {
        Self { user_id: address.user_id }
    }
}

impl From<User> for CustomerTier {
    fn from(user: User) -> Self {
        Self { tier: user.tier }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use lifecycle::record::item_of;
    use serde_dynamo::Item;

    use super::*;
    use crate::examples::{ann, home, lamp};

    /// Reads an excerpt from the attributes that it names.
    fn read<E>(record: <E as Excerpt>::Of)
    where
        E: Excerpt + From<<E as Excerpt>::Of> + PartialEq + Debug,
    {
        let mut item = item_of(&record).into_inner();
        item.retain(|name, _| E::ATTRIBUTES.contains(&name.as_str()));
        assert_eq!(E::of_item(Item::from(item)).unwrap(), E::from(record));
    }

    #[test]
    fn the_attributes_of_each_excerpt_suffice_for_it() {
        read::<OfferedProduct>(lamp());
        read::<AddressOwner>(home());
        read::<CustomerTier>(ann());
    }
}
