//! The events of messages, stream records, schedules and rotations.

use serde_json::{Map, Value as Json, json};

use crate::Millis;
use crate::services::{ACCOUNT_ID, REGION};
use crate::world::names::{arn, secret_arn};

/// The event of an SQS event source mapping, from the messages of receive calls.
pub(super) fn of_messages(queue: &str, messages: &[Json]) -> Json {
    let records: Vec<Json> = messages.iter().map(|message| of_message(queue, message)).collect();
    json!({ "Records": records })
}

/// The bytes of a message in an event.
pub(super) fn bytes_of_message(queue: &str, message: &Json) -> usize {
    of_message(queue, message).to_string().len()
}

fn of_message(queue: &str, message: &Json) -> Json {
    let attributes = message["MessageAttributes"].as_object().into_iter().flatten();
    let attributes = attributes.map(|(name, value)| (name.clone(), of_attribute(value)));
    let mut record = json!({
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes").cloned().unwrap_or_else(|| json!({})),
        "messageAttributes": attributes.collect::<Map<_, _>>(),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("sqs", queue),
        "awsRegion": REGION,
    });
    if let Some(md5) = message.get("MD5OfMessageAttributes") {
        record["md5OfMessageAttributes"] = md5.clone();
    }
    record
}

/// One message as filters see it: with a JSON body parsed.
pub(super) fn filtered_message(queue: &str, message: &Json) -> Json {
    let mut record = of_message(queue, message);
    let body = message["Body"].as_str().unwrap_or_default();
    if let Ok(body) = serde_json::from_str(body) {
        record["body"] = body;
    }
    record
}

/// `StringValue` of SQS is `stringValue` in the event, and so on.
fn of_attribute(attribute: &Json) -> Json {
    let mut record = json!({ "stringListValues": [], "binaryListValues": [] });
    for (from, to) in
        [("StringValue", "stringValue"), ("BinaryValue", "binaryValue"), ("DataType", "dataType")]
    {
        if let Some(value) = attribute.get(from) {
            record[to] = value.clone();
        }
    }
    record
}

/// One record of a stream, as events and filters have it.
pub(super) fn of_record(stream: &str, record: &Json) -> Json {
    let mut event = record.clone();
    event["eventSourceARN"] = json!(stream);
    event
}

/// The event of a stream's mapping.
pub(super) fn of_records(stream: &str, records: &[Json]) -> Json {
    let records: Vec<Json> = records.iter().map(|record| of_record(stream, record)).collect();
    json!({ "Records": records })
}

/// The event of a schedule without an input. The detail of Scheduler is a string.
pub(super) fn of_schedule(is_of_scheduler: bool, name: &str, id: &str, at: Millis) -> Json {
    let (source, resource, detail) = if is_of_scheduler {
        ("aws.scheduler", arn("scheduler", &format!("schedule/default/{name}")), json!("{}"))
    } else {
        ("aws.events", arn("events", &format!("rule/{name}")), json!({}))
    };
    json!({
        "version": "0",
        "id": id,
        "detail-type": "Scheduled Event",
        "source": source,
        "account": ACCOUNT_ID,
        "time": time(at),
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    })
}

/// The event of a step of a rotation.
pub(in crate::world) fn of_rotation(step: &str, secret: &str, token: &str) -> Json {
    json!({
        "Step": step,
        "SecretId": secret_arn(secret),
        "ClientRequestToken": token,
    })
}

/// The message to a destination about records that are given up.
pub(super) fn of_given_up(
    function: &str,
    stream: &str,
    shard: &str,
    records: &[Json],
    condition: &str,
    invocations: u32,
    now: Millis,
) -> Json {
    let number = |record: Option<&Json>| record.map(|it| it["dynamodb"]["SequenceNumber"].clone());
    json!({
        "requestContext": {
            "requestId": format!("{shard} {}", now.0),
            "functionArn": arn("lambda", &format!("function:{function}")),
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": time(now),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": number(records.first()),
            "endSequenceNumber": number(records.last()),
            "batchSize": records.len(),
            "streamArn": stream,
        },
    })
}

fn time(at: Millis) -> String {
    let at = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_record_as_on_lambda() {
        let message = json!({
            "MessageId": "id-1",
            "ReceiptHandle": "handle-1",
            "Body": "{\"a\":1}",
            "MD5OfBody": "5d",
            "Attributes": { "ApproximateReceiveCount": "1" },
            "MessageAttributes": { "t": { "DataType": "String", "StringValue": "00" } },
        });

        let event = of_messages("Q", std::slice::from_ref(&message));

        let record = &event["Records"][0];
        assert_eq!(record["messageAttributes"]["t"]["stringValue"], "00");
        assert_eq!(record["eventSourceARN"], arn("sqs", "Q"));
        assert_eq!(record["body"], "{\"a\":1}");
        assert_eq!(filtered_message("Q", &message)["body"]["a"], 1);
    }

    #[test]
    fn the_event_of_a_schedule_names_its_service() {
        let at = Millis(1_767_323_045_678);
        let rule = of_schedule(false, "F", "id", at);
        assert_eq!((&rule["source"], &rule["detail"]), (&json!("aws.events"), &json!({})));
        assert_eq!(rule["time"], "2026-01-02T03:04:05Z");
        let scheduler = of_schedule(true, "F", "id", at);
        assert_eq!(scheduler["detail"], "{}");
    }
}
