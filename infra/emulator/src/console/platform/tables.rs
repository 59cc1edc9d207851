//! `/activity/tables`: the tables, their items, and the writes to an item.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use dynoxide::DynoxideError;
use sam_template::{AttributeType, Index, Key, Projection, Table, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::work::blocking;
use crate::activity::ItemWrite;
use crate::console::reading::{query, refused};
use crate::control::{Control, ControlError};
use crate::services::{ItemPage, NoSuch, StoreError, plain_value};

/// The items of a page by default, and at most.
const ITEMS: usize = 50;
const ITEMS_MAX: usize = 200;

/// A table of the template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TableView {
    /// Its logical id.
    name: String,
    key: KeyView,
    indexes: Vec<IndexView>,
    /// The number of items.
    items: u64,
    has_stream: bool,
    /// The attribute with the time at which an item expires.
    ttl_attribute: Option<String>,
    /// The functions that read its stream.
    readers: Vec<String>,
}

/// The key of a table or an index.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    partition: AttributeView,
    sort: Option<AttributeView>,
}

/// An attribute of a key, with its type: `S`, `N` or `B`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AttributeView {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// An index of a table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexView {
    name: String,
    key: KeyView,
    /// Whether it is a local secondary index.
    local: bool,
    /// `all`, `keys`, or the further attributes that it has.
    projection: Value,
}

/// `GET /activity/tables`
pub(super) async fn list(State(control): State<Control>) -> Result<Json<Value>, ControlError> {
    let stores = control.stores.clone();
    let counts = blocking(move || stores.item_counts()).await??;
    let count = |table: &str| counts.get(table).copied().unwrap_or_default();
    let tables = control.template.tables.values();
    let tables = tables.map(|table| {
        let sources = control.template.event_sources.iter();
        let readers = sources.filter(
            |source| matches!(&source.trigger, Trigger::Stream(it) if it.table == table.logical_id),
        );
        let readers = readers.map(|source| source.function.clone()).collect();
        TableView::of(table, count(&table.logical_id), readers)
    });
    Ok(Json(json!({"tables": tables.collect::<Vec<_>>()})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ItemsQuery {
    /// The beginning of the partition key.
    pk: String,
    /// The beginning of the sort key.
    sk: String,
    /// A part of the item's JSON without secrets, in any case.
    text: String,
    /// The place where the last page ended.
    after: Option<String>,
    limit: Option<usize>,
}

/// A page of a table's items.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemsView {
    items: Vec<Value>,
    /// The `after` of the next page. A page without items may have one: few items match.
    next: Option<String>,
    /// The number of items that were read.
    read: usize,
}

/// `GET /activity/tables/{table}/items?pk=&sk=&text=&after=&limit=`: one page of the items whose key
/// and text match, at most 200.
pub(super) async fn items(
    State(control): State<Control>,
    Path(table): Path<String>,
    asked: Result<Query<ItemsQuery>, QueryRejection>,
) -> Result<Json<Value>, ControlError> {
    let Query(asked) = asked.map_err(query)?;
    let key = known(&control, &table)?.key.clone();
    let count_max = asked.limit.unwrap_or(ITEMS).clamp(1, ITEMS_MAX);
    let after = asked.after.clone().filter(|after| !after.is_empty());
    let page = blocking(move || {
        let search = Search::new(asked, key.clone());
        let show = |item: Value| {
            // Items that cannot match are not redacted, which takes longer.
            let item = search.fits_key(&item).then_some(item)?;
            let item = search.fits_text(&item).then_some(item)?;
            let item = control.functions.activity().redaction().json(item);
            search.fits_text(&item).then_some(item)
        };
        control.stores.items(&table, &key, after.as_deref(), count_max, show)
    });
    match page.await? {
        Ok(ItemPage { items, next, read }) => Ok(Json(json!(ItemsView { items, next, read }))),
        Err(StoreError::Tables(DynoxideError::ValidationException(_))) => {
            Err(refused("`after` is not the `next` of another page of this table"))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    pk: String,
    sk: Option<String>,
}

/// The writes to an item.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryView {
    /// Oldest first.
    writes: Vec<ItemWrite>,
}

/// `GET /activity/tables/{table}/history?pk=&sk=`: the writes to an item that are in memory.
pub(super) async fn history(
    State(control): State<Control>,
    Path(table): Path<String>,
    asked: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<Value>, ControlError> {
    let Query(asked) = asked.map_err(query)?;
    let key = key_of(known(&control, &table)?, asked)?;
    let writes = control.functions.activity().item_history(&table, &key);
    Ok(Json(json!(HistoryView { writes })))
}

/// The values that items are compared with.
struct Search {
    key: Key,
    asked: ItemsQuery,
}

impl Search {
    fn new(mut asked: ItemsQuery, key: Key) -> Self {
        asked.text = asked.text.to_lowercase();
        Self { key, asked }
    }

    fn fits_key(&self, item: &Value) -> bool {
        let fits = |name: &String, prefix: &str| text(&item[name]).starts_with(prefix);
        let sort = self.key.sort.as_ref();
        fits(&self.key.partition, &self.asked.pk)
            && sort.map_or(self.asked.sk.is_empty(), |sort| fits(sort, &self.asked.sk))
    }

    fn fits_text(&self, item: &Value) -> bool {
        self.asked.text.is_empty() || item.to_string().to_lowercase().contains(&self.asked.text)
    }
}

/// A key attribute's value as text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The key of an item as plain JSON, with its attributes' names.
fn key_of(table: &Table, asked: HistoryQuery) -> Result<Value, ControlError> {
    let value = |name: &String, text: String| match table.attributes.get(name) {
        Some(AttributeType::N) => plain_value(&json!({"N": text})),
        _ => Value::String(text),
    };
    let mut key = Map::new();
    let partition = &table.key.partition;
    key.insert(partition.clone(), value(partition, asked.pk));
    match (&table.key.sort, asked.sk.filter(|sk| !sk.is_empty())) {
        (Some(sort), Some(sk)) => {
            key.insert(sort.clone(), value(sort, sk));
        }
        (None, None) => {}
        (Some(_), None) => return Err(refused("the table has a sort key: `sk` is needed")),
        (None, Some(_)) => return Err(refused("the table has no sort key: `sk` is not allowed")),
    }
    Ok(key.into())
}

fn known<'a>(control: &'a Control, table: &str) -> Result<&'a Table, ControlError> {
    let no_such = || StoreError::from(NoSuch { kind: "table", name: table.to_owned() });
    Ok(control.template.tables.get(table).ok_or_else(no_such)?)
}

impl TableView {
    fn of(table: &Table, items: u64, readers: Vec<String>) -> Self {
        let index = |index: &Index, local: bool| IndexView {
            name: index.name.clone(),
            key: KeyView::of(&index.key, table),
            local,
            projection: match &index.projection {
                Projection::All => "all".into(),
                Projection::KeysOnly => "keys".into(),
                Projection::Include(names) => json!(names),
            },
        };
        let global = table.indexes.iter().map(|it| index(it, false));
        let local = table.local_indexes.iter().map(|it| index(it, true));
        Self {
            name: table.logical_id.clone(),
            key: KeyView::of(&table.key, table),
            indexes: global.chain(local).collect(),
            items,
            has_stream: table.stream.is_some(),
            ttl_attribute: table.ttl_attribute.clone(),
            readers,
        }
    }
}

impl KeyView {
    fn of(key: &Key, table: &Table) -> Self {
        let attribute = |name: &String| AttributeView {
            name: name.clone(),
            kind: match table.attributes.get(name) {
                Some(AttributeType::N) => "N",
                Some(AttributeType::B) => "B",
                _ => "S",
            },
        };
        Self { partition: attribute(&key.partition), sort: key.sort.as_ref().map(attribute) }
    }
}
