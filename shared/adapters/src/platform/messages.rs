//! Messages to queues.

use std::sync::Arc;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::future::join_all;
use lifecycle::Fault;
use lifecycle::effects::Queue;
use lifecycle::platform::Outgoing;
use sha2::{Digest, Sha256};

use crate::Aws;
use crate::faults::{fault, unavailable};

/// SQS's limit for the messages of one call.
const BATCH_MAX: usize = 10;
/// Bytes of all messages of one call. AWS takes 1 MiB today; this is what every queue takes.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Counted for a message's attributes and their names.
const ATTRIBUTES_BYTES: usize = 128;
/// A reason is for people to read.
const REASON_CHARS_MAX: usize = 1000;

impl Aws {
    /// Messages go to their queues in batches: queues side by side, batches of one queue one
    /// after the other, so that its order is kept.
    pub(super) async fn send_messages(&self, messages: &[Outgoing]) -> Vec<(usize, Fault)> {
        let mut by_queue: Vec<(Queue, Vec<(usize, &Outgoing)>)> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            match by_queue
                .iter_mut()
                .find(|(queue, _)| *queue == message.queue)
            {
                Some((_, of_queue)) => of_queue.push((index, message)),
                None => by_queue.push((message.queue, vec![(index, message)])),
            }
        }
        let sent = by_queue
            .iter()
            .map(|(queue, messages)| self.send_to(*queue, messages));
        join_all(sent).await.into_iter().flatten().collect()
    }

    async fn send_to(&self, queue: Queue, messages: &[(usize, &Outgoing)]) -> Vec<(usize, Fault)> {
        let Some(url) = self.configuration().queue(queue) else {
            let unknown =
                || Fault::internal(format!("queue {} is not among the uses", queue.name()));
            return messages
                .iter()
                .map(|(index, _)| (*index, unknown()))
                .collect();
        };
        let (batches, mut failed) = batches(url, messages);
        for batch in batches {
            failed.extend(self.send_batch(queue, url, batch).await);
        }
        failed
    }

    /// Sends one batch, and what the queue would not take of it once more.
    async fn send_batch(&self, queue: Queue, url: &str, batch: Batch) -> Vec<(usize, Fault)> {
        match self.try_batch(queue, url, batch.entries.clone()).await {
            Ok(refused) if refused.is_empty() => Vec::new(),
            Ok(refused) => {
                let (again, mut failed) = batch.retriable(queue, &refused);
                if again.is_empty() {
                    return failed;
                }
                let indices = again.iter().map(index_of).collect::<Vec<_>>();
                match self.try_batch(queue, url, again).await {
                    Ok(refused) => {
                        failed.extend(refused.iter().map(|entry| refusal(queue, entry)));
                    }
                    Err(fault) => failed.extend(all_failed(&indices, fault)),
                }
                failed
            }
            Err(fault) => all_failed(
                &batch.entries.iter().map(index_of).collect::<Vec<_>>(),
                fault,
            ),
        }
    }

    async fn try_batch(
        &self,
        queue: Queue,
        url: &str,
        entries: Vec<SendMessageBatchRequestEntry>,
    ) -> Result<Vec<BatchResultErrorEntry>, Fault> {
        let request = self
            .sqs()
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries));
        let answer = request.send().await;
        let answer = answer.map_err(|error| fault("SendMessageBatch", queue.name(), error))?;
        Ok(answer.failed)
    }

    /// A message that cannot be understood goes to the dead-letter queue with the reason beside
    /// it, in the attribute `reason`.
    pub(super) async fn bury_message(
        &self,
        queue: Queue,
        body: &str,
        reason: &str,
    ) -> Result<(), Fault> {
        let url = self.configuration().dead_letters(queue).ok_or_else(|| {
            Fault::internal(format!(
                "dead letters of queue {} are not among the uses",
                queue.name()
            ))
        })?;
        let reason: String = transmissible(reason)
            .chars()
            .take(REASON_CHARS_MAX)
            .collect();
        let mut request = self
            .sqs()
            .send_message()
            .queue_url(url)
            .message_body(transmissible(body))
            .message_attributes("reason", string_attribute(&reason));
        if is_fifo(url) {
            let digest = Sha256::digest(body);
            let digest = BASE64_URL_SAFE_NO_PAD.encode(digest);
            request = request
                .message_group_id("buried")
                .message_deduplication_id(digest);
        }
        request
            .send()
            .await
            .map_err(|error| fault("SendMessage", queue.name(), error))?;
        Ok(())
    }
}

/// Entries that fit one call.
#[derive(Debug, Default)]
struct Batch {
    entries: Vec<SendMessageBatchRequestEntry>,
    bytes: usize,
}

impl Batch {
    /// Those of the refused entries that may go through now, and the failures of the others: a
    /// message that is itself at fault will not get better.
    fn retriable(
        self,
        queue: Queue,
        refused: &[BatchResultErrorEntry],
    ) -> (Vec<SendMessageBatchRequestEntry>, Vec<(usize, Fault)>) {
        let failed = refused
            .iter()
            .filter(|entry| entry.sender_fault)
            .map(|it| refusal(queue, it));
        let again = |entry: &SendMessageBatchRequestEntry| {
            refused
                .iter()
                .any(|refused| refused.id == entry.id && !refused.sender_fault)
        };
        (
            self.entries.into_iter().filter(again).collect(),
            failed.collect(),
        )
    }
}

/// Fills batches in order; a message that no batch can hold has failed already.
fn batches(url: &str, messages: &[(usize, &Outgoing)]) -> (Vec<Batch>, Vec<(usize, Fault)>) {
    let (mut batches, mut failed) = (vec![Batch::default()], Vec::new());
    for (index, message) in messages {
        let body = match serde_json::to_string(&message.envelope) {
            Ok(body) => body,
            Err(error) => {
                failed.push((*index, Fault::internal(error)));
                continue;
            }
        };
        let bytes = body.len() + ATTRIBUTES_BYTES;
        if bytes > BATCH_BYTES_MAX {
            failed.push((
                *index,
                Fault::internal(format!("a message of {bytes} bytes")),
            ));
            continue;
        }
        let full = batches.last().is_some_and(|batch| {
            batch.entries.len() == BATCH_MAX || batch.bytes + bytes > BATCH_BYTES_MAX
        });
        if full {
            batches.push(Batch::default());
        }
        let batch = batches.last_mut().expect("there is always one");
        batch.bytes += bytes;
        batch.entries.push(entry(url, *index, message, body));
    }
    batches.retain(|batch| !batch.entries.is_empty());
    (batches, failed)
}

/// A message as SQS takes it. In a FIFO queue its aggregate is its group, so that events of one
/// aggregate stay in order, and its event id marks repetitions; delays are the queue's there.
fn entry(
    url: &str,
    index: usize,
    message: &Outgoing,
    body: String,
) -> SendMessageBatchRequestEntry {
    let envelope = &message.envelope;
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body);
    if let Some(traceparent) = &envelope.traceparent {
        entry = entry.message_attributes("traceparent", string_attribute(traceparent));
    }
    if is_fifo(url) {
        entry = entry
            .message_group_id(&envelope.aggregate_id)
            .message_deduplication_id(&envelope.event_id);
    } else if !message.delay.is_zero() {
        let seconds = i32::try_from(message.delay.as_secs()).unwrap_or(i32::MAX);
        entry = entry.delay_seconds(seconds.min(900));
    }
    entry.build().expect("id and body are set")
}

fn is_fifo(url: &str) -> bool {
    url.rsplit('.').next() == Some("fifo")
}

fn string_attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .expect("the data type is set")
}

/// The text without the characters that SQS refuses (those that XML 1.0 has no place for).
fn transmissible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => c,
            _ => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}

/// A call that failed has failed for each message that it carried.
fn all_failed(indices: &[usize], fault: Fault) -> Vec<(usize, Fault)> {
    let passing = matches!(fault, Fault::Unavailable { .. });
    let fault = Arc::new(fault);
    let of_one = || CallFailed(Arc::clone(&fault));
    let fault_of_one = || {
        if passing {
            unavailable(of_one())
        } else {
            Fault::internal(of_one())
        }
    };
    indices
        .iter()
        .map(|index| (*index, fault_of_one()))
        .collect()
}

/// What became of one message of several.
#[derive(Debug, thiserror::Error)]
#[error("the call that carried the message failed")]
struct CallFailed(#[source] Arc<Fault>);

fn index_of(entry: &SendMessageBatchRequestEntry) -> usize {
    entry.id.parse().expect("entries are named by their index")
}

fn refusal(queue: Queue, entry: &BatchResultErrorEntry) -> (usize, Fault) {
    let message = entry.message().unwrap_or_default();
    let reason = format!(
        "queue {} refused a message: {}: {message}",
        queue.name(),
        entry.code
    );
    let fault = if entry.sender_fault {
        Fault::internal(reason)
    } else {
        unavailable(reason)
    };
    (entry.id.parse().unwrap_or(usize::MAX), fault)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lifecycle::Timestamp;
    use lifecycle::envelope::Envelope;

    use super::*;

    const STANDARD: &str = "http://127.0.0.1/0/emails";
    const FIFO: &str = "http://127.0.0.1/0/emails.fifo";

    fn message(id: &str, data: &str) -> Outgoing {
        Outgoing {
            queue: Queue::new("emails"),
            delay: Duration::from_secs(5),
            envelope: Envelope {
                event_id: id.to_owned(),
                event_type: "Happened".to_owned(),
                version: 1,
                occurred_at: Timestamp::from_millis(0),
                aggregate_id: "order-1".to_owned(),
                request_id: "request-1".to_owned(),
                traceparent: Some("00-1-2-01".to_owned()),
                data: data.into(),
            },
        }
    }

    fn filled(messages: &[Outgoing]) -> (Vec<Vec<usize>>, Vec<usize>) {
        let indexed: Vec<_> = messages.iter().enumerate().collect();
        let (batches, failed) = batches(STANDARD, &indexed);
        let ids = |batch: &Batch| batch.entries.iter().map(index_of).collect();
        (
            batches.iter().map(ids).collect(),
            failed.into_iter().map(|(index, _)| index).collect(),
        )
    }

    #[test]
    fn batches_hold_ten_messages_and_keep_the_order() {
        let messages: Vec<_> = (0..23).map(|n| message(&n.to_string(), "")).collect();
        let (batches, failed) = filled(&messages);
        assert_eq!(
            batches,
            [
                (0..10).collect::<Vec<_>>(),
                (10..20).collect(),
                (20..23).collect()
            ]
        );
        assert_eq!(failed, Vec::<usize>::new());
    }

    #[test]
    fn batches_hold_no_more_than_their_bytes_and_a_message_beyond_them_fails_alone() {
        let large = "x".repeat(100 * 1024);
        let huge = "x".repeat(BATCH_BYTES_MAX);
        let messages = [
            message("0", &large),
            message("1", &huge),
            message("2", &large),
            message("3", &large),
        ];
        assert_eq!(filled(&messages), (vec![vec![0, 2], vec![3]], vec![1]));
    }

    #[test]
    fn a_fifo_queue_groups_by_aggregate_and_has_no_delay_of_single_messages() {
        let message = message("event-1", "");
        let plain = entry(STANDARD, 0, &message, String::new());
        assert_eq!(
            (plain.delay_seconds, plain.message_group_id()),
            (Some(5), None)
        );
        let fifo = entry(FIFO, 0, &message, String::new());
        assert_eq!(fifo.delay_seconds, None);
        assert_eq!(fifo.message_group_id(), Some("order-1"));
        assert_eq!(fifo.message_deduplication_id(), Some("event-1"));
        let attributes = fifo.message_attributes().expect("there is one");
        assert_eq!(attributes["traceparent"].string_value(), Some("00-1-2-01"));
    }

    #[test]
    fn only_what_is_not_the_messages_own_fault_is_tried_again() {
        let refused = |id: &str, sender_fault| {
            let entry = BatchResultErrorEntry::builder().id(id).code("X");
            entry.sender_fault(sender_fault).build().unwrap()
        };
        let entries = (0..3).map(|n| entry(STANDARD, n, &message("e", ""), String::new()));
        let batch = Batch {
            entries: entries.collect(),
            bytes: 0,
        };
        let queue = Queue::new("emails");
        let (again, failed) = batch.retriable(queue, &[refused("0", false), refused("2", true)]);
        assert_eq!(again.iter().map(index_of).collect::<Vec<_>>(), [0]);
        assert!(matches!(failed.as_slice(), [(2, Fault::Internal(_))]));
    }

    #[test]
    fn characters_that_sqs_refuses_are_replaced() {
        assert_eq!(transmissible("a\u{0}b\tc\u{ffff}"), "a\u{fffd}b\tc\u{fffd}");
    }
}
