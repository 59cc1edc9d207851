//! Parts of a product's stock.

use lifecycle::effects::{Condition, Write, number, text};
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::{Pieces, ProductId};
use crate::resources::PRODUCTS;

/// A part of the stock of one product.
///
/// `DynamoDB` performs one transaction at a time on an item, some 50 a second. A product that is ordered
/// more often has its stock in parts, and each order takes its pieces from one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockPart {
    /// The product.
    pub product_id: ProductId,
    /// The number of the part, from 0.
    pub part: u16,
    /// Its pieces.
    pub pieces: Pieces,
    /// Increases with every change.
    pub version: u64,
}

impl StockPart {
    /// The key of a part.
    pub fn key_of(product_id: ProductId, part: u16) -> Key {
        Key::new(format_args!("stock#{product_id}#{part}"))
    }

    /// The keys of so many parts.
    pub(super) fn keys_of(product_id: ProductId, count: Option<u16>) -> impl Iterator<Item = Key> {
        (0..count.unwrap_or(0)).map(move |part| Self::key_of(product_id, part))
    }

    /// Takes pieces out of the part, if they are still there.
    pub fn take(&self, quantity: i64) -> Write {
        Write::update::<Self>(self.key())
            .add("pieces", -quantity)
            .add("version", 1)
            .when(Condition::AtLeast("pieces", quantity))
    }

    /// Adds pieces to a part. A part that is missing begins with them.
    pub fn add(product_id: ProductId, part: u16, pieces: i64) -> Write {
        Write::update::<Self>(Self::key_of(product_id, part))
            .set("productId", text(product_id.to_string()))
            .set("part", number(part))
            .add("pieces", pieces)
            .add("version", 1)
    }
}

impl Record for StockPart {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Self::key_of(self.product_id, self.part)
    }
}
