//! The event source mapping of a queue: receives, invokes, deletes the successful messages.

use std::sync::Arc;
use std::time::Duration;

use sam_template::QueueTrigger;
use sam_template::batches::{PAYLOAD_BYTES_MAX, failed_items, fitting};
use serde_json::{Value as Json, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::events;
use super::mapping::Mapping;
use crate::world::faults::Fault;
use crate::world::lambda::InvokeError;
use crate::world::names::queue_url;
use crate::world::trace::{Cause, Happened};

/// The concurrent invocations if the template sets no maximum.
const CONCURRENCY: u32 = 10;
/// The wait of one receive call; the queue answers earlier when a message arrives.
const WAIT_S: u64 = 20;
/// The maximum messages of one receive call.
const RECEIVE_MAX: usize = 10;
/// The pause between receive calls while a batch is gathered.
const GATHER: Duration = Duration::from_millis(50);
/// The pause after an error of the queue.
const REST: Duration = Duration::from_secs(1);
/// The pauses between attempts while the function is throttled.
const THROTTLE_PAUSE: Duration = Duration::from_millis(100);
const THROTTLE_PAUSE_MAX: Duration = Duration::from_secs(2);

/// Polls a queue.
pub(super) struct Poller {
    pub(super) mapping: Mapping,
    pub(super) trigger: QueueTrigger,
    /// The name of the queue.
    pub(super) queue: String,
    pub(super) is_fifo: bool,
    pub(super) visibility_timeout: Duration,
}

impl Poller {
    /// Polls until the task is dropped.
    pub(super) async fn poll(self) {
        let concurrency = self.trigger.maximum_concurrency.unwrap_or(CONCURRENCY).max(1);
        let permits = Arc::new(Semaphore::new(concurrency as usize));
        let poller = Arc::new(self);
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            match poller.gather().await {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    tokio::spawn(Arc::clone(&poller).deliver(batch, permit));
                }
                Err(_) => sleep(REST).await,
            }
        }
    }

    /// A batch: the messages that are there, or the first that come within the batching window, until
    /// they fill an event.
    async fn gather(&self) -> Result<Vec<Json>, Json> {
        let wanted = self.trigger.batch_size.max(1) as usize;
        let mut batch = self.receive(wanted, WAIT_S).await?;
        let ends = Instant::now() + self.trigger.batching_window;
        let mut bytes = self.bytes(&batch);
        while !batch.is_empty() && batch.len() < wanted && bytes < PAYLOAD_BYTES_MAX {
            let more = self.receive(wanted - batch.len(), 0).await?;
            if more.is_empty() {
                let pause = GATHER.min(ends.saturating_duration_since(Instant::now()));
                if pause.is_zero() {
                    break;
                }
                sleep(pause).await;
            }
            bytes += self.bytes(&more);
            batch.extend(more);
        }
        Ok(batch)
    }

    /// The bytes of messages in events.
    fn bytes(&self, messages: &[Json]) -> usize {
        messages.iter().map(|message| events::bytes_of_message(&self.queue, message)).sum()
    }

    async fn receive(&self, count: usize, wait_s: u64) -> Result<Vec<Json>, Json> {
        let receive = json!({
            "QueueUrl": queue_url(&self.queue),
            "MaxNumberOfMessages": count.min(RECEIVE_MAX),
            "WaitTimeSeconds": wait_s,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let mut received = self.mapping.world.ask("AmazonSQS.ReceiveMessage", &receive).await?;
        match received["Messages"].take() {
            Json::Array(messages) => Ok(messages),
            _ => Ok(Vec::new()),
        }
    }

    async fn deliver(self: Arc<Self>, batch: Vec<Json>, _permit: OwnedSemaphorePermit) {
        let _busy = self.mapping.world.busy();
        let filters = &self.trigger.filters;
        let (mut batch, others): (Vec<Json>, Vec<Json>) = batch.into_iter().partition(|message| {
            let record = events::filtered_message(&self.queue, message);
            filters.is_empty() || filters.iter().any(|filter| filter.fits(&record))
        });
        // Lambda deletes the messages that no filter matches.
        self.delete(&others.iter().collect::<Vec<_>>()).await;
        while !batch.is_empty() {
            let bytes = |message| events::bytes_of_message(&self.queue, message);
            let rest = batch.split_off(fitting(batch.iter().map(bytes)));
            let has_succeeded = self.invoke_and_delete(&batch).await;
            if self.is_fifo && !has_succeeded {
                // Each group keeps its order. The rest is hidden until its visibility timeout.
                return self.record_held_back(&rest);
            }
            batch = rest;
        }
    }

    /// Whether all messages have succeeded.
    async fn invoke_and_delete(&self, batch: &[Json]) -> bool {
        if self.mapping.draws(Fault::DuplicateBatch) {
            // The result of this delivery is not seen.
            let _ = self.invoke(batch).await;
        }
        let failed = self.invoke(batch).await;
        let done = batch.iter().enumerate().filter(|(place, _)| !failed.contains(place));
        let done: Vec<&Json> = done.map(|(_, message)| message).collect();
        if !self.mapping.draws(Fault::LostDelete) {
            self.delete(&done).await;
        }
        failed.is_empty()
    }

    /// Records that received messages are not delivered.
    fn record_held_back(&self, messages: &[Json]) {
        if messages.is_empty() {
            return;
        }
        let function = self.mapping.function.clone();
        let reason = "an earlier message of the batch failed".to_owned();
        let cause = self.cause(messages.iter().map(id_of).collect());
        self.mapping.world.record(Happened::Refused { function, cause, reason });
    }

    fn cause(&self, ids: Vec<String>) -> Cause {
        Cause::Messages(self.trigger.queue.clone(), ids)
    }

    /// Invokes the function; returns the indexes of the failed messages.
    async fn invoke(&self, batch: &[Json]) -> Vec<usize> {
        let ids: Vec<String> = batch.iter().map(id_of).collect();
        let all = || (0..batch.len()).collect::<Vec<usize>>();
        let event = events::of_messages(&self.queue, batch);
        let answer = match self.invoke_unthrottled(&event, &ids).await {
            Ok(answer) => answer,
            Err(error) => {
                self.mapping.record_failed(ids, &error.to_string());
                return all();
            }
        };
        if !self.trigger.report_batch_item_failures {
            return Vec::new();
        }
        match failed_items(&answer, &ids) {
            Ok(failed) => {
                let mut items: Vec<String> = Vec::new();
                for id in failed.iter().filter_map(|place| ids.get(*place)) {
                    // The batch may have a message twice. It is one failure.
                    if !items.contains(id) {
                        items.push(id.clone());
                    }
                }
                if !items.is_empty() {
                    self.mapping.record_failed(items, "the function reported them");
                }
                failed
            }
            Err(reason) => {
                self.mapping.record_failed(ids, &reason);
                all()
            }
        }
    }

    /// Retries while the function is throttled, until the messages are visible again.
    async fn invoke_unthrottled(&self, event: &Json, ids: &[String]) -> Result<Json, InvokeError> {
        let ends = Instant::now() + self.visibility_timeout;
        let mut pause = THROTTLE_PAUSE;
        loop {
            match self.mapping.invoke(event, self.cause(ids.to_vec())).await {
                Err(InvokeError::Throttled) if Instant::now() + pause < ends => {
                    sleep(pause).await;
                    pause = (pause * 2).min(THROTTLE_PAUSE_MAX);
                }
                settled => return settled,
            }
        }
    }

    async fn delete(&self, messages: &[&Json]) {
        for batch in messages.chunks(RECEIVE_MAX) {
            let entries: Vec<Json> = batch
                .iter()
                .enumerate()
                .map(|(index, message)| {
                    json!({ "Id": index.to_string(), "ReceiptHandle": message["ReceiptHandle"] })
                })
                .collect();
            let delete = json!({ "QueueUrl": queue_url(&self.queue), "Entries": entries });
            // A message that is not deleted is delivered again.
            let _ = self.mapping.world.ask("AmazonSQS.DeleteMessageBatch", &delete).await;
        }
    }
}

fn id_of(message: &Json) -> String {
    message["MessageId"].as_str().unwrap_or_default().to_owned()
}
