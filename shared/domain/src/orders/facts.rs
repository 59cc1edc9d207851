//! The facts for the decision on an order: the needed attributes of the records that it names.

use lifecycle::record::Excerpt;
use serde::Deserialize;

use crate::BusinessRules;
use crate::catalogue::{OfferedProduct, Supply};
use crate::people::{Address, Tier, User, UserId};

/// The facts for the decision on an order.
#[derive(Debug, Clone)]
pub struct OrderFacts {
    /// The ordered products, in the order of the items; `None` for one that does not exist.
    pub products: Vec<Option<OfferedProduct>>,
    /// The supplies of those products whose stock is in parts.
    pub supplies: Vec<Supply>,
    /// The owner of the address that the order names.
    pub address: Option<AddressOwner>,
    /// The customer's tier. Users of outside issuers have no record here.
    pub customer: Option<CustomerTier>,
    /// The parameters of the rules.
    pub rules: BusinessRules,
}

/// The attributes of an address that an order needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressOwner {
    /// The user it belongs to.
    pub user_id: UserId,
}

/// The attributes of a user that an order needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerTier {
    /// Their tier as a customer.
    pub tier: Tier,
}

impl Excerpt for AddressOwner {
    type Of = Address;
    const ATTRIBUTES: &'static [&'static str] = &["userId"];
}

impl Excerpt for CustomerTier {
    type Of = User;
    const ATTRIBUTES: &'static [&'static str] = &["tier"];
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
    use crate::catalogue::{Product, StockedProduct};
    use crate::examples::{ann, home, lamp, moment};

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
        let sold = Product { sold_at: Some(moment().now()), ..lamp() };
        read::<OfferedProduct>(StockedProduct::split(sold, 2).product);
        read::<AddressOwner>(home());
        read::<CustomerTier>(ann());
    }
}
