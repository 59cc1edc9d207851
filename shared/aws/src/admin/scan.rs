//! Scans of a whole table, page by page.

use std::time::Duration;

use aws_sdk_dynamodb::config::{Builder, Config};
use lifecycle::ServiceError;
use lifecycle::record::{Key, Record};
use lifecycle::telemetry::observe_query;
use tokio::time::Instant;

use super::Operator;
use crate::aws::timeouts;
use crate::dynamodb::expressions::{SdkItem, key_in};
use crate::dynamodb::table::record;
use crate::errors::fault;

/// Maximum records in a page.
const PAGE_MAX: i32 = 100;
/// A page has up to 1 MB and is read over the operator's own network. The functions' time-outs are
/// too short for it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// Limit for all attempts together.
const OPERATION_TIMEOUT: Duration = Duration::from_mins(1);

/// The configuration of a scan: a longer time-out.
pub(super) fn patient() -> Builder {
    Config::builder().timeout_config(timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT))
}

/// A part of a table. Segments can be read at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// The segment's number, from 0.
    pub number: u16,
    /// The number of segments.
    pub of: u16,
}

/// A page of a segment.
pub struct Page<R> {
    /// The records, read with strong consistency.
    pub records: Vec<R>,
    /// The keys of the items that are not such records.
    pub unreadable: Vec<Key>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Place>,
}

/// Where a page begins.
pub struct Place(SdkItem);

impl Operator {
    /// A page of a segment, from the beginning or from where the last page ended.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn scan<R: Record>(
        &self,
        segment: Segment,
        from: Option<&Place>,
    ) -> Result<Page<R>, ServiceError> {
        let request = self
            .0
            .dynamodb()
            .scan()
            .table_name(self.0.table_name(R::TABLE)?)
            .segment(segment.number.into())
            .total_segments(segment.of.into())
            .limit(PAGE_MAX)
            .consistent_read(true)
            .set_exclusive_start_key(from.map(|place| place.0.clone()));
        let started = Instant::now();
        let answer = request.customize().config_override(patient()).send().await;
        observe_query("Scan", R::TABLE.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("Scan", R::TABLE.name(), error))?;
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for item in answer.items.unwrap_or_default() {
            let Some(key) = key_in(R::TABLE, &item) else { continue };
            match record(&key, item) {
                Ok(record) => records.push(record),
                Err(_) => unreadable.push(key),
            }
        }
        Ok(Page { records, unreadable, next: answer.last_evaluated_key.map(Place) })
    }
}
