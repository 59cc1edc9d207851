//! Postal addresses.

use lifecycle::newtypes::{bounded_int, single_line, uuid_id};
use lifecycle::record::{Key, Record, TableName};
use lifecycle::{Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CountryCode, UserId};
use crate::resources::ADDRESSES;

/// An address as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Its id.
    pub address_id: AddressId,
    /// The user it belongs to.
    pub user_id: UserId,
    /// The number in the street.
    pub building_number: BuildingNumber,
    /// The street.
    pub street_name: StreetName,
    /// The city.
    pub city: City,
    /// The country.
    pub country: CountryCode,
    /// When it was entered.
    pub created_at: Timestamp,
}

impl Address {
    /// A new address of this user.
    pub fn new(moment: &Moment, user_id: UserId, draft: &AddressDraft) -> Self {
        Self {
            address_id: draft.address_id.unwrap_or_else(|| moment.id("address").into()),
            user_id,
            building_number: draft.building_number,
            street_name: draft.street_name.clone(),
            city: draft.city.clone(),
            country: draft.country,
            created_at: moment.now(),
        }
    }

    /// The key of an address.
    pub fn key_of(address_id: AddressId) -> Key {
        Key::new(address_id)
    }
}

impl Record for Address {
    const TABLE: TableName = ADDRESSES;

    fn key(&self) -> Key {
        Self::key_of(self.address_id)
    }
}

/// A new address, as a client submits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressDraft {
    /// The id, if the client chooses it.
    #[serde(default)]
    pub address_id: Option<AddressId>,
    /// The number in the street.
    pub building_number: BuildingNumber,
    /// The street.
    pub street_name: StreetName,
    /// The city.
    pub city: City,
    /// The country, as ISO 3166-1 alpha-2.
    pub country: CountryCode,
}

/// An address as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressView {
    /// Its id.
    pub address_id: AddressId,
    /// The user it belongs to.
    pub user_id: UserId,
    /// The number in the street.
    pub building_number: BuildingNumber,
    /// The street.
    pub street_name: StreetName,
    /// The city.
    pub city: City,
    /// The country, as ISO 3166-1 alpha-2.
    pub country: CountryCode,
    /// When it was entered.
    pub created_at: Timestamp,
}

impl From<Address> for AddressView {
    fn from(address: Address) -> Self {
        Self {
            address_id: address.address_id,
            user_id: address.user_id,
            building_number: address.building_number,
            street_name: address.street_name,
            city: address.city,
            country: address.country,
            created_at: address.created_at,
        }
    }
}

uuid_id! {
    /// The id of an address.
    AddressId
}

bounded_int! {
    /// The number of a building in its street.
    BuildingNumber: 1..=1_000_000
}

single_line! {
    /// The name of a street.
    StreetName: 1..=200
}

single_line! {
    /// The name of a city.
    City: 1..=100
}
