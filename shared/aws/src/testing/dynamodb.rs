//! Reads of `DynamoDB` from a memory: `GetItem`, `BatchGetItem` and `Query`, in its JSON.

use std::collections::{BTreeMap, HashMap};

use lifecycle::effects::size_bytes_of;
use lifecycle::record::{IndexName, Key, TableName};
use lifecycle::resource::{Action, Resource};
use lifecycle::testing::Memory;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// `DynamoDB`'s limit for one response of a query, in bytes of item data.
const BYTES_MAX: usize = 1024 * 1024;

/// `DynamoDB`'s limit for the keys of one `BatchGetItem`.
const KEYS_MAX: usize = 100;

/// The tables of a memory that a function declares.
#[derive(Debug)]
pub(super) struct Tables {
    memory: Memory,
    uses: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetItem {
    table_name: String,
    key: Item,
    #[serde(default, rename = "ConsistentRead")]
    _consistent_read: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchGetItem {
    request_items: BTreeMap<String, Keys>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Keys {
    keys: Vec<Item>,
    #[serde(default, rename = "ConsistentRead")]
    _consistent_read: bool,
    projection_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: HashMap<String, String>,
}

impl Keys {
    /// The projected attributes of an item, or all. Only whole attributes by their aliases are
    /// understood, which is all that [`batch_get`](crate::batch_get) asks for.
    fn part(&self, item: Item) -> Result<Item, Refusal> {
        let Some(projection) = &self.projection_expression else { return Ok(item) };
        let mut names = Vec::new();
        for alias in projection.split(',') {
            let name = self.expression_attribute_names.get(alias.trim());
            let unknown =
                || Refusal::invalid(format!("ProjectionExpression has no name for {alias}"));
            names.push(name.ok_or_else(unknown)?);
        }
        let mut item = item.into_inner();
        item.retain(|name, _| names.contains(&name));
        Ok(item.into())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Query {
    table_name: String,
    index_name: Option<String>,
    key_condition_expression: String,
    expression_attribute_names: HashMap<String, String>,
    expression_attribute_values: Item,
    #[serde(default = "ascending")]
    scan_index_forward: bool,
    #[serde(default)]
    consistent_read: bool,
    limit: Option<usize>,
    exclusive_start_key: Option<Item>,
}

fn ascending() -> bool {
    true
}

/// The position of an item, then its key: the order of a query.
type Place = (String, String, Option<String>);

impl Tables {
    pub(super) fn new(memory: Memory, uses: &[Resource]) -> Self {
        Self { memory, uses: uses.to_vec() }
    }

    /// The response to a read.
    ///
    /// Each read needs its action in `RESOURCES`, as the function's policy does.
    pub(super) fn read(&self, operation: &str, request: &[u8]) -> Result<Value, Refusal> {
        match operation {
            "GetItem" => self.get_item(&parsed(request)?),
            "BatchGetItem" => self.batch_get_item(parsed(request)?),
            "Query" => self.query(&parsed(request)?),
            _ => Err(Refusal::invalid(format!("{operation} is not supported in memory"))),
        }
    }

    fn get_item(&self, request: &GetItem) -> Result<Value, Refusal> {
        let table = self.declared(&request.table_name, Action::GetItem)?;
        let found = self.found(table, &request.key)?;
        Ok(found.map_or_else(|| json!({}), |item| json!({ "Item": item })))
    }

    fn batch_get_item(&self, request: BatchGetItem) -> Result<Value, Refusal> {
        let count: usize = request.request_items.values().map(|read| read.keys.len()).sum();
        if !(1..=KEYS_MAX).contains(&count) {
            return Err(Refusal::invalid(format!("a call has 1 to {KEYS_MAX} keys, not {count}")));
        }
        let mut responses = BTreeMap::new();
        for (name, wanted) in request.request_items {
            let keys = &wanted.keys;
            let table = self.declared(&name, Action::BatchGetItem)?;
            let is_repeated = |(place, key): (usize, &Item)| keys[..place].contains(key);
            if keys.iter().enumerate().any(is_repeated) {
                return Err(Refusal::invalid("Provided list of item keys contains duplicates"));
            }
            let found = keys.iter().map(|key| self.found(table, key));
            let found: Vec<Option<Item>> = found.collect::<Result<_, _>>()?;
            let parts = found.into_iter().flatten().map(|item| wanted.part(item));
            responses.insert(name, parts.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(json!({ "Responses": responses, "UnprocessedKeys": {} }))
    }

    fn query(&self, request: &Query) -> Result<Value, Refusal> {
        let (table, index) = self.queried(request)?;
        let [partition_attribute, position_attribute] = match index {
            None => [table.partition_key().to_owned(), table.sort_key().to_owned()],
            Some(index) => [index.partition_attribute(), index.position_attribute()],
        };
        let partition = request.partition(&partition_attribute)?;
        let bound = request.bound(&position_attribute)?;
        // A table without a sort key has one item in a partition; an index has only items with a
        // position.
        let place = |item: &Item| -> Option<Place> {
            let position = match text(item, &position_attribute) {
                None if index.is_none() => String::new(),
                position => position?,
            };
            let Key { pk, sk } = key_in(table, item)?;
            Some((position, pk, sk))
        };
        let mut found: Vec<(Place, Item)> = self
            .memory
            .items(table)
            .into_iter()
            .filter(|item| text(item, &partition_attribute).as_deref() == Some(partition.as_str()))
            .filter_map(|item| Some((place(&item)?, item)))
            .filter(|((position, ..), _)| bound.holds(position))
            .collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        if !request.scan_index_forward {
            found.reverse();
        }
        if let Some(start) = &request.exclusive_start_key {
            let start = place(start)
                .ok_or_else(|| Refusal::invalid("The provided starting key is invalid"))?;
            let is_behind = |place: &Place| {
                if request.scan_index_forward { *place > start } else { *place < start }
            };
            found.retain(|(place, _)| is_behind(place));
        }
        let (mut items, mut bytes, mut last) = (Vec::new(), 0, None);
        for (_, item) in found {
            bytes += size_bytes_of(&item);
            if bytes > BYTES_MAX && !items.is_empty() {
                last = items.last();
                break;
            }
            items.push(item);
            if request.limit == Some(items.len()) {
                last = items.last();
                break;
            }
        }
        let last = last.map(|last| {
            let mut start = last.clone();
            let key = [table.partition_key(), table.sort_key()];
            let index = [partition_attribute.as_str(), position_attribute.as_str()];
            start.retain(|name, _| [key, index].as_flattened().contains(&name.as_str()));
            start
        });
        let mut answer =
            json!({ "Count": items.len(), "ScannedCount": items.len(), "Items": items });
        if let Some(last) = last {
            answer["LastEvaluatedKey"] = json!(last);
        }
        Ok(answer)
    }

    /// The table with this name, if the action on it is declared.
    fn declared(&self, name: &str, action: Action) -> Result<TableName, Refusal> {
        let declared = self.uses.iter().find_map(|used| match used {
            Resource::Table(table, actions) => {
                (table.name() == name && actions.contains(&action)).then_some(*table)
            }
            _ => None,
        });
        declared.ok_or_else(|| {
            Refusal::denied(format!("RESOURCES lacks {action:?} on the table {name}"))
        })
    }

    /// The table and the index of a query, if it is declared.
    fn queried(&self, request: &Query) -> Result<(TableName, Option<IndexName>), Refusal> {
        let Some(index) = &request.index_name else {
            return Ok((self.declared(&request.table_name, Action::Query)?, None));
        };
        if request.consistent_read {
            return Err(Refusal::invalid(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        let declared = self.uses.iter().find_map(|used| match used {
            Resource::Index(table, used) => {
                let is_queried = table.name() == request.table_name && used.name() == index;
                is_queried.then_some((*table, Some(*used)))
            }
            _ => None,
        });
        let table = &request.table_name;
        declared.ok_or_else(|| {
            Refusal::denied(format!("RESOURCES lacks the index {index} of the table {table}"))
        })
    }

    fn found(&self, table: TableName, key: &Item) -> Result<Option<Item>, Refusal> {
        let wrong = || Refusal::invalid("The provided key element does not match the schema");
        let parts = 1 + usize::from(table.is_sorted());
        let key = key_in(table, key).filter(|_| key.len() == parts).ok_or_else(wrong)?;
        for part in [Some(&key.pk), key.sk.as_ref()].into_iter().flatten() {
            check_key(part)?;
        }
        let items = self.memory.items(table);
        Ok(items.into_iter().find(|item| key_in(table, item).as_ref() == Some(&key)))
    }
}

/// A comparison of positions.
enum Bound {
    None,
    Above(String),
    Below(String),
    AtMost(String),
    AtLeast(String),
    Between(String, String),
    Beginning(String),
}

impl Bound {
    fn holds(&self, position: &str) -> bool {
        match self {
            Self::None => true,
            Self::Above(bound) => position > bound.as_str(),
            Self::Below(bound) => position < bound.as_str(),
            Self::AtMost(bound) => position <= bound.as_str(),
            Self::AtLeast(bound) => position >= bound.as_str(),
            Self::Between(lower, upper) => (lower.as_str()..=upper.as_str()).contains(&position),
            Self::Beginning(beginning) => position.starts_with(beginning.as_str()),
        }
    }
}

impl Query {
    /// The partition, which the expression compares with the attribute.
    fn partition(&self, attribute: &str) -> Result<String, Refusal> {
        self.names("#partition", attribute)?;
        self.value(":partition")
    }

    /// The comparison of the attribute: as [`Range`](crate::Range) writes it.
    fn bound(&self, attribute: &str) -> Result<Bound, Refusal> {
        let unknown =
            || Refusal::invalid(format!("not supported in memory: {}", self.expression()));
        let bound =
            self.expression().strip_prefix("#partition = :partition").ok_or_else(unknown)?;
        if bound.is_empty() {
            return Ok(Bound::None);
        }
        self.names("#position", attribute)?;
        let first = || self.value(":bound0");
        Ok(match bound {
            " AND #position > :bound0" => Bound::Above(first()?),
            " AND #position < :bound0" => Bound::Below(first()?),
            " AND #position <= :bound0" => Bound::AtMost(first()?),
            " AND #position >= :bound0" => Bound::AtLeast(first()?),
            " AND #position BETWEEN :bound0 AND :bound1" => {
                Bound::Between(first()?, self.value(":bound1")?)
            }
            " AND begins_with(#position, :bound0)" => Bound::Beginning(first()?),
            _ => return Err(unknown()),
        })
    }

    fn expression(&self) -> &str {
        &self.key_condition_expression
    }

    fn names(&self, alias: &str, attribute: &str) -> Result<(), Refusal> {
        let named = self.expression_attribute_names.get(alias).map(String::as_str);
        let is_part = named == Some(attribute);
        is_part
            .then_some(())
            .ok_or_else(|| Refusal::invalid("Query condition missed key schema element"))
    }

    fn value(&self, alias: &str) -> Result<String, Refusal> {
        let value = text(&self.expression_attribute_values, alias);
        let value =
            value.ok_or_else(|| Refusal::invalid(format!("the value {alias} is not a string")))?;
        check_key(&value)?;
        Ok(value)
    }
}

/// An error for an empty text, which no attribute of a key has.
fn check_key(value: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::invalid("a key attribute cannot contain an empty string value"));
    }
    Ok(())
}

fn key_in(table: TableName, item: &Item) -> Option<Key> {
    let sk = if table.is_sorted() { text(item, table.sort_key()) } else { None };
    Some(Key { pk: text(item, table.partition_key())?, sk })
}

fn text(item: &Item, attribute: &str) -> Option<String> {
    match item.get(attribute) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    }
}

fn parsed<T: DeserializeOwned>(request: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(request)
        .map_err(|error| Refusal::invalid(format!("not supported in memory: {error}")))
}
