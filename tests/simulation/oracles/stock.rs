//! Stock: the pieces in stock and those in open orders are the pieces that were entered.

use std::collections::BTreeMap;

use simulation::world::{Event, Oracle, View};

use crate::items::{self, Order, Product, StockPart, Writes, tables};

pub(super) const NAME: &str = "stock is conserved";

/// Checks each write of products and orders.
#[derive(Debug, Clone)]
pub(super) struct Stock {
    writes: Writes,
    /// The pieces of each product, in stock and ordered, when it was first seen.
    entered: BTreeMap<String, i64>,
}

impl Default for Stock {
    fn default() -> Self {
        let writes = Writes::of(&[tables::PRODUCTS, tables::ORDERS]);
        Self { writes, entered: BTreeMap::new() }
    }
}

impl Oracle for Stock {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if !self.writes.happened(event) {
            return Ok(());
        }
        self.at_rest(view)
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let (products, parts, orders) = (
            items::all(view, tables::PRODUCTS),
            items::all(view, tables::PRODUCTS),
            items::all(view, tables::ORDERS),
        );
        balance(&mut self.entered, &products, &parts, &orders)
    }
}

fn balance(
    entered: &mut BTreeMap<String, i64>,
    products: &[Product],
    parts: &[StockPart],
    orders: &[Order],
) -> Result<(), String> {
    let mut in_parts: BTreeMap<&str, i64> = BTreeMap::new();
    for StockPart { product_id, part, pieces } in parts {
        if *pieces < 0 {
            return Err(format!("part {part} of product {product_id} has {pieces} pieces"));
        }
        *in_parts.entry(product_id).or_default() += pieces;
    }
    let mut held: BTreeMap<&str, i64> = BTreeMap::new();
    for line in orders.iter().filter(|order| order.holds_stock()).flat_map(|order| &order.items) {
        *held.entry(&line.product_id).or_default() += line.quantity;
    }
    for Product { product_id, stock } in products {
        if *stock < 0 {
            return Err(format!("product {product_id} has {stock} pieces"));
        }
        let stock = stock + in_parts.get(product_id.as_str()).copied().unwrap_or_default();
        let held = held.get(product_id.as_str()).copied().unwrap_or_default();
        let entered = *entered.entry(product_id.clone()).or_insert(stock + held);
        if stock + held != entered {
            return Err(format!(
                "product {product_id} has {stock} pieces in stock and {held} in open orders, not \
                 {entered} together"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lost_or_a_doubled_piece_is_found() {
        let product = |stock| Product { product_id: "p".to_owned(), stock };
        let order = |status: &str| -> Order {
            serde_json::from_value(json!({
                "orderId": "o", "userId": "u", "status": status, "version": 1,
                "items": [{ "productId": "p", "quantity": 2 }],
                "total": { "amount": 1, "currency": "EUR" },
            }))
            .unwrap()
        };
        let entered = &mut BTreeMap::new();
        for (stock, orders, is_right) in [
            (5, vec![], true),
            (3, vec![order("PENDING")], true),
            (3, vec![order("APPROVED")], true),
            (5, vec![order("CANCELLED")], true),
            (5, vec![order("PENDING")], false),
            (3, vec![order("REJECTED")], false),
            (-1, vec![], false),
        ] {
            let balanced = balance(entered, &[product(stock)], &[], &orders);
            assert_eq!(balanced.is_ok(), is_right, "{stock} {orders:?}: {balanced:?}");
        }
    }

    #[test]
    fn the_pieces_of_parts_are_pieces_of_their_product() {
        let products = [Product { product_id: "p".to_owned(), stock: 1 }];
        let part = |product_id: &str, part, pieces| StockPart {
            product_id: product_id.to_owned(),
            part,
            pieces,
        };
        let entered = &mut BTreeMap::from([("p".to_owned(), 6)]);
        for (parts, is_right) in [
            (vec![part("p", 0, 2), part("p", 1, 3)], true),
            (vec![part("p", 0, 5), part("q", 0, 9)], true),
            (vec![part("p", 0, 4)], false),
            (vec![part("p", 0, 6), part("p", 1, -1)], false),
        ] {
            let balanced = balance(entered, &products, &parts, &[]);
            assert_eq!(balanced.is_ok(), is_right, "{parts:?}: {balanced:?}");
        }
    }
}
