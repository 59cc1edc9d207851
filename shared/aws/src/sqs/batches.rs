//! Messages in SQS's format and batch sizes. Pure: no client, no call.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lifecycle::ServiceError;
use lifecycle::ports::{Outgoing, RefusedMessage};
use sha2::{Digest, Sha256};

/// SQS's limit for the messages of one call.
pub(super) const MESSAGES_MAX: usize = 10;
/// SQS's limit for the bytes of a message, and of all messages of one call, attributes included.
pub(super) const BYTES_MAX: usize = 1024 * 1024;
/// Bytes counted for a message's `traceparent` and for the names and types of its attributes.
const ATTRIBUTES_BYTES: usize = 128;
/// SQS's limit for a message group id and a deduplication id.
const ID_CHARS_MAX: usize = 128;
/// SQS's limit for the delay of a message, in seconds.
const DELAY_S_MAX: i32 = 900;

type Batch = Vec<SendMessageBatchRequestEntry>;

/// Fills batches in order. A message that no batch can hold is returned as failed. An entry's id is
/// the index of its message.
///
/// A batch has one message of a FIFO queue's group: of several, SQS can reject the first and accept
/// the next.
pub(super) fn batches(
    url: &str,
    messages: &[(usize, &Outgoing)],
) -> (Vec<Batch>, Vec<(usize, ServiceError)>) {
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
        let entry = entry(url, *index, message, body);
        let group = fifo_group(&entry);
        let has_group = group.is_some() && batch.iter().any(|earlier| fifo_group(earlier) == group);
        if batch.len() == MESSAGES_MAX || filled + bytes > BYTES_MAX || has_group {
            batches.push(std::mem::take(&mut batch));
            filled = 0;
        }
        filled += bytes;
        batch.push(entry);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    (batches, failed)
}

/// The group of an entry for a FIFO queue.
fn fifo_group(entry: &SendMessageBatchRequestEntry) -> Option<&str> {
    entry.message_deduplication_id().and(entry.message_group_id())
}

/// The groups of a batch for a FIFO queue, each with its message's index.
pub(super) fn fifo_groups(batch: &Batch) -> Vec<(usize, String)> {
    let group = |entry| Some((index_of(entry), fifo_group(entry)?.to_owned()));
    batch.iter().filter_map(group).collect()
}

/// The groups of a FIFO queue of which a message was not sent: no later one may overtake it.
#[derive(Debug, Default)]
pub(super) struct StoppedGroups(HashSet<String>);

impl StoppedGroups {
    /// Adds those groups of a batch whose index is given.
    pub(super) fn add(&mut self, groups: Vec<(usize, String)>, not_sent: &[usize]) {
        let of_these = groups.into_iter().filter(|(index, _)| not_sent.contains(index));
        self.0.extend(of_these.map(|(_, group)| group));
    }

    /// Divides a batch into the entries to send, and the indices of those behind one that was not
    /// sent.
    pub(super) fn divide(&self, batch: Batch) -> (Batch, Vec<usize>) {
        let is_behind = |entry: &_| fifo_group(entry).is_some_and(|group| self.0.contains(group));
        let (behind, batch): (Batch, Batch) = batch.into_iter().partition(is_behind);
        (batch, behind.iter().map(index_of).collect())
    }
}

/// The index of the entry's message.
pub(super) fn index_of(entry: &SendMessageBatchRequestEntry) -> usize {
    entry.id.parse().expect("entries are named by their index")
}

pub(crate) fn is_fifo(url: &str) -> bool {
    url.rsplit('.').next() == Some("fifo")
}

pub(super) fn string_attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .expect("the data type is set")
}

/// The envelope as JSON, and the bytes that SQS counts for it.
fn body(message: &Outgoing) -> Result<(String, usize), ServiceError> {
    let body = serde_json::to_string(&message.envelope).map_err(ServiceError::internal)?;
    let body = transmissible(&body).into_owned();
    let state = message.envelope.tracestate.as_deref().map_or(0, str::len);
    let bytes = body.len() + ATTRIBUTES_BYTES + state;
    if bytes > BYTES_MAX {
        let reason = format!("a message of {bytes} bytes, at most {BYTES_MAX}");
        return Err(RefusedMessage(reason).into());
    }
    Ok((body, bytes))
}

/// The text with each character that SQS rejects (because XML 1.0 excludes it) escaped as in JSON:
/// `\uffff`. In JSON such characters occur only in strings, so the document stays equal.
pub(super) fn transmissible(text: &str) -> Cow<'_, str> {
    let is_allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(is_allowed) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 6);
    for c in text.chars() {
        if is_allowed(c) {
            escaped.push(c);
        } else {
            write!(escaped, "\\u{:04x}", u32::from(c)).expect("writing to a string cannot fail");
        }
    }
    Cow::Owned(escaped)
}

/// An id that SQS accepts: 1 to 128 visible ASCII characters. Any other id is replaced by its hash,
/// so that equal ids stay equal.
fn sqs_id(id: &str) -> Cow<'_, str> {
    if (1..=ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Cow::Borrowed(id);
    }
    Cow::Owned(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(id)))
}

/// The attributes that carry a message's trace context.
fn trace_context(message: &Outgoing) -> impl Iterator<Item = (&'static str, &str)> {
    let envelope = &message.envelope;
    let parent = envelope.traceparent.as_deref().filter(|text| !text.is_empty());
    let state = envelope.tracestate.as_deref().filter(|text| parent.is_some() && !text.is_empty());
    [("traceparent", parent), ("tracestate", state)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}

/// A message as an SQS entry. In a FIFO queue the aggregate is the group, so that its events stay
/// in order. The event id is the deduplication id, and single messages have no delay.
fn entry(
    url: &str,
    index: usize,
    message: &Outgoing,
    body: String,
) -> SendMessageBatchRequestEntry {
    let envelope = &message.envelope;
    let mut entry =
        SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
    for (name, value) in trace_context(message) {
        entry = entry.message_attributes(name, string_attribute(&transmissible(value)));
    }
    if is_fifo(url) {
        entry = entry
            .message_group_id(sqs_id(&envelope.aggregate_id))
            .message_deduplication_id(sqs_id(&envelope.event_id));
    } else {
        if !message.delay.is_zero() {
            let seconds = i32::try_from(message.delay.as_secs()).unwrap_or(DELAY_S_MAX);
            entry = entry.delay_seconds(seconds.min(DELAY_S_MAX));
        }
        // A standard queue serves its groups fairly, but in any order.
        let group = message.group.as_deref().map(|group| sqs_id(group).into_owned());
        entry = entry.set_message_group_id(group);
    }
    entry.build().expect("id and body are set")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lifecycle::Timestamp;
    use lifecycle::effects::QueueName;
    use lifecycle::envelope::Envelope;

    use super::*;

    const STANDARD: &str = "http://127.0.0.1/0/emails";
    const FIFO: &str = "http://127.0.0.1/0/emails.fifo";

    fn message(id: &str, data: &str) -> Outgoing {
        Outgoing {
            queue: QueueName::new("emails"),
            delay: Duration::from_secs(5),
            group: None,
            envelope: Envelope {
                event_id: id.to_owned(),
                event_type: "Happened".to_owned(),
                version: 1,
                occurred_at: Timestamp::from_millis(0),
                aggregate_id: "order-1".to_owned(),
                request_id: "request-1".to_owned(),
                traceparent: Some("00-1-2-01".to_owned()),
                tracestate: Some("vendor=1".to_owned()),
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
    fn a_batch_has_one_message_of_a_fifo_group_and_none_behind_one_that_was_not_sent() {
        let of = |order: &str, id: &str| {
            let mut message = message(id, "");
            order.clone_into(&mut message.envelope.aggregate_id);
            message
        };
        let messages = [of("1", "a"), of("2", "b"), of("1", "c"), of("2", "d"), of("1", "e")];
        let indexed: Vec<_> = messages.iter().enumerate().collect();
        let indices = |batch: &Batch| batch.iter().map(index_of).collect::<Vec<_>>();
        let (filled, _) = batches(FIFO, &indexed);
        assert_eq!(
            filled.iter().map(indices).collect::<Vec<_>>(),
            [vec![0, 1], vec![2, 3], vec![4]]
        );

        let mut stopped = StoppedGroups::default();
        stopped.add(fifo_groups(&filled[0]), &[0]);
        let [_, second, third] = filled.try_into().unwrap();
        let (sent, behind) = stopped.divide(second);
        assert_eq!((indices(&sent), behind), (vec![3], vec![2]));
        let (sent, behind) = stopped.divide(third);
        assert_eq!((indices(&sent), behind), (vec![], vec![4]));

        let (standard, _) = batches(STANDARD, &indexed);
        stopped.add(fifo_groups(&standard[0]), &[0]);
        let [batch] = standard.try_into().unwrap();
        assert_eq!(stopped.divide(batch).1, Vec::<usize>::new(), "only FIFO queues have an order");
    }

    #[test]
    fn a_batch_keeps_its_byte_limit_and_a_larger_message_fails_alone() {
        let large = "x".repeat(400 * 1024);
        let huge = "x".repeat(BYTES_MAX);
        let messages =
            [message("0", &large), message("1", &huge), message("2", &large), message("3", &large)];
        assert_eq!(filled(&messages), (vec![vec![0, 2], vec![3]], vec![1]));
    }

    #[test]
    fn characters_that_sqs_rejects_are_escaped_and_the_json_stays_equal() {
        let odd: String =
            ('\u{0}'..='\u{ff}').chain("\u{fffe}\u{ffff}\u{fdd0}\u{1ffff}".chars()).collect();
        let message = message("event-1", &odd);
        let (body, _) = body(&message).unwrap();
        assert_eq!(transmissible(&body), body, "nothing is left to escape");
        let sent: Envelope<serde_json::Value> = serde_json::from_str(&body).unwrap();
        assert_eq!(sent, message.envelope);
        assert_eq!(transmissible("a\u{0}b\tc\u{ffff}"), "a\\u0000b\tc\\uffff");
    }

    #[test]
    fn an_id_that_sqs_rejects_is_replaced_by_its_hash() {
        for (id, kept) in [("order-1", true), ("", false), ("ä", false), ("a b", false)] {
            let taken = sqs_id(id);
            assert_eq!(taken == id, kept, "{id:?}");
            assert_eq!(taken, sqs_id(&taken), "{id:?}");
        }
        assert_eq!(sqs_id(&"x".repeat(129)).len(), 43);
    }

    #[test]
    fn a_grouped_message_has_its_group_in_a_standard_queue() {
        let grouped = Outgoing { group: Some("7f3a".to_owned()), ..message("event-1", "") };
        let plain = entry(STANDARD, 0, &grouped, String::new());
        assert_eq!(
            (plain.message_group_id(), plain.message_deduplication_id()),
            (Some("7f3a"), None)
        );
        assert_eq!(plain.delay_seconds, Some(5));
        let odd = Outgoing { group: Some("Ann Lee".to_owned()), ..message("event-1", "") };
        let odd = entry(STANDARD, 0, &odd, String::new());
        assert_eq!(odd.message_group_id().map(str::len), Some(43));
        let fifo = entry(FIFO, 0, &grouped, String::new());
        assert_eq!(fifo.message_group_id(), Some("order-1"));
    }

    #[test]
    fn a_fifo_queue_groups_by_aggregate_and_has_no_message_delay() {
        let message = message("event-1", "");
        let plain = entry(STANDARD, 0, &message, String::new());
        assert_eq!((plain.delay_seconds, plain.message_group_id()), (Some(5), None));
        let fifo = entry(FIFO, 0, &message, String::new());
        assert_eq!(fifo.delay_seconds, None);
        assert_eq!(fifo.message_group_id(), Some("order-1"));
        assert_eq!(fifo.message_deduplication_id(), Some("event-1"));
        let attributes = fifo.message_attributes().expect("the entry has attributes");
        assert_eq!(attributes["traceparent"].string_value(), Some("00-1-2-01"));
        assert_eq!(attributes["tracestate"].string_value(), Some("vendor=1"));
    }
}
