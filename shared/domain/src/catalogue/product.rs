//! Products.

use lifecycle::record::{IndexKey, Key, Record, Table};
use lifecycle::{EntityTag, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Discount, NameClaim, Price};
use crate::people::UserId;
use crate::syntax::{id, line, text, whole_number};
use crate::tables::{BY_CREATION, PRODUCTS};

/// A product as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id.
    pub product_id: ProductId,
    /// The merchant who offers it.
    pub owner_id: UserId,
    /// Its name, unique in the catalogue.
    pub name: ProductName,
    /// What there is to say about it.
    pub description: Description,
    /// What one piece costs, before the discount.
    pub price: Price,
    /// The discount on the price.
    pub discount: Discount,
    /// How many pieces there are.
    pub stock: Stock,
    /// Whether it can be ordered.
    pub available: bool,
    /// Counts up with every change, that of the stock included.
    pub version: u64,
    /// When it was put into the catalogue.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Product {
    /// A product as a merchant puts it into the catalogue.
    pub fn new(moment: &Moment, owner_id: UserId, draft: &ProductDraft) -> Self {
        Self {
            product_id: draft.product_id.unwrap_or_else(|| moment.id("product").into()),
            owner_id,
            name: draft.name.clone(),
            description: draft.description.clone(),
            price: draft.price,
            discount: draft.discount,
            stock: draft.stock,
            available: true,
            version: 1,
            created_at: moment.now(),
            updated_at: moment.now(),
        }
    }

    /// The key of a product.
    pub fn key_of(product_id: ProductId) -> Key {
        Key::new(product_id)
    }

    /// What a customer pays for one piece.
    pub fn actual_price(&self) -> Price {
        self.price.less(self.discount)
    }

    /// The tag of this version.
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::of_version(self.version)
    }

    /// The claim to the product's name.
    pub fn name_claim(&self) -> NameClaim {
        NameClaim { name: self.name.clone(), product_id: self.product_id }
    }
}

impl Record for Product {
    const TABLE: Table = PRODUCTS;

    fn key(&self) -> Key {
        Self::key_of(self.product_id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let position = format_args!("{}#{}", self.created_at, self.product_id);
        vec![IndexKey::spread(BY_CREATION, self.product_id, position)]
    }
}

/// A product as a client describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductDraft {
    /// The id, if the client chooses it.
    #[serde(default)]
    pub product_id: Option<ProductId>,
    /// Its name, unique in the catalogue: names that differ in case, in blanks or in how their
    /// characters are composed are one.
    pub name: ProductName,
    /// What there is to say about it.
    pub description: Description,
    /// What one piece costs, before the discount.
    pub price: Price,
    /// The discount on the price, in whole percent.
    pub discount: Discount,
    /// How many pieces there are.
    pub stock: Stock,
}

/// A product as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductView {
    /// Its id.
    pub product_id: ProductId,
    /// Its name.
    pub name: ProductName,
    /// What there is to say about it.
    pub description: Description,
    /// What one piece costs, before the discount.
    pub price: Price,
    /// The discount on the price, in whole percent.
    pub discount: Discount,
    /// What one piece costs.
    pub actual_price: Price,
    /// How many pieces there are.
    pub stock: Stock,
    /// Whether it can be ordered.
    pub available: bool,
    /// Counts up with every change.
    pub version: u64,
    /// When it was put into the catalogue.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            actual_price: product.actual_price(),
            product_id: product.product_id,
            name: product.name,
            description: product.description,
            price: product.price,
            discount: product.discount,
            stock: product.stock,
            available: product.available,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

id! {
    /// The id of a product.
    ProductId
}

line! {
    /// The name of a product.
    ProductName: 1..=200
}

text! {
    /// What there is to say about a product.
    Description: 0..=2_000
}

whole_number! {
    /// How many pieces of a product there are.
    Stock: 0..=1_000_000_000
}
