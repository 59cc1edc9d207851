//! `Query`.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;

use super::capacity::{ReturnConsumed, Use};
use super::definition::{IndexDefinition, KeySchema};
use super::expression::{Condition, KeyCondition, SortCondition};
use super::key::{KeyValue, Partition, Place};
use super::page::{PageRequest, Select, read};
use super::table::{Source, Table};
use super::value::{Item, Value};
use super::view::{Entries, index_entry};
use super::{Call, DynamoDb};
use crate::services::wire::{AwsError, parsed};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Query {
    table_name: String,
    index_name: Option<String>,
    key_condition_expression: String,
    filter_expression: Option<String>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Json>,
    #[serde(default = "ascending")]
    scan_index_forward: bool,
    #[serde(default)]
    consistent_read: bool,
    limit: Option<i64>,
    exclusive_start_key: Option<Json>,
    select: Option<Select>,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
}

fn ascending() -> bool {
    true
}

impl DynamoDb {
    pub(super) fn query(&mut self, body: &[u8], call: &mut Call<'_>) -> Result<Json, AwsError> {
        let query: Query = parsed(body)?;
        let request = PageRequest {
            table_name: query.table_name,
            index_name: query.index_name,
            consistent_read: query.consistent_read,
            limit: query.limit,
            exclusive_start_key: query.exclusive_start_key,
            select: query.select,
            filter_expression: query.filter_expression,
            projection_expression: query.projection_expression,
            return_consumed_capacity: query.return_consumed_capacity,
        };
        call.access.check("dynamodb:Query", &request.resource())?;
        let table = self.table_mut(&request.table_name)?;
        let source = table.source(request.index_name.as_deref())?;
        let schema = match source {
            Source::Table => &table.definition.key,
            Source::Global(_, index) | Source::Local(index) => &index.key,
        };
        let names = query.expression_attribute_names.as_ref();
        let values = query.expression_attribute_values.as_ref();
        let mut known = request.placeholders(names, values, true)?;
        let sort = schema.sort.as_ref().map(|sort| sort.name.as_str());
        let expression = &query.key_condition_expression;
        let condition = KeyCondition::parse(expression, &mut known, &schema.partition.name, sort)?;
        let page = request.page(&table.definition, source, &mut known)?;
        let partition = checked_partition(schema, &condition)?;
        if let Some(filter) = &page.filter {
            check_filter(&table.definition.key, source, schema, filter)?;
        }
        if page.start.as_ref().is_some_and(|start| start.partition != partition) {
            return Err(AwsError::invalid(
                "The provided starting key is outside query boundaries based on provided conditions",
            ));
        }
        let view = if let Source::Global(view, _) = source { view } else { 0 };
        let found = {
            let sorted;
            let entries = match source {
                Source::Table => table.entries(page.consistent),
                Source::Global(view, _) => &table.views[view].entries,
                Source::Local(index) => {
                    sorted = local(table, index, &partition, page.consistent);
                    &sorted
                }
            };
            let items = in_partition(entries, &partition).filter(|(place, _)| {
                let sort = place.sort.as_ref().map(KeyValue::to_value);
                match &condition.sort {
                    None => true,
                    Some(wanted) => sort.is_some_and(|sort| wanted.holds(&sort)),
                }
            });
            let start = page.start.as_ref();
            if query.scan_index_forward {
                let items = items.filter(|(place, _)| start.is_none_or(|start| *place > start));
                read(table, source, &page, items)
            } else {
                let items = items.rev();
                let items = items.filter(|(place, _)| start.is_none_or(|start| *place < start));
                read(table, source, &page, items)
            }
        };
        table.admit(view, Use::Read, &partition, call.now)?;
        let consumed = found.charge(table, &request, Some(&partition), call.now);
        Ok(found.answer(&page, &request, &consumed))
    }
}

/// The partition of a condition whose values have the types of the key.
fn checked_partition(schema: &KeySchema, condition: &KeyCondition) -> Result<Partition, AwsError> {
    let wrong_type =
        || AwsError::invalid_value("Condition parameter type does not match schema type");
    let empty = |name: &str| {
        AwsError::invalid(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute \
             cannot contain an empty string value. Key: {name}"
        ))
    };
    let partition = &condition.partition;
    if partition.tag() != schema.partition.kind.tag() {
        return Err(wrong_type());
    }
    if is_empty(partition) {
        return Err(empty(&schema.partition.name));
    }
    if let (Some(sort), Some(attribute)) = (&condition.sort, &schema.sort) {
        if sort.values().into_iter().any(|value| value.tag() != attribute.kind.tag()) {
            return Err(wrong_type());
        }
        let allows_empty = matches!(sort, SortCondition::BeginsWith(_));
        if !allows_empty && sort.values().into_iter().any(is_empty) {
            return Err(empty(&attribute.name));
        }
    }
    KeyValue::of(partition).map(Partition::new).ok_or_else(wrong_type)
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::S(text) if text.is_empty())
        || matches!(value, Value::B(bytes) if bytes.is_empty())
}

/// A filter must not have attributes of the key, nor attributes that the index lacks. The filter of a scan
/// may have them.
fn check_filter(
    table: &KeySchema,
    source: Source<'_>,
    schema: &KeySchema,
    filter: &Condition,
) -> Result<(), AwsError> {
    let paths = filter.paths();
    for path in &paths {
        if schema.attributes().any(|attribute| attribute.name == path.attribute) {
            return Err(AwsError::invalid(format!(
                "Filter Expression can only contain non-primary key attributes: \
                 Primary key attribute: {}",
                path.attribute
            )));
        }
    }
    let (Source::Global(_, index) | Source::Local(index)) = source else { return Ok(()) };
    let lacked = index.lacked(table, paths.iter().map(|path| path.attribute.as_str()));
    let Some(lacked) = lacked else { return Ok(()) };
    let index = &index.name;
    Err(AwsError::invalid_value(format!(
        "Secondary index {index} does not project one or more filter attributes: [{lacked}]"
    )))
}

/// The items of a partition in a local index.
fn local(
    table: &Table,
    index: &IndexDefinition,
    partition: &Partition,
    consistent: bool,
) -> Entries {
    let entries = in_partition(table.entries(consistent), partition);
    let entries = entries.filter_map(|(place, item)| {
        let Place { partition, sort, .. } = place.clone();
        let key = super::key::Key { partition, sort };
        index_entry(&table.definition, index, &key, item)
    });
    entries.collect()
}

/// The items of a partition, in order.
fn in_partition<'a>(
    entries: &'a Entries,
    partition: &Partition,
) -> impl DoubleEndedIterator<Item = (&'a Place, &'a Arc<Item>)> {
    let start = Place { partition: partition.clone(), sort: None, key: None };
    let partition = partition.clone();
    let range = entries.range((Bound::Included(start), Bound::Unbounded));
    // The end is known only by its partition: collected, so that it can be read from the back.
    let found: Vec<_> = range.take_while(move |(place, _)| place.partition == partition).collect();
    found.into_iter()
}
