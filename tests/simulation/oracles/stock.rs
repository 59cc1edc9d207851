//! Stock: the pieces in stock and those in open orders are the pieces that were entered.

use std::collections::BTreeMap;

use simulation::world::{Event, Oracle, View};

use crate::items::{self, Order, Product, Writes, tables};

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
        let (products, orders) =
            (items::all(view, tables::PRODUCTS), items::all(view, tables::ORDERS));
        balance(&mut self.entered, &products, &orders)
    }
}

fn balance(
    entered: &mut BTreeMap<String, i64>,
    products: &[Product],
    orders: &[Order],
) -> Result<(), String> {
    let mut held: BTreeMap<&str, i64> = BTreeMap::new();
    for line in orders.iter().filter(|order| order.holds_stock()).flat_map(|order| &order.items) {
        *held.entry(&line.product_id).or_default() += line.quantity;
    }
    for Product { product_id, stock } in products {
        if *stock < 0 {
            return Err(format!("product {product_id} has {stock} pieces"));
        }
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
            let balanced = balance(entered, &[product(stock)], &orders);
            assert_eq!(balanced.is_ok(), is_right, "{stock} {orders:?}: {balanced:?}");
        }
    }
}
