//! `Scan`.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;

use super::capacity::{ReturnConsumed, Use};
use super::key::{Key, Place};
use super::page::{PageRequest, Select, read};
use super::table::Source;
use super::value::Item;
use super::view::{Entries, index_entry};
use super::{Call, DynamoDb};
use crate::services::wire::{AwsError, parsed};

/// The maximum number of segments.
const SEGMENTS_MAX: u32 = 1_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Scan {
    table_name: String,
    index_name: Option<String>,
    filter_expression: Option<String>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<Json>,
    #[serde(default)]
    consistent_read: bool,
    limit: Option<i64>,
    exclusive_start_key: Option<Json>,
    select: Option<Select>,
    segment: Option<u32>,
    total_segments: Option<u32>,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
}

impl DynamoDb {
    pub(super) fn scan(&mut self, body: &[u8], call: &mut Call<'_>) -> Result<Json, AwsError> {
        let scan: Scan = parsed(body)?;
        let request = PageRequest {
            table_name: scan.table_name,
            index_name: scan.index_name,
            consistent_read: scan.consistent_read,
            limit: scan.limit,
            exclusive_start_key: scan.exclusive_start_key,
            select: scan.select,
            filter_expression: scan.filter_expression,
            projection_expression: scan.projection_expression,
            return_consumed_capacity: scan.return_consumed_capacity,
        };
        call.access.check("dynamodb:Scan", &request.resource())?;
        let segment = segment(scan.segment, scan.total_segments)?;
        let table = self.table_mut(&request.table_name)?;
        let source = table.source(request.index_name.as_deref())?;
        let names = scan.expression_attribute_names.as_ref();
        let values = scan.expression_attribute_values.as_ref();
        let mut known = request.placeholders(names, values, false)?;
        let page = request.page(&table.definition, source, &mut known)?;
        let view = if let Source::Global(view, _) = source { view } else { 0 };
        let (found, first) = {
            let sorted: Entries;
            let entries = match source {
                Source::Table => table.entries(page.consistent),
                Source::Global(view, _) => &table.views[view].entries,
                Source::Local(index) => {
                    let entries = table.entries(page.consistent).iter();
                    let entries = entries.filter_map(|(place, item)| {
                        let Place { partition, sort, .. } = place.clone();
                        index_entry(&table.definition, index, &Key { partition, sort }, item)
                    });
                    sorted = entries.collect();
                    &sorted
                }
            };
            let start = page.start.clone().map_or(Bound::Unbounded, Bound::Excluded);
            let items = entries.range((start, Bound::Unbounded));
            let items = items.filter(|(place, _)| is_in(segment, place));
            let mut items = items.peekable();
            let first =
                items.peek().map(|(place, _): &(&Place, &Arc<Item>)| place.partition.clone());
            (read(table, source, &page, items), first)
        };
        if let Some(partition) = &first {
            table.admit(view, Use::Read, partition, call.now)?;
        }
        let consumed = found.charge(table, &request, first.as_ref(), call.now);
        Ok(found.answer(&page, &request, &consumed))
    }
}

/// The number of a segment, and the number of all segments.
fn segment(number: Option<u32>, of: Option<u32>) -> Result<Option<(u32, u32)>, AwsError> {
    match (number, of) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(AwsError::invalid(
            "The TotalSegments parameter is required but was not present in the request when \
             Segment parameter is present",
        )),
        (None, Some(_)) => Err(AwsError::invalid(
            "The Segment parameter is required but was not present in the request when parameter \
             TotalSegments is present",
        )),
        (Some(_), Some(of)) if !(1..=SEGMENTS_MAX).contains(&of) => {
            Err(AwsError::invalid(format!(
                "1 validation error detected: Value '{of}' at 'totalSegments' failed to satisfy \
             constraint: Member must have value between 1 and {SEGMENTS_MAX}"
            )))
        }
        (Some(number), Some(of)) if number >= of => Err(AwsError::invalid(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
             Segment: {number} is not less than TotalSegments: {of}"
        ))),
        (Some(number), Some(of)) => Ok(Some((number, of))),
    }
}

/// Whether a place is in the segment: segments divide the range of the hashes.
fn is_in(segment: Option<(u32, u32)>, place: &Place) -> bool {
    let Some((number, of)) = segment else { return true };
    (u128::from(place.partition.hash) * u128::from(of)) >> 64 == u128::from(number)
}
