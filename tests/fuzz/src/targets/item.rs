//! Stored items, with attributes of any type.
//!
//! An endpoint that reads an item which it cannot understand answers as described: it leaves the
//! item out, or fails. A consumer fails the record. Neither panics.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value as Json, json};

use crate::seeds::{named, seed};
use crate::store::{Changes, about, invoke, names};
use crate::{Seed, Target, answers, items, mutate};

/// The target.
pub const ITEM: Target = Target {
    name: "item",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 16 * 1024,
    dictionary: &[
        "{\"S\":\"\"}",
        "{\"N\":\"1\"}",
        "{\"NULL\":true}",
        "{\"M\":{}}",
        "{\"L\":[]}",
        "{\"BOOL\":true}",
        "{\"B\":\"\"}",
        "{\"SS\":[\"a\"]}",
        "{\"NS\":[\"1\"]}",
    ],
};

/// The functions that read a table, by the table's name such as `orders`.
static READERS: LazyLock<Vec<(String, Vec<String>)>> = LazyLock::new(|| {
    let reads = |function: &str, table: &str| {
        let resources = &about(function).description["resources"];
        ["tables", "indexes"].iter().any(|kind| !resources[kind][table].is_null())
    };
    let folders = items::root().join("tests/items/v1");
    let folders = fs_err::read_dir(folders).expect("the items are there");
    let tables = folders.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let readers = tables.map(|table| {
        let readers = names().filter(|name| reads(name, &table)).collect();
        (table, readers)
    });
    readers.filter(|(_, readers): &(String, Vec<String>)| !readers.is_empty()).collect()
});

fn run(input: &[u8]) {
    let Some((table, item)) = named(input) else { return };
    let Some((table, readers)) = READERS.iter().find(|(known, _)| known == table) else { return };
    let Ok(item) = serde_json::from_slice::<Json>(item) else { return };
    // One function for each input keeps it quick; which one depends on the item alone.
    let number = item
        .to_string()
        .bytes()
        .fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let function = &readers[number % readers.len()];
    let Some(event) = items::event_of(function) else { return };
    let changes = Changes { items: vec![(items::table_id(table), item)], ..Changes::default() };
    let answer = invoke(function, event.to_string().as_bytes(), changes).answer;
    if about(function).description["kind"] != "endpoint" {
        return;
    }
    let payload = answer.unwrap_or_else(|error| panic!("{function}: {error}"));
    // An item that is needed and cannot be read is an internal error.
    if payload["statusCode"] != json!(500) {
        answers::checked(function, &payload, false);
    }
}

fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    // The first released item of each key is in both.
    let mut known = BTreeSet::new();
    for (number, (table, item)) in items::all().iter().chain(items::released()).enumerate() {
        let name = READERS.iter().find(|(name, _)| items::table_id(name) == *table);
        if let Some((name, _)) = name {
            let (name, bytes) = seed(name, &format!("{number}"), item.to_string().as_bytes());
            if known.insert(bytes.clone()) {
                seeds.push((name, bytes));
            }
        }
    }
    seeds
}
