//! The items in the stubbed tables: one user, their address, and one product.

use domain::catalogue::Product;
use domain::examples::{ann, lamp, moment, read};
use domain::people::{Address, User};
use lifecycle::record::{Record, item_of};
use serde_json::{Value, json};
use tooling::Error;

/// The records as domain types.
pub(super) struct Items {
    pub(super) user: User,
    pub(super) address: Address,
    pub(super) product: Product,
}

impl Items {
    pub(super) fn new() -> Self {
        let mut user = ann();
        user.email_verified = true;
        user.verification = None;
        let draft = read(json!({
            "buildingNumber": 44, "streetName": "Main Street", "city": "Springfield",
            "country": "US",
        }));
        let address = Address::new(&moment(), user.user_id, &draft);
        Self { user, address, product: lamp() }
    }
}

/// A record in DynamoDB's JSON.
pub(super) fn stored<R: Record>(record: &R) -> Result<Value, Error> {
    Ok(serde_json::to_value(item_of(record))?)
}
