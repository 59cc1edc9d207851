//! Pages of a table's items, and the number of items of each table, for the control address.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dynoxide::DynoxideError;
use sam_template::Key;
use serde_json::{Map, Value, json};

use super::json::plain_item;
use super::tables::{Tables, parse};

/// The items of one read. The tables are locked while it runs.
const READ_AT_ONCE: usize = 500;

/// The items that are read for one page. A search for few items needs several pages.
const READ_MAX: usize = 5_000;

/// A page of a table's items.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemPage {
    /// The items that were looked for, as plain JSON.
    pub items: Vec<Value>,
    /// The place where the next page begins; `None` at the end of the table. A page without items
    /// may have one.
    pub next: Option<String>,
    /// The number of items that were read.
    pub read: usize,
}

impl Tables {
    /// The number of items of each table, by physical name.
    pub(crate) fn item_counts(&self) -> Result<BTreeMap<String, u64>, DynoxideError> {
        let counts = self.database.table_stats()?.into_iter();
        let counts =
            counts.map(|table| (table.table_name, u64::try_from(table.item_count).unwrap_or(0)));
        Ok(counts.collect())
    }

    /// The next items of a table, at most `count_max` of them. `show` gets each item as plain JSON,
    /// and returns the shown part of it, if it is looked for.
    ///
    /// # Errors
    /// If `after` is not of an earlier page.
    pub(crate) fn page(
        &self,
        name: &str,
        key: &Key,
        after: Option<&str>,
        count_max: usize,
        mut show: impl FnMut(Value) -> Option<Value>,
    ) -> Result<ItemPage, DynoxideError> {
        let mut page = ItemPage::default();
        let mut from = after.map(|token| place(token, key)).transpose()?;
        loop {
            let mut scan = json!({"TableName": name, "Limit": READ_AT_ONCE});
            if let Some(from) = &from {
                scan["ExclusiveStartKey"] = from.clone();
            }
            let found = self.database.scan(parse(&scan)?)?;
            let last = found.last_evaluated_key.map(|key| json!(key));
            let items = found.items.unwrap_or_default();
            for (index, item) in items.iter().enumerate() {
                page.read += 1;
                let item = json!(item);
                page.items.extend(show(plain_item(&item)));
                if page.items.len() == count_max {
                    let has_more = last.is_some() || index + 1 < items.len();
                    page.next = has_more.then(|| token(&key_of(&item, key)));
                    return Ok(page);
                }
            }
            if last.is_none() || page.read >= READ_MAX {
                page.next = last.as_ref().map(token);
                return Ok(page);
            }
            from = last;
        }
    }
}

/// The key of an item, in `DynamoDB`'s JSON.
fn key_of(item: &Value, key: &Key) -> Value {
    attributes(key).map(|name| (name.clone(), item[name].clone())).collect::<Map<_, _>>().into()
}

fn attributes(key: &Key) -> impl Iterator<Item = &String> {
    std::iter::once(&key.partition).chain(&key.sort)
}

/// The place after an item, by its key, as text for a query parameter.
fn token(key: &Value) -> String {
    URL_SAFE_NO_PAD.encode(key.to_string())
}

fn place(token: &str, key: &Key) -> Result<Value, DynoxideError> {
    let read = URL_SAFE_NO_PAD.decode(token).ok();
    let read = read.and_then(|json| serde_json::from_slice::<Map<String, Value>>(&json).ok());
    let is_key = |read: &Map<String, Value>| {
        read.len() == attributes(key).count() && attributes(key).all(|name| read.contains_key(name))
    };
    let read = read.filter(is_key).map(Value::from);
    read.ok_or_else(|| DynoxideError::ValidationException("the place is of no page".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::clock::Clock;
    use crate::services::tests::template;

    /// The outbox with this many items, and its name and key.
    async fn outbox(count: usize) -> (Tables, String, Key) {
        let tables = Tables::start(None, &Clock::default(), pending()).await.unwrap();
        let table = template().tables["OutboxTable"].clone();
        tables.add(&table).unwrap();
        for number in 0..count {
            let sk = format!("{number:04}");
            let item =
                json!({"pk": {"S": "order"}, "sk": {"S": sk}, "n": {"N": number.to_string()}});
            tables.put(&table.name, &item).unwrap();
        }
        (tables, table.name, table.key)
    }

    #[tokio::test]
    async fn pages_have_each_item_once_and_the_last_one_has_no_next() {
        let (tables, name, key) = outbox(1_200).await;
        assert_eq!(tables.item_counts().unwrap()[&name], 1_200);
        let (mut after, mut numbers, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = tables.page(&name, &key, after.as_deref(), 400, Some).unwrap();
            numbers.extend(page.items.iter().map(|item| item["n"].as_u64().unwrap()));
            pages += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1_200).collect::<Vec<_>>());
        assert_eq!(pages, 3);
    }

    #[tokio::test]
    async fn a_page_has_only_shown_items_and_its_next_is_after_the_last_one() {
        let (tables, name, key) = outbox(20).await;
        let mut show = |item: Value| (item["n"].as_u64()? % 5 == 0).then(|| item["n"].clone());
        let first = tables.page(&name, &key, None, 3, &mut show).unwrap();
        assert_eq!((first.items, first.read), (vec![json!(0), json!(5), json!(10)], 11));
        let second = tables.page(&name, &key, first.next.as_deref(), 3, &mut show).unwrap();
        assert_eq!((second.items, second.next), (vec![json!(15)], None));
    }

    #[tokio::test]
    async fn a_place_of_no_page_is_an_error() {
        let (tables, name, key) = outbox(1).await;
        for token in ["", "%", "e30", "eyJhIjp7IlMiOiJiIn19"] {
            let page = tables.page(&name, &key, Some(token), 3, Some);
            assert!(
                matches!(page, Err(DynoxideError::ValidationException(_))),
                "{token}: {page:?}"
            );
        }
    }
}
