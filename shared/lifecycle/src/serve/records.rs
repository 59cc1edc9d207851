//! The records of an event, as Lambda brings them: apart, and in the groups that keep their order.

use lambda_http::aws_lambda_events::{dynamodb, sqs};
use serde_dynamo::Item;

use crate::consumer::{Consumer, Run, Source};
use crate::failure::{BoxError, Violations};

/// A record of a batch, not yet understood.
pub(super) struct Raw {
    /// What the batch calls it, to report it as failed.
    pub(super) item_id: String,
    /// The id that it has if it carries none of its own.
    pub(super) record_id: String,
    pub(super) deliveries: u32,
    /// By what the queue knows this delivery; a stream and the clock have no such thing.
    pub(super) receipt: Option<String>,
    pub(super) content: Content,
}

pub(super) enum Content {
    Text(String),
    Item(Item),
}

/// Records that must be consumed in order.
pub(super) type Group = Vec<Raw>;

impl Raw {
    /// 4. Deserialisation.
    pub(super) fn understand<C: Consumer>(&self) -> Result<C::Input, Violations> {
        match &self.content {
            Content::Text(text) => {
                serde_json::from_str(text).map_err(|e| Violations::one("", e.to_string()))
            }
            Content::Item(item) => serde_dynamo::from_item(item.clone())
                .map_err(|error| Violations::one("", error.to_string())),
        }
    }
}

/// The records of an event, by their groups.
pub(super) fn groups_of(source: Source, event: &[u8]) -> Result<Vec<Group>, BoxError> {
    let keyed: Vec<(String, Raw)> = match source {
        Source::Queue(_) => {
            let event: sqs::SqsEvent = serde_json::from_slice(event)?;
            event.records.into_iter().map(of_message).collect()
        }
        Source::Stream(_) => {
            let event: dynamodb::Event = serde_json::from_slice(event)?;
            event.records.into_iter().filter_map(of_change).collect()
        }
        Source::Schedule => vec![of_run(event)?],
    };
    let mut groups: Vec<(String, Group)> = Vec::new();
    for (key, raw) in keyed {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(raw),
            None => groups.push((key, vec![raw])),
        }
    }
    Ok(groups.into_iter().map(|(_, group)| group).collect())
}

/// A message with its FIFO group. On a standard queue, messages about one event are a group: the
/// second one then finds the first one's note in the inbox.
fn of_message(message: sqs::SqsMessage) -> (String, Raw) {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct AboutEvent {
        event_id: String,
    }
    let id = message.message_id.unwrap_or_default();
    let about = || serde_json::from_str::<AboutEvent>(message.body.as_deref()?).ok();
    let group = message.attributes.get("MessageGroupId").cloned();
    let group = group.or_else(|| about().map(|about| about.event_id)).unwrap_or_else(|| id.clone());
    let received = message.attributes.get("ApproximateReceiveCount");
    let raw = Raw {
        item_id: id.clone(),
        record_id: id,
        deliveries: received.and_then(|count| count.parse().ok()).unwrap_or(1),
        receipt: message.receipt_handle,
        content: Content::Text(message.body.unwrap_or_default()),
    };
    (group, raw)
}

/// A new image with its partition key; a removal has none and is of no interest.
fn of_change(record: dynamodb::EventRecord) -> Option<(String, Raw)> {
    if record.change.new_image.inner().is_empty() {
        return None;
    }
    let group = match record.change.keys.inner().get("pk") {
        Some(serde_dynamo::AttributeValue::S(pk)) => pk.clone(),
        _ => record.event_id.clone(),
    };
    let raw = Raw {
        item_id: record.change.sequence_number.unwrap_or_default(),
        record_id: record.event_id,
        deliveries: 1,
        receipt: None,
        content: Content::Item(record.change.new_image),
    };
    Some((group, raw))
}

/// A run of a schedule, alone in its group.
fn of_run(event: &[u8]) -> Result<(String, Raw), BoxError> {
    let run: Run = serde_json::from_slice(event)?;
    let raw = Raw {
        item_id: run.id.clone(),
        record_id: run.id.clone(),
        deliveries: 1,
        receipt: None,
        content: Content::Text(String::from_utf8(event.to_vec())?),
    };
    Ok((run.id, raw))
}
