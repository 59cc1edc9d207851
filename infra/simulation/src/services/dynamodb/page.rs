//! Pages of items, for queries and scans.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::capacity::{Consumed, Consumer, HalfUnits, ReturnConsumed, Use};
use super::definition::{IndexDefinition, IndexProjection, TableDefinition};
use super::expression::{Condition, Placeholders, Projection, holds};
use super::key::{Key, Place};
use super::reads::part;
use super::table::{Source, Table};
use super::value::{Item, item_bytes, item_of, item_to_json};
use crate::Millis;
use crate::services::wire::AwsError;

/// The maximum size of the items that one call reads, in bytes.
const BYTES_MAX: usize = 1024 * 1024;

/// The members that the requests of a query and a scan share.
#[derive(Debug)]
pub(super) struct PageRequest {
    pub(super) table_name: String,
    pub(super) index_name: Option<String>,
    pub(super) consistent_read: bool,
    pub(super) limit: Option<i64>,
    pub(super) exclusive_start_key: Option<Json>,
    pub(super) select: Option<Select>,
    pub(super) filter_expression: Option<String>,
    pub(super) projection_expression: Option<String>,
    pub(super) return_consumed_capacity: ReturnConsumed,
}

/// `Select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Select {
    AllAttributes,
    AllProjectedAttributes,
    SpecificAttributes,
    Count,
}

/// A parsed request of a page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) consistent: bool,
    pub(super) start: Option<Place>,
    limit: usize,
    counts: bool,
    /// Whether a local index lacks wanted attributes, so that found items are read from the table.
    fetches: bool,
    pub(super) filter: Option<Condition>,
    projection: Option<Projection>,
}

impl PageRequest {
    pub(super) fn resource(&self) -> String {
        match &self.index_name {
            Some(index) => format!("table/{}/index/{index}", self.table_name),
            None => format!("table/{}", self.table_name),
        }
    }

    /// The placeholders of all expressions; `key_condition` is whether the request has one more.
    pub(super) fn placeholders(
        &self,
        names: Option<&BTreeMap<String, String>>,
        values: Option<&Json>,
        key_condition: bool,
    ) -> Result<Placeholders, AwsError> {
        let has_expression = key_condition
            || self.filter_expression.is_some()
            || self.projection_expression.is_some();
        Placeholders::of(names, values, has_expression)
    }

    /// Checks and parses the request. `known` must have all names and values used after it.
    pub(super) fn page(
        &self,
        table: &TableDefinition,
        source: Source<'_>,
        known: &mut Placeholders,
    ) -> Result<Page, AwsError> {
        if self.consistent_read && matches!(source, Source::Global(..)) {
            return Err(AwsError::invalid(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        let limit = match self.limit {
            None => usize::MAX,
            Some(limit) => usize::try_from(limit).ok().filter(|it| *it > 0).ok_or_else(|| {
                AwsError::invalid(format!(
                    "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy \
                     constraint: Member must have value greater than or equal to 1"
                ))
            })?,
        };
        self.check_select(source)?;
        let filter = self.filter_expression.as_deref();
        let filter =
            filter.map(|it| Condition::parse("FilterExpression", it, known)).transpose()?;
        let projection = self.projection_expression.as_deref();
        let projection = projection.map(|it| Projection::parse(it, known)).transpose()?;
        known.check_all_used()?;
        let fetches = self.fetches(table, source, projection.as_ref())?;
        let start = self.exclusive_start_key.as_ref();
        let start = start.map(|start| place_of(table, source, &item_of(start)?)).transpose()?;
        let counts = self.select == Some(Select::Count);
        let consistent = self.consistent_read;
        Ok(Page { consistent, start, limit, counts, fetches, filter, projection })
    }

    /// Whether found items are read from the table, too. An error if the index is global, and lacks
    /// wanted attributes.
    fn fetches(
        &self,
        table: &TableDefinition,
        source: Source<'_>,
        projection: Option<&Projection>,
    ) -> Result<bool, AwsError> {
        let (Source::Global(_, index) | Source::Local(index)) = source else { return Ok(false) };
        let wanted = projection.into_iter().flat_map(Projection::attributes);
        let lacked = index.lacked(&table.key, wanted);
        if matches!(source, Source::Local(_)) {
            let lacks_some = index.projection != IndexProjection::All;
            let all = self.select == Some(Select::AllAttributes);
            return Ok((all && lacks_some) || lacked.is_some());
        }
        let Some(lacked) = lacked else { return Ok(false) };
        let index = &index.name;
        let message = format!("Global secondary index {index} does not project [{lacked}]");
        Err(AwsError::invalid_value(message))
    }

    fn check_select(&self, source: Source<'_>) -> Result<(), AwsError> {
        let has_projection = self.projection_expression.is_some();
        let wrong = match self.select {
            Some(Select::SpecificAttributes) if !has_projection => {
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get \
                 SPECIFIC_ATTRIBUTES"
            }
            Some(Select::AllAttributes | Select::AllProjectedAttributes | Select::Count)
                if has_projection =>
            {
                "Cannot specify the ProjectionExpression when choosing to get other than \
                 SPECIFIC_ATTRIBUTES"
            }
            Some(Select::AllProjectedAttributes) if matches!(source, Source::Table) => {
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
            }
            Some(Select::AllAttributes) if lacks_attributes(source) => {
                return Err(AwsError::invalid_value(
                    "Select type ALL_ATTRIBUTES is not supported for global secondary index \
                     because its projection type is not ALL",
                ));
            }
            _ => return Ok(()),
        };
        Err(AwsError::invalid(wrong))
    }
}

fn lacks_attributes(source: Source<'_>) -> bool {
    matches!(source, Source::Global(_, index) if index.projection != IndexProjection::All)
}

/// The place of a start key: the keys of the table and of the index, and nothing else.
fn place_of(table: &TableDefinition, source: Source<'_>, start: &Item) -> Result<Place, AwsError> {
    let wrong = || AwsError::invalid("The provided starting key is invalid");
    let index = match source {
        Source::Table => None,
        Source::Global(_, index) | Source::Local(index) => Some(index),
    };
    let of_index = index.into_iter().flat_map(|index| index.key.attributes());
    let names: Vec<&String> =
        table.key.attributes().chain(of_index).map(|attribute| &attribute.name).collect();
    let is_known = |name: &String| names.contains(&name);
    if !start.keys().all(is_known) {
        return Err(wrong());
    }
    let key = Key::stored(&table.key, start).ok_or_else(wrong)?;
    match index {
        None => Ok(Place::from(key)),
        Some(index) => {
            let Key { partition, sort } = Key::stored(&index.key, start).ok_or_else(wrong)?;
            Ok(Place { partition, sort, key: Some(key) })
        }
    }
}

/// Reads a page from items in order.
pub(super) fn read<'a>(
    table: &Table,
    source: Source<'_>,
    page: &Page,
    items: impl Iterator<Item = (&'a Place, &'a Arc<Item>)>,
) -> Read {
    let mut read = Read::default();
    let mut items = items.peekable();
    while let Some((place, item)) = items.next() {
        let bytes = item_bytes(item);
        if read.bytes + bytes > BYTES_MAX && read.scanned > 0 {
            break;
        }
        read.bytes += bytes;
        read.scanned += 1;
        read.last = Some(start_key(&table.definition, source, item));
        if page.filter.as_ref().is_none_or(|filter| holds(filter, item)) {
            let of_table = place.key.as_ref().filter(|_| page.fetches);
            let of_table = of_table
                .and_then(|key| table.entries(page.consistent).get(&Place::from(key.clone())));
            if let Some(item) = of_table {
                read.fetched = read.fetched + HalfUnits::read(item_bytes(item), page.consistent);
            }
            read.found.push(Arc::clone(of_table.unwrap_or(item)));
        }
        if read.scanned == page.limit {
            return read;
        }
        if items.peek().is_none() {
            read.last = None;
            return read;
        }
    }
    read
}

/// The result of a read.
#[derive(Debug, Default)]
pub(super) struct Read {
    found: Vec<Arc<Item>>,
    scanned: usize,
    bytes: usize,
    /// The units of items that were read from the table after the index.
    fetched: HalfUnits,
    /// The key of the last item that was read, if there may be more.
    last: Option<Item>,
}

fn start_key(table: &TableDefinition, source: Source<'_>, item: &Item) -> Item {
    let of_index = match source {
        Source::Table => None,
        Source::Global(_, index) | Source::Local(index) => Some(index),
    };
    let of_index = of_index.into_iter().flat_map(|index: &IndexDefinition| index.key.attributes());
    let names = table.key.attributes().chain(of_index).map(|attribute| &attribute.name);
    names.filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
}

impl Read {
    /// Counts the units of the read. They are of the partition of the last item, or of `start`.
    pub(super) fn charge(
        &self,
        table: &mut Table,
        request: &PageRequest,
        partition: Option<&super::key::Partition>,
        now: Millis,
    ) -> Consumed {
        let units = HalfUnits::read(self.bytes, request.consistent_read);
        let mut consumed = Consumed::default();
        let (view, consumer) = match table.source(request.index_name.as_deref()) {
            Ok(Source::Global(view, index)) => (view, Consumer::Global(&index.name)),
            Ok(Source::Local(index)) => (0, Consumer::Local(&index.name)),
            _ => (0, Consumer::Table),
        };
        consumed.add(&table.definition.name, consumer, units);
        consumed.add(&table.definition.name, Consumer::Table, self.fetched);
        if let Some(partition) = partition {
            table.charge(view, Use::Read, partition, now, units + self.fetched);
        }
        consumed
    }

    pub(super) fn answer(&self, page: &Page, request: &PageRequest, consumed: &Consumed) -> Json {
        let mut answer = json!({ "Count": self.found.len(), "ScannedCount": self.scanned });
        if !page.counts {
            let items = self.found.iter().map(|item| part(item, page.projection.as_ref()));
            answer["Items"] = items.collect();
        }
        if let Some(last) = &self.last {
            answer["LastEvaluatedKey"] = item_to_json(last);
        }
        if let Some(consumed) = consumed.one(request.return_consumed_capacity) {
            answer["ConsumedCapacity"] = consumed;
        }
        answer
    }
}
