//! `GetItem` and `BatchGetItem`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::capacity::{Consumed, Consumer, HalfUnits, ReturnConsumed, Use, throttled};
use super::expression::{Placeholders, Projection};
use super::key::Key;
use super::value::{Item, item_bytes, item_of, item_to_json};
use super::writes::check_access;
use super::{Call, DynamoDb};
use crate::random::Random;
use crate::services::wire::{AwsError, parsed};

/// The maximum number of keys of a batch.
const KEYS_MAX: usize = 100;
/// The maximum size of the items that a batch returns, in bytes.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetItem {
    table_name: String,
    key: Json,
    #[serde(default)]
    consistent_read: bool,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchGetItem {
    request_items: BTreeMap<String, Keys>,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
}

/// The keys of one table in a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Keys {
    keys: Vec<Json>,
    #[serde(default)]
    consistent_read: bool,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
}

impl Keys {
    /// The same request for other keys.
    fn to_json(&self, keys: &[Json]) -> Json {
        let mut json = json!({ "Keys": keys, "ConsistentRead": self.consistent_read });
        if let Some(projection) = &self.projection_expression {
            json["ProjectionExpression"] = json!(projection);
        }
        if let Some(names) = &self.expression_attribute_names {
            json["ExpressionAttributeNames"] = json!(names);
        }
        json
    }
}

/// The projection of a read, if it has one.
pub(super) fn projection(
    expression: Option<&str>,
    names: Option<&BTreeMap<String, String>>,
) -> Result<Option<Projection>, AwsError> {
    let mut known = Placeholders::of(names, None, expression.is_some())?;
    let projection = expression.map(|it| Projection::parse(it, &mut known)).transpose()?;
    known.check_all_used()?;
    Ok(projection)
}

/// The item, or the wanted part of it.
pub(super) fn part(item: &Item, projection: Option<&Projection>) -> Json {
    match projection {
        Some(projection) => item_to_json(&projection.of(item)),
        None => item_to_json(item),
    }
}

/// Puts items in a drawn order; each order is equally likely.
fn shuffle(items: &mut [Json], random: &mut dyn Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.index(last + 1));
    }
}

impl DynamoDb {
    pub(super) fn get_item(&mut self, body: &[u8], call: &mut Call<'_>) -> Result<Json, AwsError> {
        let request: GetItem = parsed(body)?;
        check_access(call, "GetItem", &request.table_name)?;
        let names = request.expression_attribute_names.as_ref();
        let projection = projection(request.projection_expression.as_deref(), names)?;
        let key = item_of(&request.key)?;
        let table = self.table_mut(&request.table_name)?;
        let key = Key::given(&table.definition.key, &key)?;
        table.admit(0, Use::Read, &key.partition, call.now)?;
        let found = table.read(&key, request.consistent_read).cloned();
        let bytes = found.as_ref().map_or(0, |item| item_bytes(item));
        let units = HalfUnits::read(bytes, request.consistent_read);
        table.charge(0, Use::Read, &key.partition, call.now, units);
        let mut consumed = Consumed::default();
        consumed.add(&request.table_name, Consumer::Table, units);
        let mut answer = json!({});
        if let Some(item) = found {
            answer["Item"] = part(&item, projection.as_ref());
        }
        if let Some(consumed) = consumed.one(request.return_consumed_capacity) {
            answer["ConsumedCapacity"] = consumed;
        }
        Ok(answer)
    }

    pub(super) fn batch_get_item(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: BatchGetItem = parsed(body)?;
        let count: usize = request.request_items.values().map(|read| read.keys.len()).sum();
        if request.request_items.values().any(|read| read.keys.is_empty()) || count == 0 {
            return Err(AwsError::invalid(
                "1 validation error detected: Value at 'requestItems' failed to satisfy \
                 constraint: Member must have length greater than or equal to 1",
            ));
        }
        if count > KEYS_MAX {
            return Err(AwsError::invalid("Too many items requested for the BatchGetItem call"));
        }
        for name in request.request_items.keys() {
            check_access(call, "BatchGetItem", name)?;
        }
        let mut wanted = Vec::new();
        for (name, read) in &request.request_items {
            let names = read.expression_attribute_names.as_ref();
            let projection = projection(read.projection_expression.as_deref(), names)?;
            let schema = &self.table(name)?.definition.key;
            let keys = read.keys.iter().map(|key| Key::given(schema, &item_of(key)?));
            let keys: Vec<Key> = keys.collect::<Result<_, _>>()?;
            if keys.iter().collect::<BTreeSet<_>>().len() < keys.len() {
                return Err(AwsError::invalid("Provided list of item keys contains duplicates"));
            }
            wanted.push((name, read, projection, keys));
        }
        let (mut responses, mut unprocessed) = (Map::new(), Map::new());
        let (mut consumed, mut bytes, mut processed) = (Consumed::default(), 0, 0);
        for (name, read, projection, keys) in wanted {
            let (mut found, mut left) = (Vec::new(), Vec::new());
            let table = self.table_mut(name)?;
            for (key, given) in keys.iter().zip(&read.keys) {
                let is_admitted = bytes < BATCH_BYTES_MAX
                    && table.admit(0, Use::Read, &key.partition, call.now).is_ok()
                    && !call.random.happens(call.freedom.unprocessed);
                let item = table.read(key, read.consistent_read).cloned();
                let size = item.as_ref().map_or(0, |item| item_bytes(item));
                if !is_admitted || (bytes + size > BATCH_BYTES_MAX && bytes > 0) {
                    left.push(given.clone());
                    continue;
                }
                bytes += size;
                processed += 1;
                let units = HalfUnits::read(size, read.consistent_read);
                table.charge(0, Use::Read, &key.partition, call.now, units);
                consumed.add(name, Consumer::Table, units);
                found.extend(item.map(|item| part(&item, projection.as_ref())));
            }
            if call.freedom.unordered_batches {
                shuffle(&mut found, call.random);
            }
            responses.insert(name.clone(), Json::Array(found));
            if !left.is_empty() {
                unprocessed.insert(name.clone(), read.to_json(&left));
            }
        }
        // Without a single processed key, the call fails as a whole.
        if processed == 0 {
            return Err(throttled());
        }
        let mut answer = json!({ "Responses": responses, "UnprocessedKeys": unprocessed });
        if let Some(consumed) = consumed.all(request.return_consumed_capacity) {
            answer["ConsumedCapacity"] = consumed;
        }
        Ok(answer)
    }
}
