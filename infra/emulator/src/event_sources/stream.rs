//! The event source mapping of a table's stream: reads in order, invokes, continues after success.

use std::time::Duration;

use dynoxide::actions::get_records::Record;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use super::events;
use super::mapping::Mapping;
use super::outcome;
use crate::activity::{Cause, Retry, SentBecause, StreamItem, TableReader, key_text};
use crate::functions::InvokeError;
use crate::services::{StoreError, StreamPosition, TableName};
use sam_template::StreamTrigger;
use sam_template::batches::PAYLOAD_BYTES_MAX;

/// The interval of polling a stream without notified writes.
const SLOW_POLL: Duration = Duration::from_secs(5);

/// The retry back-off of a failing batch.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(10);

/// One reader of a stream. With parallelization, there are several: each reads the items of its
/// share of the partition keys, in order.
pub(super) struct Lane {
    mapping: Mapping,
    trigger: StreamTrigger,
    table: TableName,
    /// The index among the trigger's lanes, from 0.
    number: u32,
    /// The name of its checkpoint.
    checkpoint: String,
    position: StreamPosition,
    writes: watch::Receiver<()>,
}

/// Records that are delivered together.
struct Batch {
    records: Vec<Record>,
    /// The number of attempts so far.
    attempts: u32,
}

/// Creates the readers of a stream, each at its starting position.
pub(super) fn lanes(mapping: &Mapping, trigger: &StreamTrigger) -> Result<Vec<Lane>, StoreError> {
    let stores = &mapping.stores;
    let table = stores.names().table(&trigger.table).cloned();
    let table = table.expect("the stores have created every table of the template");
    stores.activity().reader_added(TableReader { table: &trigger.table, reader: &mapping.name });
    let lane = |number| {
        let checkpoint = format!("{}/{number}", mapping.name);
        Ok(Lane {
            position: stores.stream_position(&checkpoint, &table, trigger.starting_position)?,
            writes: stores.writes(&trigger.table)?,
            mapping: mapping.clone(),
            trigger: trigger.clone(),
            table: table.clone(),
            number,
            checkpoint,
        })
    };
    (0..trigger.parallelization_factor.max(1)).map(lane).collect()
}

/// Reads until the task is aborted.
pub(super) async fn read(mut lane: Lane) {
    loop {
        // Mark before reading: a write during the read then still causes a notification.
        lane.writes.mark_unchanged();
        match lane.gather().await {
            Ok(records) if records.is_empty() => lane.wait().await,
            Ok(records) => lane.work_off(records).await,
            Err(error) => {
                lane.mapping.say(&format!("the stream cannot be read: {error}"));
                tokio::time::sleep(SLOW_POLL).await;
            }
        }
    }
}

impl Lane {
    async fn wait(&mut self) {
        // After a write or after the time limit, the stream is read.
        let _ = tokio::time::timeout(SLOW_POLL, self.writes.changed()).await;
    }

    /// Gathers a batch: the records available now, or the first to arrive within the batching
    /// window, until they fill an event.
    async fn gather(&mut self) -> Result<Vec<Record>, StoreError> {
        let wanted = self.trigger.batch_size.max(1) as usize;
        let mut end = self.position.clone();
        let mut records = self.next_records(&mut end, wanted)?;
        if records.is_empty() {
            self.position = end;
            return Ok(records);
        }
        let deadline = Instant::now() + self.trigger.batching_window;
        let mut sizes = self.sizes(&records);
        let has_room = |sizes: &[usize]| {
            sizes.len() < wanted && sizes.iter().sum::<usize>() < PAYLOAD_BYTES_MAX
        };
        while has_room(&sizes) && Instant::now() < deadline {
            let more = self.next_records(&mut end, wanted - records.len())?;
            if more.is_empty() {
                // A write since the last mark ends the wait at once, and so does the end of the stores.
                if let Ok(Err(_)) = tokio::time::timeout_at(deadline, self.writes.changed()).await {
                    break;
                }
            }
            sizes.extend(self.sizes(&more));
            records.extend(more);
        }
        records.truncate(events::fitting(sizes.into_iter()));
        Ok(records)
    }

    /// The bytes of each record in events.
    fn sizes(&self, records: &[Record]) -> Vec<usize> {
        let bytes = |record| events::of_record(&self.table, record).to_string().len();
        records.iter().map(bytes).collect()
    }

    /// The next records of this lane after a position, at most this many. The position moves past
    /// them, and past records of other lanes, filtered records and dropped ones.
    fn next_records(
        &self,
        position: &mut StreamPosition,
        count_max: usize,
    ) -> Result<Vec<Record>, StoreError> {
        loop {
            let records = self.mapping.stores.records(&self.table, position, count_max)?;
            let Some(last) = records.last() else {
                return Ok(Vec::new());
            };
            *position = StreamPosition::After(last.dynamodb.sequence_number.clone());
            self.record_left_out(&records);
            let mine: Vec<Record> =
                records.into_iter().filter(|record| self.is_for_me(record)).collect();
            if !mine.is_empty() {
                return Ok(mine);
            }
        }
    }

    fn is_for_me(&self, record: &Record) -> bool {
        let faults = self.mapping.stores.faults();
        self.is_mine(record)
            && self.passes(record)
            && !faults.loses(&self.trigger.table, &record.dynamodb.sequence_number)
    }

    fn passes(&self, record: &Record) -> bool {
        let filters = &self.trigger.filters;
        let event = || events::of_record(&self.table, record);
        filters.is_empty() || filters.iter().any(|filter| filter.fits(&event()))
    }

    fn is_mine(&self, record: &Record) -> bool {
        let factor = self.trigger.parallelization_factor.max(1);
        if factor == 1 {
            return true;
        }
        let key =
            Sha256::digest(json!(record.dynamodb.keys.get(&self.table.partition_key)).to_string());
        u32::from(key[0]) % factor == self.number
    }

    /// Delivers a batch until each record has succeeded or been given up.
    async fn work_off(&mut self, records: Vec<Record>) {
        // The last batch is delivered next.
        let mut batches = vec![Batch { records, attempts: 0 }];
        while let Some(batch) = batches.pop() {
            let batch = self.without_expired(batch).await;
            if batch.records.is_empty() {
                continue;
            }
            let event = events::of_records(&self.table, &batch.records);
            let cause = || Cause::Records {
                table: self.trigger.table.clone(),
                reader: self.mapping.name.clone(),
                records: Self::items(&batch.records),
            };
            if self.mapping.stores.faults().duplicates(&self.checkpoint) {
                // Ignore the result of the additional delivery.
                let _ = self.mapping.invoke(event.clone(), cause()).await;
            }
            match self.mapping.invoke(event, cause()).await {
                Ok(answer) => self.heed(&answer, batch, &mut batches).await,
                // These errors are not caused by the records, so they do not count as attempts.
                Err(error @ (InvokeError::Stopping | InvokeError::Throttled)) => {
                    let (error, after) = (&error.to_string(), RETRY_PAUSE);
                    self.record_retry(&batch.records, Retry { error, after, bisected: false });
                    tokio::time::sleep(RETRY_PAUSE).await;
                    batches.push(batch);
                }
                Err(error) => self.failed(batch, &error.to_string(), &mut batches).await,
            }
        }
    }

    /// Handles the function's response: keeps the failed records for a retry.
    async fn heed(&mut self, answer: &bytes::Bytes, batch: Batch, batches: &mut Vec<Batch>) {
        if !self.trigger.report_batch_item_failures {
            return self.done_with(&batch.records);
        }
        let numbers = batch.records.iter().map(|record| record.dynamodb.sequence_number.as_str());
        match outcome::failed(answer, &numbers.collect::<Vec<_>>()) {
            Err(reason) => self.failed(batch, &reason, batches).await,
            Ok(failed) => match failed.first() {
                None => self.done_with(&batch.records),
                Some(&first) => {
                    // To keep the order, all records from the first failure on count as failed.
                    let Batch { mut records, attempts } = batch;
                    let rest = records.split_off(first);
                    let attempts = if first == 0 { attempts } else { 0 };
                    self.done_with(&records);
                    let rest = Batch { records: rest, attempts };
                    // The report has split the batch: Lambda does not halve the rest.
                    self.retry(rest, "the function reported a failure", batches).await;
                }
            },
        }
    }

    /// Queues a batch whose invocation failed for a retry, split in halves if the template asks for
    /// it.
    async fn failed(&mut self, batch: Batch, reason: &str, batches: &mut Vec<Batch>) {
        if !self.trigger.bisect_batch_on_function_error || batch.records.len() == 1 {
            return self.retry(batch, reason, batches).await;
        }
        self.pause(&batch, reason, true).await;
        let Batch { mut records, attempts } = batch;
        // Splitting does not count as an attempt.
        let second = records.split_off(records.len() / 2);
        batches.push(Batch { records: second, attempts });
        batches.push(Batch { records, attempts });
    }

    /// Queues a failed batch for a retry as it is, or gives it up.
    async fn retry(&mut self, batch: Batch, reason: &str, batches: &mut Vec<Batch>) {
        self.pause(&batch, reason, false).await;
        let Batch { records, attempts } = batch;
        let attempts = attempts + 1;
        if self.trigger.maximum_retry_attempts.is_some_and(|retries_max| attempts > retries_max) {
            self.give_up(&records, "RetryAttemptsExhausted", attempts).await;
        } else {
            batches.push(Batch { records, attempts });
        }
    }

    /// Reports a failed batch and waits before its retry.
    async fn pause(&self, batch: &Batch, error: &str, bisected: bool) {
        let Batch { records, attempts } = batch;
        self.mapping.say(&format!("a batch of {} failed: {error}", records.len()));
        let after = pause_after(*attempts);
        self.record_retry(records, Retry { error, after, bisected });
        tokio::time::sleep(after).await;
    }

    /// Gives up the records at the start of a batch that exceed the maximum age.
    async fn without_expired(&mut self, mut batch: Batch) -> Batch {
        let Some(age_max) = self.trigger.maximum_record_age else {
            return batch;
        };
        let now = self.mapping.now().as_duration().as_secs_f64();
        let is_fresh = |record: &Record| {
            now - record.dynamodb.approximate_creation_date_time <= age_max.as_secs_f64()
        };
        let fresh = batch.records.iter().position(is_fresh).unwrap_or(batch.records.len());
        if fresh > 0 {
            let rest = batch.records.split_off(fresh);
            self.give_up(&batch.records, "RecordAgeExceeded", batch.attempts).await;
            batch.records = rest;
        }
        batch
    }

    async fn give_up(&mut self, records: &[Record], condition: &str, attempts: u32) {
        let count = records.len();
        self.mapping.say(&format!("{count} stream records were given up: {condition}"));
        let stores = &self.mapping.stores;
        let destination = self.trigger.on_failure_queue.as_deref();
        if let Some(queue) = destination.and_then(|queue| stores.names().queue(queue)) {
            let arn = stores.names().function_arn(&self.mapping.function);
            let (arn, table, now) = (arn.as_deref(), &self.table, self.mapping.now());
            let body = events::of_given_up(arn, table, records, condition, attempts, now);
            let items = Self::items(records);
            let reason = SentBecause::OfRows(&self.trigger.table, &items);
            if let Err(error) = stores.send_because(queue, &body, reason).await {
                self.mapping.say(&error.to_string());
            }
        }
        self.mapping.activity().rows_given_up(self.reader(), &Self::items(records), condition);
        self.advance(records);
    }

    /// The records have been processed.
    fn done_with(&mut self, records: &[Record]) {
        self.mapping.activity().rows_succeeded(self.reader(), &Self::items(records));
        self.advance(records);
    }

    fn record_retry(&self, records: &[Record], retry: Retry<'_>) {
        self.mapping.activity().rows_failed(self.reader(), &Self::items(records), retry);
    }

    /// Records that no filter matches, and records that a fault drops.
    fn record_left_out(&self, records: &[Record]) {
        let (faults, activity) = (self.mapping.stores.faults(), self.mapping.activity());
        for record in records.iter().filter(|record| self.is_mine(record)) {
            let item = || [Self::item(record)];
            if !self.passes(record) {
                activity.rows_filtered(self.reader(), &item());
            } else if faults.loses(&self.trigger.table, &record.dynamodb.sequence_number) {
                activity.rows_given_up(self.reader(), &item(), "a fault dropped the record");
            }
        }
    }

    fn reader(&self) -> TableReader<'_> {
        TableReader { table: &self.trigger.table, reader: &self.mapping.name }
    }

    fn items(records: &[Record]) -> Vec<StreamItem> {
        records.iter().map(Self::item).collect()
    }

    fn item(record: &Record) -> StreamItem {
        let keys = json!(record.dynamodb.keys);
        let keys = keys.as_object().into_iter().flatten();
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds, far below 2^53")]
        let created_s = record.dynamodb.approximate_creation_date_time as i64;
        StreamItem {
            number: record.dynamodb.sequence_number.clone(),
            key: key_text(keys.map(|(name, value)| (name.as_str(), value))),
            event: record.event_name.clone(),
            created_s,
        }
    }

    fn advance(&mut self, records: &[Record]) {
        let Some(last) = records.last() else {
            return;
        };
        let number = &last.dynamodb.sequence_number;
        self.position = StreamPosition::After(number.clone());
        // If saving fails, records are only delivered again after a restart.
        if let Err(error) = self.mapping.stores.set_checkpoint(&self.checkpoint, number) {
            self.mapping.say(&format!("the checkpoint cannot be saved: {error}"));
        }
    }
}

fn pause_after(attempts: u32) -> Duration {
    RETRY_PAUSE.saturating_mul(1 << attempts.min(10)).min(RETRY_PAUSE_MAX)
}
