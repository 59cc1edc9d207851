//! Messages in the form and in the portions that SQS takes. Pure: no client, no call.

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use lifecycle::Fault;
use lifecycle::platform::Outgoing;

/// SQS's limit for the messages of one call.
pub(super) const MESSAGES_MAX: usize = 10;
/// Bytes of all messages of one call. AWS takes 1 MiB today; this is what every queue takes.
const BYTES_MAX: usize = 256 * 1024;
/// Counted for a message's attributes and their names.
const ATTRIBUTES_BYTES: usize = 128;
/// SQS's limit for the delay of a message, in seconds.
const DELAY_S_MAX: i32 = 900;

type Batch = Vec<SendMessageBatchRequestEntry>;

/// Fills batches in order; a message that no batch can hold has failed already. Entries are
/// named by the index of their message.
pub(super) fn batches(
    url: &str,
    messages: &[(usize, &Outgoing)],
) -> (Vec<Batch>, Vec<(usize, Fault)>) {
    let (mut batches, mut failed) = (Vec::new(), Vec::new());
    let (mut batch, mut filled) = (Batch::new(), 0);
    for (index, message) in messages {
        let (body, bytes) = match body(message) {
            Ok(body) => body,
            Err(fault) => {
                failed.push((*index, fault));
                continue;
            }
        };
        if batch.len() == MESSAGES_MAX || filled + bytes > BYTES_MAX {
            batches.push(std::mem::take(&mut batch));
            filled = 0;
        }
        filled += bytes;
        batch.push(entry(url, *index, message, body));
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    (batches, failed)
}

/// The message's index, by which its entry is named.
pub(super) fn index_of(entry: &SendMessageBatchRequestEntry) -> usize {
    entry.id.parse().expect("entries are named by their index")
}

pub(super) fn is_fifo(url: &str) -> bool {
    url.rsplit('.').next() == Some("fifo")
}

pub(super) fn string_attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .expect("the data type is set")
}

/// The envelope as JSON, and what it counts.
fn body(message: &Outgoing) -> Result<(String, usize), Fault> {
    let body = serde_json::to_string(&message.envelope).map_err(Fault::internal)?;
    let bytes = body.len() + ATTRIBUTES_BYTES;
    if bytes > BYTES_MAX {
        return Err(Fault::internal(format!("a message of {bytes} bytes, at most {BYTES_MAX}")));
    }
    Ok((body, bytes))
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
    let mut entry =
        SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
    if let Some(traceparent) = &envelope.traceparent {
        entry = entry.message_attributes("traceparent", string_attribute(traceparent));
    }
    if is_fifo(url) {
        entry = entry
            .message_group_id(&envelope.aggregate_id)
            .message_deduplication_id(&envelope.event_id);
    } else if !message.delay.is_zero() {
        let seconds = i32::try_from(message.delay.as_secs()).unwrap_or(DELAY_S_MAX);
        entry = entry.delay_seconds(seconds.min(DELAY_S_MAX));
    }
    entry.build().expect("id and body are set")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lifecycle::Timestamp;
    use lifecycle::effects::Queue;
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
        let ids = |batch: &Batch| batch.iter().map(index_of).collect();
        (batches.iter().map(ids).collect(), failed.into_iter().map(|(index, _)| index).collect())
    }

    #[test]
    fn batches_hold_ten_messages_and_keep_the_order() {
        let messages: Vec<_> = (0..23).map(|n| message(&n.to_string(), "")).collect();
        let (batches, failed) = filled(&messages);
        assert_eq!(batches, [(0..10).collect::<Vec<_>>(), (10..20).collect(), (20..23).collect()]);
        assert_eq!(failed, Vec::<usize>::new());
    }

    #[test]
    fn batches_hold_no_more_than_their_bytes_and_a_message_beyond_them_fails_alone() {
        let large = "x".repeat(100 * 1024);
        let huge = "x".repeat(BYTES_MAX);
        let messages =
            [message("0", &large), message("1", &huge), message("2", &large), message("3", &large)];
        assert_eq!(filled(&messages), (vec![vec![0, 2], vec![3]], vec![1]));
    }

    #[test]
    fn a_fifo_queue_groups_by_aggregate_and_has_no_delay_of_single_messages() {
        let message = message("event-1", "");
        let plain = entry(STANDARD, 0, &message, String::new());
        assert_eq!((plain.delay_seconds, plain.message_group_id()), (Some(5), None));
        let fifo = entry(FIFO, 0, &message, String::new());
        assert_eq!(fifo.delay_seconds, None);
        assert_eq!(fifo.message_group_id(), Some("order-1"));
        assert_eq!(fifo.message_deduplication_id(), Some("event-1"));
        let attributes = fifo.message_attributes().expect("there is one");
        assert_eq!(attributes["traceparent"].string_value(), Some("00-1-2-01"));
    }
}
