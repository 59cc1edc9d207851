//! The messages that calls to queues send, hide and delete, by the bodies of the calls. They are read
//! without the lock of the records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::services::message_of_handle;

/// A kind of calls whose bodies name messages or a mail.
#[derive(Debug, Clone, Copy)]
pub(super) enum Naming {
    Sends,
    Hides,
    Deletes,
    Mails,
}

/// The messages or the mail that a call named.
pub(super) enum Named<'a> {
    Nothing,
    Sent(Vec<Sent<'a>>),
    /// The messages that are hidden, for so long.
    Hidden(Vec<(String, Duration)>),
    Deleted(Vec<String>),
    Mailed(String),
}

impl Naming {
    /// The kind of an operation; `None` if it names none.
    pub(super) fn of(service: &str, operation: &str) -> Option<Self> {
        match (service, operation) {
            ("ses", _) => Some(Self::Mails),
            ("sqs", "SendMessage" | "SendMessageBatch") => Some(Self::Sends),
            ("sqs", "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch") => {
                Some(Self::Hides)
            }
            ("sqs", "DeleteMessage" | "DeleteMessageBatch") => Some(Self::Deletes),
            _ => None,
        }
    }

    /// The messages or the mail of a call that succeeded.
    pub(super) fn named<'a>(self, body: &'a [u8], response: &[u8]) -> Named<'a> {
        match self {
            Self::Sends => Named::Sent(sent_by(body, response)),
            Self::Hides => {
                let hidden = handled(body).into_iter();
                Named::Hidden(hidden.map(|(id, hidden)| (id, hidden.unwrap_or_default())).collect())
            }
            Self::Deletes => Named::Deleted(handled(body).into_iter().map(|(id, _)| id).collect()),
            Self::Mails => message_id(response).map_or(Named::Nothing, Named::Mailed),
        }
    }
}

/// A message that a call sent.
pub(super) struct Sent<'a> {
    pub(super) id: String,
    pub(super) body: Cow<'a, str>,
    pub(super) delay: Duration,
    pub(super) head: EnvelopeHead,
}

impl<'a> Sent<'a> {
    pub(super) fn new(id: String, body: Cow<'a, str>, delay: Duration) -> Self {
        let head = serde_json::from_str(&body).unwrap_or_default();
        Self { id, body, delay, head }
    }
}

/// The head of an envelope in a message's body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvelopeHead {
    pub(super) event_type: Option<String>,
    pub(super) aggregate_id: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) event_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendRequest<'a> {
    #[serde(borrow)]
    message_body: Option<Cow<'a, str>>,
    delay_seconds: Option<u64>,
    #[serde(borrow, default)]
    entries: Vec<SendEntry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEntry<'a> {
    id: String,
    #[serde(borrow)]
    message_body: Cow<'a, str>,
    delay_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendResponse {
    message_id: Option<String>,
    #[serde(default)]
    successful: Vec<SentEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SentEntry {
    id: String,
    message_id: String,
}

/// `ChangeMessageVisibility`, `DeleteMessage` and their batches.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HandleRequest {
    receipt_handle: Option<String>,
    visibility_timeout: Option<u64>,
    #[serde(default)]
    entries: Vec<HandleRequest>,
}

/// The messages that a call sent.
fn sent_by<'a>(body: &'a [u8], response: &[u8]) -> Vec<Sent<'a>> {
    let request = serde_json::from_slice::<SendRequest<'_>>(body);
    let (Ok(request), Ok(response)) = (request, serde_json::from_slice::<SendResponse>(response))
    else {
        return Vec::new();
    };
    let delay = |seconds: Option<u64>| Duration::from_secs(seconds.unwrap_or_default());
    if let (Some(id), Some(body)) = (response.message_id, request.message_body) {
        return vec![Sent::new(id, body, delay(request.delay_seconds))];
    }
    let mut ids: BTreeMap<String, String> =
        response.successful.into_iter().map(|entry| (entry.id, entry.message_id)).collect();
    let sent = request.entries.into_iter().filter_map(|entry| {
        let id = ids.remove(&entry.id)?;
        Some(Sent::new(id, entry.message_body, delay(entry.delay_seconds)))
    });
    sent.collect()
}

/// The id of a sent mail.
fn message_id(response: &[u8]) -> Option<String> {
    serde_json::from_slice::<SendResponse>(response).ok()?.message_id
}

/// The messages whose receipt handles a call has, with their visibility timeouts.
fn handled(body: &[u8]) -> Vec<(String, Option<Duration>)> {
    let Ok(request) = serde_json::from_slice::<HandleRequest>(body) else { return Vec::new() };
    let HandleRequest { receipt_handle, visibility_timeout, entries } = request;
    let one = HandleRequest { receipt_handle, visibility_timeout, entries: Vec::new() };
    let all = std::iter::once(one).chain(entries);
    let handled = all.filter_map(|entry| {
        let id = message_of_handle(entry.receipt_handle.as_deref()?)?;
        Some((id, entry.visibility_timeout.map(Duration::from_secs)))
    });
    handled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sent_messages_of_a_batch_are_the_successful_ones() {
        let body = br#"{"QueueUrl":"q","Entries":[
            {"Id":"a","MessageBody":"{\"eventType\":\"E\"}","DelaySeconds":3},
            {"Id":"b","MessageBody":"x"}]}"#;
        let response = br#"{"Successful":[{"Id":"a","MessageId":"m"}],"Failed":[{"Id":"b"}]}"#;

        let sent = sent_by(body, response);

        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].id.as_str(), sent[0].delay.as_secs()), ("m", 3));
        assert_eq!(sent[0].body, r#"{"eventType":"E"}"#);
        let one = sent_by(br#"{"MessageBody":"x"}"#, br#"{"MessageId":"n"}"#);
        assert_eq!(one[0].id, "n");
    }
}
