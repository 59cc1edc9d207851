//! A product of the partner's.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalogue::{Money, ProductName};
use crate::syntax::line;

/// A product, as the partner describes it and as we show it.
///
/// It is read strictly: a product of which something is missing or of another kind is left out.
/// Anything else that the partner says of a product is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
pub struct PartnerProduct {
    /// The partner's own id of it.
    pub sku: Sku,
    /// Its name.
    pub name: ProductName,
    /// What it costs.
    pub price: Money,
    /// Whether it can be had.
    pub available: bool,
}

line! {
    /// The partner's id of a product.
    Sku: 1..=64
}
