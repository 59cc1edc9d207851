//! Splits an event of Lambda into records, and into groups that keep their order.
//!
//! An event is read record by record. A malformed record is handled like unparseable content: it
//! alone goes to the dead-letter queue.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;
use serde_json::value::RawValue;

use super::groups::grouped_by;
use crate::consumer::{Consumer, ScheduledRun, Source};
use crate::error::{BoxError, FieldErrors};
use crate::hash::short_hash_of;
use crate::record::TableName;
use crate::stored;
use crate::telemetry::inspector::RecordOf;

/// A record of a batch, not yet parsed.
pub(super) struct Raw {
    /// The item identifier, to report it as failed; a malformed record may lack it.
    pub(super) item_id: Option<String>,
    /// The record's id, unless its content has one.
    pub(super) record_id: String,
    pub(super) deliveries: u32,
    pub(super) group: String,
    /// The SQS receipt handle; absent for a stream or a schedule.
    pub(super) receipt: Option<String>,
    pub(super) content: Content,
}

pub(super) enum Content {
    Text(String),
    Item(Item),
    /// The record does not have the shape of its source.
    Odd {
        json: String,
        reason: String,
    },
}

/// Records that must be processed in order.
pub(super) type Group = Vec<Raw>;

impl Raw {
    /// 4. Deserialisation. Data that this system wrote is read without the limits of input.
    pub(super) fn deserialize<C: Consumer>(&self) -> Result<C::Input, FieldErrors> {
        let read = || match &self.content {
            Content::Text(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            Content::Item(item) => {
                serde_dynamo::from_item(item.clone()).map_err(|error| error.to_string())
            }
            Content::Odd { reason, .. } => Err(reason.clone()),
        };
        let understood = match C::SOURCE {
            Source::Event(_) => read(),
            Source::Queue(_) | Source::Stream(_) | Source::Schedule(_) => stored::reading(read),
        };
        understood.map_err(|reason| FieldErrors::one("", reason))
    }

    /// The content as text, for a dead-letter queue.
    pub(super) fn body(&self) -> String {
        match &self.content {
            Content::Text(text) | Content::Odd { json: text, .. } => text.clone(),
            Content::Item(item) => serde_dynamo::from_item::<_, Value>(item.clone())
                .map_or_else(|error| error.to_string(), |value| value.to_string()),
        }
    }

    /// The record as the inspector reports it.
    pub(super) fn inspected(&self, source: Source, record_id: &str, request_id: &str) -> RecordOf {
        let is_message = matches!(source, Source::Queue(_));
        RecordOf {
            message_id: self.item_id.clone().filter(|_| is_message),
            record_id: record_id.to_owned(),
            request_id: request_id.to_owned(),
            source: source.name(),
            deliveries: self.deliveries,
        }
    }

    /// The `traceparent` and `tracestate` of the content, even if it is otherwise invalid.
    pub(super) fn trace_context(&self) -> [Option<String>; 2] {
        match &self.content {
            Content::Text(text) => match about(text) {
                Some(about) => [about.traceparent, about.tracestate],
                None => [None, None],
            },
            Content::Item(item) => ["traceparent", "tracestate"].map(|name| text_of(item, name)),
            Content::Odd { .. } => [None, None],
        }
    }
}

/// Returns the records of an event, in groups.
pub(super) fn groups_of(source: Source, event: &[u8]) -> Result<Vec<Group>, BoxError> {
    let records: Vec<Raw> = match source {
        Source::Queue(_) => records_of(event)?.iter().map(|record| of_message(record)).collect(),
        Source::Stream(table) => {
            records_of(event)?.iter().filter_map(|record| of_change(table, record)).collect()
        }
        Source::Schedule(_) => vec![of_run(event)?],
        Source::Event(_) => vec![of_event(event)?],
    };
    Ok(grouped_by(records, |raw| raw.group.clone()))
}

/// The records of a batch as raw JSON.
fn records_of(event: &[u8]) -> Result<Vec<Box<RawValue>>, BoxError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Batch {
        records: Vec<Box<RawValue>>,
    }
    Ok(serde_json::from_slice::<Batch>(event)?.records)
}

/// Returns a member of a record; `None` if it is missing or has another type.
fn part<T: DeserializeOwned>(record: &Value, pointer: &str) -> Option<T> {
    T::deserialize(record.pointer(pointer)?).ok()
}

/// A malformed record, with its id if it has one.
fn odd(json: &RawValue, item_id: Option<String>, reason: &str) -> Raw {
    let record_id = item_id.clone().unwrap_or_else(|| short_hash_of([json.get().as_bytes()]));
    let content = Content::Odd { json: json.get().to_owned(), reason: reason.to_owned() };
    let group = format!("odd#{record_id}");
    Raw { item_id, record_id, deliveries: 1, group, receipt: None, content }
}

/// The members that are read from a message's body before it is parsed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    event_id: Option<String>,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

fn about(body: &str) -> Option<About> {
    serde_json::from_str(body).ok()
}

/// A message. On a standard queue, messages of one event are a group: the second one
/// then finds the first one's inbox entry.
fn of_message(json: &RawValue) -> Raw {
    let Ok(message) = serde_json::from_str::<Value>(json.get()) else {
        return odd(json, None, "is not a message of a queue");
    };
    let Some(item_id) = part::<String>(&message, "/messageId").filter(|id| !id.is_empty()) else {
        return odd(json, None, "/messageId is missing or not a string");
    };
    let Some(body) = part::<String>(&message, "/body") else {
        return odd(json, Some(item_id), "/body is missing or not a string");
    };
    // In a standard queue a group is only for fairness, and keeps no order.
    let is_fifo = part(&message, "/eventSourceARN")
        .is_some_and(|arn: String| arn.strip_suffix(".fifo").is_some());
    let fifo_group = part(&message, "/attributes/MessageGroupId").filter(|_| is_fifo);
    let group = fifo_group.or_else(|| about(&body)?.event_id).unwrap_or_else(|| item_id.clone());
    // Lambda sends the count as a string.
    let received = message.pointer("/attributes/ApproximateReceiveCount");
    let received = received.and_then(|count| match count {
        Value::String(count) => count.parse().ok(),
        other => other.as_u64(),
    });
    Raw {
        record_id: item_id.clone(),
        item_id: Some(item_id),
        deliveries: received.and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        group,
        receipt: part(&message, "/receiptHandle"),
        content: Content::Text(body),
    }
}

/// A new image, in the group of its partition key; a removal has none and is ignored.
fn of_change(table: TableName, json: &RawValue) -> Option<Raw> {
    let Ok(record) = serde_json::from_str::<Value>(json.get()) else {
        return Some(odd(json, None, "is not a record of a stream"));
    };
    let item_id = part::<String>(&record, "/dynamodb/SequenceNumber").filter(|id| !id.is_empty());
    let image = match record.pointer("/dynamodb/NewImage") {
        Some(Value::Object(image)) if !image.is_empty() => {
            Item::deserialize(&record["dynamodb"]["NewImage"])
        }
        None | Some(Value::Null | Value::Object(_)) if record["dynamodb"].is_object() => {
            return None;
        }
        _ => return Some(odd(json, item_id, "/dynamodb/NewImage is missing or not an item")),
    };
    let image = match image {
        Ok(image) => image,
        Err(error) => return Some(odd(json, item_id, &format!("/dynamodb/NewImage: {error}"))),
    };
    if item_id.is_none() {
        return Some(odd(json, None, "/dynamodb/SequenceNumber is missing or not a string"));
    }
    let event_id = part(&record, "/eventID").or_else(|| item_id.clone()).unwrap_or_default();
    let key = record["dynamodb"]["Keys"][table.partition_key()]["S"].as_str();
    let group = key.map_or_else(|| event_id.clone(), str::to_owned);
    let content = Content::Item(image);
    Some(Raw { item_id, record_id: event_id, deliveries: 1, group, receipt: None, content })
}

fn text_of(item: &Item, name: &str) -> Option<String> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    }
}

/// A run of a schedule.
fn of_run(event: &[u8]) -> Result<Raw, BoxError> {
    whole(event, serde_json::from_slice::<ScheduledRun>(event)?.id)
}

/// A whole event. Lambda's retries bring the same text, so its hash is its id.
fn of_event(event: &[u8]) -> Result<Raw, BoxError> {
    whole(event, short_hash_of([event]))
}

/// An invocation's only record, in its own group.
fn whole(event: &[u8], id: String) -> Result<Raw, BoxError> {
    Ok(Raw {
        item_id: Some(id.clone()),
        record_id: id.clone(),
        deliveries: 1,
        group: id,
        receipt: None,
        content: Content::Text(String::from_utf8(event.to_vec())?),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::effects::QueueName;

    const QUEUE: Source = Source::Queue(QueueName::new("readers"));
    const STREAM: Source = Source::Stream(TableName::new("outbox"));

    fn raws(source: Source, records: &Value) -> Vec<Raw> {
        let event = json!({ "Records": records }).to_string();
        groups_of(source, event.as_bytes()).unwrap().into_iter().flatten().collect()
    }

    #[test]
    fn message_groups_are_kept_together_in_a_fifo_queue_only() {
        for (queue, names) in [("readers.fifo", &["one"][..]), ("readers", &["m1", "m2"])] {
            let message = |id| {
                json!({
                    "messageId": id, "body": "b", "attributes": { "MessageGroupId": "one" },
                    "eventSourceARN": format!("arn:aws:sqs:eu-west-1:123456789012:{queue}"),
                })
            };
            let event = json!({ "Records": [message("m1"), message("m2")] }).to_string();
            let groups = groups_of(QUEUE, event.as_bytes()).unwrap();
            assert_eq!(groups.iter().map(|raws| &raws[0].group).collect::<Vec<_>>(), names);
        }
    }

    #[test]
    fn a_malformed_message_is_a_separate_group_and_the_others_are_read() {
        let good = json!({ "messageId": "m1", "body": "{}", "receiptHandle": "r" });
        for (odd, item_id) in [
            (json!({ "body": "{}" }), None),
            (json!({ "messageId": 7, "body": "{}" }), None),
            (json!({ "messageId": "", "body": "{}" }), None),
            (json!({ "messageId": "m0" }), Some("m0")),
            (json!({ "messageId": "m0", "body": null }), Some("m0")),
            (json!({ "messageId": "m0", "body": { "a": 1 } }), Some("m0")),
            (json!(null), None),
            (json!("text"), None),
            (json!([]), None),
        ] {
            let raws = raws(QUEUE, &json!([odd, good]));
            let [first, second] = &raws[..] else { panic!("{} records of {odd}", raws.len()) };
            assert!(matches!(first.content, Content::Odd { .. }), "{odd}");
            assert_eq!(first.item_id.as_deref(), item_id, "{odd}");
            assert_eq!(first.body(), odd.to_string());
            assert!(matches!(&second.content, Content::Text(body) if body == "{}"), "{odd}");
        }
    }

    #[test]
    fn a_message_with_malformed_attributes_is_read() {
        for (attributes, deliveries) in [
            (json!(null), 1),
            (json!({ "ApproximateReceiveCount": "3" }), 3),
            (json!({ "ApproximateReceiveCount": 3 }), 3),
            (json!({ "ApproximateReceiveCount": "-3", "MessageGroupId": 7 }), 1),
            (json!([]), 1),
        ] {
            let message = json!({ "messageId": "m", "body": "b", "attributes": attributes });
            let raws = raws(QUEUE, &json!([message]));
            assert!(matches!(&raws[0].content, Content::Text(body) if body == "b"), "{attributes}");
            assert_eq!((raws[0].deliveries, &raws[0].receipt), (deliveries, &None), "{attributes}");
        }
    }

    #[test]
    fn a_malformed_change_is_a_separate_group_and_a_removal_is_ignored() {
        let change = |dynamodb: Value| json!({ "eventID": "e", "dynamodb": dynamodb });
        let image = json!({ "pk": { "S": "1" } });
        for (record, read) in [
            (change(json!({ "SequenceNumber": "1", "NewImage": image })), Some(false)),
            (change(json!({ "SequenceNumber": "1" })), None),
            (change(json!({ "SequenceNumber": "1", "NewImage": null })), None),
            (change(json!({ "SequenceNumber": "1", "NewImage": {} })), None),
            (change(json!({ "SequenceNumber": "1", "NewImage": { "a": { "X": 1 } } })), Some(true)),
            (change(json!({ "SequenceNumber": "1", "NewImage": [] })), Some(true)),
            (change(json!({ "NewImage": image })), Some(true)),
            (change(json!(7)), Some(true)),
            (json!({}), Some(true)),
            (json!(null), Some(true)),
        ] {
            let good = change(json!({ "SequenceNumber": "2", "NewImage": image }));
            let raws = raws(STREAM, &json!([record, good]));
            let odd = raws.iter().map(|raw| matches!(raw.content, Content::Odd { .. }));
            let expected: Vec<bool> = read.into_iter().chain([false]).collect();
            assert_eq!(odd.collect::<Vec<_>>(), expected, "{record}");
        }
    }

    #[test]
    fn changes_of_one_partition_are_a_group_by_the_key_that_the_table_names() {
        let change = |number: &str, customer| {
            json!({ "eventID": number, "dynamodb": {
                "SequenceNumber": number,
                "Keys": { "customer": { "S": customer } },
                "NewImage": { "customer": { "S": customer } },
            } })
        };
        let records = [change("1", "ann"), change("2", "bob"), change("3", "ann")];
        let event = json!({ "Records": records }).to_string();
        let visits = TableName::new("visits").partition_key_named("customer");
        for (table, groups) in [(visits, 2), (TableName::new("visits"), 3)] {
            let read = groups_of(Source::Stream(table), event.as_bytes()).unwrap();
            assert_eq!(read.len(), groups, "{table:?}");
        }
    }

    #[test]
    fn an_event_is_one_record_whose_id_is_the_same_in_a_retry() {
        let read = |event: &str| groups_of(Source::Event("uploads"), event.as_bytes()).unwrap();
        let (first, again, other) = (read(r#"{"a":1}"#), read(r#"{"a":1}"#), read(r#"{"a":2}"#));
        assert_eq!((first.len(), first[0].len()), (1, 1));
        assert_eq!(first[0][0].record_id, again[0][0].record_id);
        assert_ne!(first[0][0].record_id, other[0][0].record_id);
        assert_eq!(first[0][0].body(), r#"{"a":1}"#);
    }

    #[test]
    fn an_event_without_records_is_an_error() {
        for event in ["{}", "null", r#"{"Records": {}}"#, "["] {
            assert!(groups_of(QUEUE, event.as_bytes()).is_err(), "{event}");
        }
    }

    #[test]
    fn the_trace_context_is_read_from_a_message_and_from_an_image() {
        let traced = json!({ "traceparent": "parent", "tracestate": "state", "other": 7 });
        let body = json!([{ "messageId": "m1", "body": traced.to_string() }]);
        let texts = |name: &str| Some(name.to_owned());
        assert_eq!(raws(QUEUE, &body)[0].trace_context(), [texts("parent"), texts("state")]);
        let image = json!([{ "eventID": "e1", "dynamodb": {
            "SequenceNumber": "1", "Keys": { "pk": { "S": "a" } },
            "NewImage": { "traceparent": { "S": "parent" }, "tracestate": { "N": "7" } },
        } }]);
        assert_eq!(raws(STREAM, &image)[0].trace_context(), [texts("parent"), None]);
        let other = json!([{ "messageId": "m1", "body": "a text" }]);
        assert_eq!(raws(QUEUE, &other)[0].trace_context(), [None, None]);
    }

    #[test]
    fn messages_of_one_event_are_a_group() {
        let message = |id: &str, event: &str| {
            let body = json!({ "eventId": event }).to_string();
            json!({ "messageId": id, "body": body })
        };
        let event = json!({ "Records": [message("1", "a"), message("2", "b"), message("3", "a")] });
        let groups = groups_of(QUEUE, event.to_string().as_bytes()).unwrap();
        let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
