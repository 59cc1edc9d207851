//! The event source mapping of a table's stream: reads each shard in order, invokes, and goes on
//! after success.

use std::sync::Arc;
use std::time::Duration;

use sam_template::StreamTrigger;
use sam_template::batches::{failed_items, fitting};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::events;
use super::mapping::Mapping;
use crate::Millis;
use crate::world::faults::Fault;
use crate::world::lambda::InvokeError;
use crate::world::names::queue_url;
use crate::world::state::lock;
use crate::world::trace::Cause;

/// The longest wait for a record before the shard is read again.
const IDLE: Duration = Duration::from_mins(1);
/// The pauses between the attempts at a batch.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_mins(1);
/// The time for which a stream keeps its records.
const RETENTION: Millis = Millis::hours(24);
/// The maximum records of one read.
const READ_MAX: usize = 1_000;

/// A reader of one shard. With parallelization there are several, each for its share of the keys.
pub(super) struct Reader {
    pub(super) mapping: Mapping,
    pub(super) trigger: StreamTrigger,
    pub(super) stream: String,
    pub(super) shard: String,
    /// The number among the readers of the shard, from 0.
    pub(super) lane: u32,
    /// The partition key of the table.
    pub(super) partition_key: String,
    /// The name of the queue for records that are given up.
    pub(super) on_failure: Option<String>,
    /// The sequence number of the last record that is done with.
    pub(super) after: Option<String>,
    /// The time of the last read.
    pub(super) read_at: Millis,
}

/// Records that are delivered together.
struct Batch {
    records: Vec<Json>,
    attempts: u32,
}

impl Reader {
    /// Reads until the task is dropped.
    pub(super) async fn read(mut self) {
        let world = Arc::clone(&self.mapping.world);
        loop {
            let mut seen = world.written.records();
            match self.deliver_next(&mut seen).await {
                Ok(true) => {}
                Ok(false) => {
                    // Read again after a write, or after the time.
                    let _ = timeout(IDLE, world.written.more_than(&mut seen)).await;
                }
                Err(error) => {
                    if error["__type"] == "TrimmedDataAccessException" {
                        self.start_again();
                    } else {
                        sleep(RETRY_PAUSE).await;
                    }
                }
            }
        }
    }

    /// Continues after the newest record.
    pub(super) async fn skip(&mut self) -> Result<(), Json> {
        while let Some(last) = self.read_shard().await?.last() {
            self.after = Some(number_of(last));
        }
        Ok(())
    }

    /// Continues at the oldest record: the last one is no longer in the stream. Records are lost only
    /// if the shard was not read for the time that it keeps them.
    fn start_again(&mut self) {
        self.after = None;
        if self.mapping.world.now().since(self.read_at) > RETENTION {
            self.mapping.record_given_up(Vec::new(), "records were lost by their age");
        }
    }

    /// Delivers a batch: the records that are there, or the first that come within the batching
    /// window, until they fill an event. `seen` is the number of records before the read. Returns whether
    /// there was a record.
    async fn deliver_next(&mut self, seen: &mut u64) -> Result<bool, Json> {
        let mut records = self.next_records().await?;
        if records.is_empty() {
            return Ok(false);
        }
        // The world is not at rest while a record waits for the end of the batching window.
        let _busy = self.mapping.world.busy();
        let deadline = Instant::now() + self.trigger.batching_window;
        while !self.is_full(&records) && Instant::now() < deadline {
            // A write in any stream ends the wait, and so does the end of the window.
            let _ = timeout_at(deadline, self.mapping.world.written.more_than(seen)).await;
            records = self.next_records().await?;
        }
        records.truncate(self.fitting(&records));
        self.work_off(records).await;
        Ok(true)
    }

    fn is_full(&self, records: &[Json]) -> bool {
        records.len() == self.batch_size() || self.fitting(records) < records.len()
    }

    fn fitting(&self, records: &[Json]) -> usize {
        let bytes = |record| events::of_record(&self.stream, record).to_string().len();
        fitting(records.iter().map(bytes))
    }

    fn batch_size(&self) -> usize {
        self.trigger.batch_size.max(1) as usize
    }

    /// The next records of this lane, at most a batch. The position also moves past the records of
    /// other lanes and records that no filter matches.
    async fn next_records(&mut self) -> Result<Vec<Json>, Json> {
        loop {
            let read = self.read_shard().await?;
            self.read_at = self.mapping.world.now();
            let Some(last) = read.last().map(number_of) else { return Ok(Vec::new()) };
            let mut mine: Vec<Json> =
                read.into_iter().filter(|record| self.is_for_me(record)).collect();
            if !mine.is_empty() {
                mine.truncate(self.batch_size());
                return Ok(mine);
            }
            self.after = Some(last);
        }
    }

    async fn read_shard(&self) -> Result<Vec<Json>, Json> {
        let world = &self.mapping.world;
        // Each write in any stream wakes all readers: most would read nothing.
        let after = self.after.as_deref();
        if lock(&world.services).is_shard_read(&self.stream, &self.shard, after) {
            return Ok(Vec::new());
        }
        let mut position = json!({ "StreamArn": self.stream, "ShardId": self.shard });
        match &self.after {
            Some(number) => {
                position["ShardIteratorType"] = json!("AFTER_SEQUENCE_NUMBER");
                position["SequenceNumber"] = json!(number);
            }
            // The stream is as old as the world: its oldest record is the next one, unless the reader
            // has skipped it.
            None => position["ShardIteratorType"] = json!("TRIM_HORIZON"),
        }
        let found = world.ask("DynamoDBStreams_20120810.GetShardIterator", &position).await?;
        let read = json!({ "ShardIterator": found["ShardIterator"], "Limit": READ_MAX });
        let mut read = world.ask("DynamoDBStreams_20120810.GetRecords", &read).await?;
        match read["Records"].take() {
            Json::Array(records) => Ok(records),
            _ => Ok(Vec::new()),
        }
    }

    fn is_for_me(&self, record: &Json) -> bool {
        let filters = &self.trigger.filters;
        let event = || events::of_record(&self.stream, record);
        self.is_mine(record)
            && (filters.is_empty() || filters.iter().any(|filter| filter.fits(&event())))
    }

    fn is_mine(&self, record: &Json) -> bool {
        let factor = self.trigger.parallelization_factor.max(1);
        if factor == 1 {
            return true;
        }
        let key = record["dynamodb"]["Keys"][self.partition_key.as_str()].to_string();
        u32::from(Sha256::digest(key)[0]) % factor == self.lane
    }

    /// Delivers a batch until each record has succeeded or is given up.
    async fn work_off(&mut self, records: Vec<Json>) {
        // The last batch is delivered next.
        let mut batches = vec![Batch { records, attempts: 0 }];
        while let Some(batch) = batches.pop() {
            let batch = self.without_old(batch).await;
            if batch.records.is_empty() {
                continue;
            }
            let event = events::of_records(&self.stream, &batch.records);
            if self.mapping.draws(Fault::DuplicateBatch) {
                // The result of this delivery is not seen.
                let _ = self.mapping.invoke(&event, self.cause(&batch)).await;
            }
            match self.mapping.invoke(&event, self.cause(&batch)).await {
                Ok(answer) => self.heed(&answer, batch, &mut batches).await,
                // The records are not the reason, so that it does not count as an attempt.
                Err(InvokeError::Throttled) => {
                    sleep(RETRY_PAUSE).await;
                    batches.push(batch);
                }
                Err(error) => self.failed(batch, &error.to_string(), &mut batches).await,
            }
        }
    }

    fn cause(&self, batch: &Batch) -> Cause {
        Cause::Records(self.trigger.table.clone(), batch.numbers())
    }

    async fn heed(&mut self, answer: &Json, batch: Batch, batches: &mut Vec<Batch>) {
        if !self.trigger.report_batch_item_failures {
            return self.advance(&batch.records);
        }
        match failed_items(answer, &batch.numbers()) {
            Err(reason) => self.failed(batch, &reason, batches).await,
            Ok(failed) => match failed.first() {
                None => self.advance(&batch.records),
                Some(&first) => {
                    // In order: all records from the first failure on are delivered again.
                    let Batch { mut records, attempts } = batch;
                    let rest = records.split_off(first);
                    let attempts = if first == 0 { attempts } else { 0 };
                    self.advance(&records);
                    let rest = Batch { records: rest, attempts };
                    // The report has split the batch: Lambda does not halve the rest.
                    self.retry(rest, "the function reported it", batches).await;
                }
            },
        }
    }

    /// Keeps a batch whose invocation failed for another attempt, in halves if the template wants
    /// that.
    async fn failed(&mut self, batch: Batch, reason: &str, batches: &mut Vec<Batch>) {
        if !self.trigger.bisect_batch_on_function_error || batch.records.len() == 1 {
            return self.retry(batch, reason, batches).await;
        }
        self.pause(&batch, reason).await;
        let Batch { mut records, attempts } = batch;
        // A split does not count as an attempt.
        let second = records.split_off(records.len() / 2);
        batches.push(Batch { records: second, attempts });
        batches.push(Batch { records, attempts });
    }

    /// Keeps a failed batch for another attempt as it is, or gives it up.
    async fn retry(&mut self, batch: Batch, reason: &str, batches: &mut Vec<Batch>) {
        self.pause(&batch, reason).await;
        let Batch { records, attempts } = batch;
        let attempts = attempts + 1;
        if self.trigger.maximum_retry_attempts.is_some_and(|retries_max| attempts > retries_max) {
            self.give_up(&records, "RetryAttemptsExhausted", attempts).await;
        } else {
            batches.push(Batch { records, attempts });
        }
    }

    /// Records a failed batch and waits before its next attempt.
    async fn pause(&self, batch: &Batch, reason: &str) {
        self.mapping.record_failed(batch.numbers(), reason);
        sleep(pause_after(batch.attempts)).await;
    }

    /// Gives up the records at the start of a batch that are too old. Those older than a day are no
    /// longer in the stream.
    async fn without_old(&mut self, mut batch: Batch) -> Batch {
        let age_max = self.trigger.maximum_record_age.map_or(RETENTION, Millis::of);
        let now = self.mapping.world.now();
        let is_fresh = |record: &Json| {
            let created = record["dynamodb"]["ApproximateCreationDateTime"].as_u64();
            now.since(Millis::seconds(created.unwrap_or_default())) <= age_max.min(RETENTION)
        };
        let fresh = batch.records.iter().position(is_fresh).unwrap_or(batch.records.len());
        if fresh > 0 {
            let rest = batch.records.split_off(fresh);
            self.give_up(&batch.records, "RecordAgeExceeded", batch.attempts).await;
            batch.records = rest;
        }
        batch
    }

    async fn give_up(&mut self, records: &[Json], condition: &str, attempts: u32) {
        let numbers = records.iter().map(number_of).collect();
        self.mapping.record_given_up(numbers, condition);
        if let Some(queue) = &self.on_failure {
            let (function, now) = (&self.mapping.function, self.mapping.world.now());
            let body = events::of_given_up(
                function,
                &self.stream,
                &self.shard,
                records,
                condition,
                attempts,
                now,
            );
            let send = json!({ "QueueUrl": queue_url(queue), "MessageBody": body.to_string() });
            // The queue of the template exists, and the message is small.
            let _ = self.mapping.world.ask("AmazonSQS.SendMessage", &send).await;
        }
        self.advance(records);
    }

    fn advance(&mut self, records: &[Json]) {
        if let Some(last) = records.last() {
            self.after = Some(number_of(last));
        }
    }
}

impl Batch {
    fn numbers(&self) -> Vec<String> {
        self.records.iter().map(number_of).collect()
    }
}

fn number_of(record: &Json) -> String {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned()
}

fn pause_after(attempts: u32) -> Duration {
    RETRY_PAUSE.saturating_mul(1 << attempts.min(10)).min(RETRY_PAUSE_MAX)
}
