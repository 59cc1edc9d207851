//! The event source mapping of a queue: receives, invokes, deletes the successful messages.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::events;
use super::mapping::Mapping;
use super::outcome;
use crate::activity::Cause;
use crate::functions::InvokeError;
use crate::services::{QueueName, ReceivedMessage};
use sam_template::batches::PAYLOAD_BYTES_MAX;
use sam_template::{Queue, QueueTrigger};

/// The concurrent invocations if the template sets no maximum.
const CONCURRENCY: u32 = 10;

/// The wait of one receive; the queue responds earlier when a message arrives.
const RECEIVE_WAIT_S: u64 = 20;

/// The maximum messages of one receive.
const RECEIVE_MAX: usize = 10;

/// The pause between receives while a batch is gathered.
const GATHER: Duration = Duration::from_millis(50);

/// The pause in polling after the queue returned an error.
const REST: Duration = Duration::from_secs(1);

/// The delay of a message that later ones should overtake.
const HELD_BACK: Duration = Duration::from_millis(500);

/// The pauses between attempts while the function is throttled.
const THROTTLE_PAUSE: Duration = Duration::from_millis(100);
const THROTTLE_PAUSE_MAX: Duration = Duration::from_secs(2);

/// Polls a queue until the task is aborted.
pub(super) async fn poll(mapping: Mapping, trigger: QueueTrigger, queue: Queue) {
    let name = mapping.stores.names().queue(&trigger.queue).cloned();
    let name = name.expect("the stores have created every queue of the template");
    let concurrency = trigger.maximum_concurrency.unwrap_or(CONCURRENCY).max(1);
    let permits = Arc::new(Semaphore::new(concurrency as usize));
    let poller = Arc::new(Poller { mapping, trigger, queue, name });
    let mut deliveries = JoinSet::new();
    loop {
        while deliveries.try_join_next().is_some() {}
        let permit = Arc::clone(&permits).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        match poller.gather().await {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => {
                deliveries.spawn(Arc::clone(&poller).deliver(batch, permit));
            }
            Err(error) => {
                poller.mapping.say(&error.to_string());
                tokio::time::sleep(REST).await;
            }
        }
    }
}

struct Poller {
    mapping: Mapping,
    trigger: QueueTrigger,
    queue: Queue,
    name: QueueName,
}

impl Poller {
    /// Gathers a batch: the messages available now, or the first to arrive within the batching
    /// window, until they fill an event.
    async fn gather(&self) -> Result<Vec<ReceivedMessage>, crate::services::QueueError> {
        let wanted = self.trigger.batch_size.max(1) as usize;
        let stores = &self.mapping.stores;
        let mut batch = stores.receive(&self.name, wanted.min(RECEIVE_MAX), RECEIVE_WAIT_S).await?;
        let deadline = Instant::now() + self.trigger.batching_window;
        let mut bytes = self.bytes(&batch);
        while !batch.is_empty() && batch.len() < wanted && bytes < PAYLOAD_BYTES_MAX {
            let more =
                stores.receive(&self.name, (wanted - batch.len()).min(RECEIVE_MAX), 0).await?;
            if more.is_empty() {
                let pause = GATHER.min(deadline.saturating_duration_since(Instant::now()));
                if pause.is_zero() {
                    break;
                }
                tokio::time::sleep(pause).await;
            }
            bytes += self.bytes(&more);
            batch.extend(more);
        }
        Ok(batch)
    }

    /// The bytes of messages in events.
    fn bytes(&self, messages: &[ReceivedMessage]) -> usize {
        messages.iter().map(|message| events::bytes_of_message(&self.name, message)).sum()
    }

    async fn deliver(self: Arc<Self>, batch: Vec<ReceivedMessage>, _permit: OwnedSemaphorePermit) {
        let batch = self.filter(batch).await;
        let (overtaken, batch) = self.hold_back(batch);
        self.deliver_parts(batch).await;
        if !overtaken.is_empty() {
            tokio::time::sleep(HELD_BACK).await;
            self.deliver_parts(overtaken).await;
        }
    }

    /// Delivers messages, as many at a time as an event has room for. The rest of a FIFO queue's
    /// messages is not delivered after a failure, so that each group keeps its order: it stays in
    /// flight until its visibility timeout.
    async fn deliver_parts(&self, mut batch: Vec<ReceivedMessage>) {
        while !batch.is_empty() {
            let bytes = |message| events::bytes_of_message(&self.name, message);
            let rest = batch.split_off(events::fitting(batch.iter().map(bytes)));
            let has_succeeded = self.invoke_and_delete(&batch).await;
            if self.queue.fifo && !has_succeeded {
                return;
            }
            batch = rest;
        }
    }

    /// The messages that match a filter. Lambda deletes the others.
    async fn filter(&self, batch: Vec<ReceivedMessage>) -> Vec<ReceivedMessage> {
        let filters = &self.trigger.filters;
        let (kept, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|message| {
            let record = || events::filtered_message(&self.name, message);
            filters.is_empty() || filters.iter().any(|filter| filter.fits(&record()))
        });
        if !others.is_empty() {
            self.delete(&others.iter().collect::<Vec<_>>()).await;
        }
        kept
    }

    async fn delete(&self, messages: &[&ReceivedMessage]) {
        let handles: Vec<&str> =
            messages.iter().map(|message| message.receipt_handle.as_str()).collect();
        match self.mapping.stores.delete(&self.name, &handles).await {
            Ok(()) => self.mapping.activity().messages_deleted(&ids(messages)),
            Err(error) => self.mapping.say(&error.to_string()),
        }
    }

    /// Separates the messages that a fault delays from the others. A FIFO queue always keeps its
    /// order.
    fn hold_back(
        &self,
        batch: Vec<ReceivedMessage>,
    ) -> (Vec<ReceivedMessage>, Vec<ReceivedMessage>) {
        if self.queue.fifo {
            return (Vec::new(), batch);
        }
        let faults = self.mapping.stores.faults();
        batch.into_iter().partition(|_| faults.reorders(&self.mapping.name))
    }

    /// Returns whether all messages have succeeded.
    async fn invoke_and_delete(&self, batch: &[ReceivedMessage]) -> bool {
        let failed = self.invoke(batch).await;
        let faults = self.mapping.stores.faults();
        let again: Vec<_> =
            batch.iter().filter(|_| faults.duplicates(&self.mapping.name)).cloned().collect();
        if !again.is_empty() {
            // Ignore the result of the second delivery: only the first one counts.
            self.invoke(&again).await;
        }
        let succeeded = batch.iter().enumerate().filter(|(place, _)| !failed.contains(place));
        let succeeded: Vec<_> = succeeded.map(|(_, message)| message).collect();
        self.delete(&succeeded).await;
        failed.is_empty()
    }

    /// Invokes the function with a batch and returns the indices of failed messages. These stay in
    /// the queue and become visible again after their visibility timeout.
    async fn invoke(&self, batch: &[ReceivedMessage]) -> Vec<usize> {
        let everything = || (0..batch.len()).collect::<Vec<usize>>();
        let event = events::of_messages(&self.name, batch);
        let answer = match self.invoke_unthrottled(event, self.cause(batch)).await {
            Ok(answer) => answer,
            Err(error) => {
                self.mapping.say(&format!("a batch of {} failed: {error}", batch.len()));
                self.record(batch, &everything(), &error.to_string());
                return everything();
            }
        };
        if !self.trigger.report_batch_item_failures {
            self.record(batch, &[], "");
            return Vec::new();
        }
        let identifiers: Vec<&str> =
            batch.iter().map(|message| message.message_id.as_str()).collect();
        match outcome::failed(&answer, &identifiers) {
            Ok(failed) => {
                self.record(batch, &failed, "the function reported a failure");
                failed
            }
            Err(reason) => {
                self.mapping.say(&format!("a batch of {} failed: {reason}", batch.len()));
                self.record(batch, &everything(), &reason);
                everything()
            }
        }
    }

    fn cause(&self, batch: &[ReceivedMessage]) -> Cause {
        let message = |message: &ReceivedMessage| {
            let receives = message.attributes.get("ApproximateReceiveCount");
            let receives = receives.and_then(serde_json::Value::as_str);
            let receives = receives.and_then(|count| count.parse().ok());
            (message.message_id.clone(), receives.unwrap_or(1))
        };
        let messages = batch.iter().map(message).collect();
        Cause::Messages { queue: self.trigger.queue.clone(), messages }
    }

    /// Records the results of a batch, given the indices of its failed messages.
    fn record(&self, batch: &[ReceivedMessage], failed: &[usize], reason: &str) {
        let all = batch.iter().enumerate();
        let (lost, done): (Vec<_>, Vec<_>) = all.partition(|(place, _)| failed.contains(place));
        let lost: Vec<&ReceivedMessage> = lost.into_iter().map(|(_, message)| message).collect();
        let done: Vec<&ReceivedMessage> = done.into_iter().map(|(_, message)| message).collect();
        let activity = self.mapping.activity();
        activity.messages_succeeded(&ids(&done));
        activity.messages_failed(&self.trigger.queue, &ids(&lost), reason);
    }

    /// Retries while the function is throttled, until the messages' visibility timeout ends.
    async fn invoke_unthrottled(
        &self,
        event: String,
        cause: Cause,
    ) -> Result<bytes::Bytes, InvokeError> {
        let deadline = Instant::now() + self.queue.visibility_timeout;
        let mut pause = THROTTLE_PAUSE;
        loop {
            match self.mapping.invoke(event.clone(), cause.clone()).await {
                Err(InvokeError::Throttled) if Instant::now() + pause < deadline => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(THROTTLE_PAUSE_MAX);
                }
                settled => return settled,
            }
        }
    }
}

fn ids<'a>(messages: &[&'a ReceivedMessage]) -> Vec<&'a str> {
    messages.iter().map(|message| message.message_id.as_str()).collect()
}
