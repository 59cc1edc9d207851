//! Products of the partner.

use lifecycle::newtypes::single_line;
use schemars::JsonSchema;
use serde::Serialize;

use crate::catalogue::{Money, ProductName};

/// A product, as the partner describes it and as clients see it.
///
/// It is read strictly: a product with a missing field, or with a field of another type, is left
/// out. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
pub struct PartnerProduct {
    /// The partner's id of the product.
    pub sku: Sku,
    /// Its name.
    pub name: ProductName,
    /// Its price.
    pub price: Money,
    /// Whether it is available.
    pub available: bool,
}

single_line! {
    /// The partner's id of a product.
    Sku: 1..=64
}
