//! Pages: a list that is read to its end has each row of its table, once.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{Money, tables};
use crate::workloads::{PROBING_CUSTOMER, PRODUCT_LIST, WALKED, orders_of_customer};

pub(super) const NAME: &str = "pages have each row once";

/// The currency of the products that the present version can read.
const CURRENCY: &str = "EUR";

/// Checks each list of the probes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages;

/// A product.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offered {
    product_id: String,
    price: Money,
}

/// A summary in the projection.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summarised {
    order_id: String,
    order_status: String,
    client: Customer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    client_id: String,
}

impl Oracle for Pages {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        let Happened::Noted { name, value, .. } = &event.what else { return Ok(()) };
        if name != WALKED {
            return Ok(());
        }
        let list = value["list"].as_str().unwrap_or_default();
        let rows = if list == PRODUCT_LIST {
            products(view)
        } else if list == orders_of_customer() {
            orders(view)
        } else {
            return Err(format!("{list} has no rows to compare"));
        };
        each_once(list, &value["ids"], &rows)
    }
}

fn products(view: &View<'_>) -> BTreeSet<String> {
    let products = view.records::<Offered>(tables::PRODUCTS);
    let readable = products.iter().filter(|product| product.price.currency == CURRENCY);
    readable.map(|product| product.product_id.clone()).collect()
}

/// The approved orders of the customer.
fn orders(view: &View<'_>) -> BTreeSet<String> {
    let customer = PROBING_CUSTOMER.id().to_string();
    let summaries = view.records::<Summarised>(tables::SUMMARIES);
    let listed = summaries
        .iter()
        .filter(|it| it.order_status == "APPROVED" && it.client.client_id == customer);
    listed.map(|summary| summary.order_id.clone()).collect()
}

/// Whether the listed ids are the rows, each once.
fn each_once(list: &str, ids: &Value, rows: &BTreeSet<String>) -> Result<(), String> {
    let listed: Vec<&str> =
        ids.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let different: BTreeSet<&str> = listed.iter().copied().collect();
    if different.len() == listed.len() && rows.iter().map(String::as_str).eq(different) {
        return Ok(());
    }
    Err(format!("the pages of {list} have {listed:?}, and the table has {rows:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_that_is_missing_repeated_or_unknown_is_found() {
        let rows = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        for (ids, is_right) in [
            (json!(["a", "b"]), true),
            (json!(["b", "a"]), true),
            (json!(["a"]), false),
            (json!(["a", "b", "a"]), false),
            (json!(["a", "b", "c"]), false),
            (json!(["a", "c"]), false),
            (json!(null), false),
        ] {
            assert_eq!(each_once("/list", &ids, &rows).is_ok(), is_right, "{ids}");
        }
        assert_eq!(each_once("/list", &json!([]), &BTreeSet::new()), Ok(()));
    }
}
