//! The attributes of a product that an order needs.

use lifecycle::Timestamp;
use lifecycle::record::{Excerpt, Key};
use serde::Deserialize;

use super::{Discount, Pieces, Price, Product, ProductId, ProductName, StockPart};

/// The attributes of a product that an order needs.
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
    /// The number of pieces in stock that are not in parts.
    pub stock: Pieces,
    /// The number of parts that have more pieces, if the stock is in parts.
    #[serde(default)]
    pub stock_parts: Option<u16>,
    /// When the last order began that took pieces of its item.
    #[serde(default)]
    pub sold_at: Option<Timestamp>,
    /// Whether it can be ordered.
    pub available: bool,
}

impl OfferedProduct {
    /// The price that a customer pays for one piece.
    pub fn actual_price(&self) -> Price {
        self.price.less(self.discount)
    }

    /// The keys of all parts of the stock; none of most products.
    pub fn part_keys(&self) -> impl Iterator<Item = Key> {
        StockPart::keys_of(self.product_id, self.stock_parts)
    }
}

impl Excerpt for OfferedProduct {
    type Of = Product;
    const ATTRIBUTES: &'static [&'static str] =
        &["productId", "name", "price", "discount", "stock", "stockParts", "soldAt", "available"];
}

impl From<Product> for OfferedProduct {
    fn from(product: Product) -> Self {
        Self {
            product_id: product.product_id,
            name: product.name,
            price: product.price,
            discount: product.discount,
            stock: product.stock,
            stock_parts: product.stock_parts,
            sold_at: product.sold_at,
            available: product.available,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::lamp;

    #[test]
    fn a_product_has_the_keys_of_its_parts_of_stock() {
        let keys = |stock_parts| {
            let product = OfferedProduct { stock_parts, ..lamp().into() };
            product.part_keys().collect::<Vec<_>>()
        };
        let part = |number| StockPart::key_of(lamp().product_id, number);
        assert_eq!(keys(None), []);
        assert_eq!(keys(Some(2)), [part(0), part(1)]);
    }
}
