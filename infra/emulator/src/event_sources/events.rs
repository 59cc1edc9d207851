//! Builds the events of messages, stream records, schedules and rotations.

use dynoxide::actions::get_records::Record;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::services::{QueueName, ReceivedMessage, TableName};
pub(super) use sam_template::batches::fitting;
use sam_template::{ACCOUNT_ID, REGION, ScheduleService};

/// The event of an SQS event source mapping.
pub(super) fn of_messages(queue: &QueueName, messages: &[ReceivedMessage]) -> String {
    let records: Vec<Value> = messages.iter().map(|message| of_message(queue, message)).collect();
    json!({"Records": records}).to_string()
}

/// The bytes of a message in an event.
pub(super) fn bytes_of_message(queue: &QueueName, message: &ReceivedMessage) -> usize {
    of_message(queue, message).to_string().len()
}

/// One message, as it appears in events.
fn of_message(queue: &QueueName, message: &ReceivedMessage) -> Value {
    let attributes = message.message_attributes.iter();
    let attributes = attributes.map(|(name, value)| (name.clone(), of_attribute(value)));
    let mut record = json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": message.attributes,
        "messageAttributes": attributes.collect::<Map<_, _>>(),
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    });
    if let Some(md5) = &message.md5_of_message_attributes {
        record["md5OfMessageAttributes"] = md5.as_str().into();
    }
    record
}

/// One message, as it appears to filters: with a JSON body parsed.
pub(super) fn filtered_message(queue: &QueueName, message: &ReceivedMessage) -> Value {
    let mut record = of_message(queue, message);
    if let Ok(body) = serde_json::from_str(&message.body) {
        record["body"] = body;
    }
    record
}

/// Converts an attribute: `StringValue` in SQS's protocol is `stringValue` in the event, and so on.
fn of_attribute(attribute: &Value) -> Value {
    let mut record = json!({"stringListValues": [], "binaryListValues": []});
    for (from, to) in
        [("StringValue", "stringValue"), ("BinaryValue", "binaryValue"), ("DataType", "dataType")]
    {
        if let Some(value) = attribute.get(from) {
            record[to] = value.clone();
        }
    }
    record
}

/// The event of a `DynamoDB` stream's event source mapping.
pub(super) fn of_records(table: &TableName, records: &[Record]) -> String {
    let records: Vec<Value> = records.iter().map(|record| of_record(table, record)).collect();
    json!({"Records": records}).to_string()
}

/// One record of a stream, as it appears in events and to filters.
pub(super) fn of_record(table: &TableName, record: &Record) -> Value {
    let mut event = json!(record);
    // The embedded DynamoDB reports another region.
    event["awsRegion"] = REGION.into();
    event["eventSourceARN"] = table.stream_arn.as_deref().into();
    event
}

/// The event of a schedule without its own input. The detail from Scheduler is a string.
pub(super) fn of_schedule(service: ScheduleService, name: &str, time: Timestamp) -> String {
    let (source, resource, detail) = match service {
        ScheduleService::Scheduler => (
            "aws.scheduler",
            format!("scheduler:{REGION}:{ACCOUNT_ID}:schedule/default"),
            json!("{}"),
        ),
        _ => ("aws.events", format!("events:{REGION}:{ACCOUNT_ID}:rule"), json!({})),
    };
    json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": ACCOUNT_ID,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:aws:{resource}/{name}")],
        "detail": detail,
    })
    .to_string()
}

/// The event of a rotation: the step, the secret's ARN, and the new version's id.
pub(super) fn of_rotation(step: &str, secret: &str, token: &str) -> String {
    json!({"Step": step, "SecretId": secret, "ClientRequestToken": token}).to_string()
}

/// The message to an on-failure destination about stream records that are given up.
pub(super) fn of_given_up(
    function_arn: Option<&str>,
    table: &TableName,
    records: &[Record],
    condition: &str,
    invocations: u32,
    now: Timestamp,
) -> String {
    let arrival = |record: &Record| {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds, far below 2^53")]
        let second = record.dynamodb.approximate_creation_date_time as i64;
        Timestamp::from_second(second).map(|time| time.to_string()).ok()
    };
    let first = records.first();
    let last = records.last();
    json!({
        "requestContext": {
            "requestId": Uuid::new_v4(),
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": now,
        "DDBStreamBatchInfo": {
            "shardId": dynoxide::streams::shard_id(&table.name),
            "startSequenceNumber": first.map(|record| &record.dynamodb.sequence_number),
            "endSequenceNumber": last.map(|record| &record.dynamodb.sequence_number),
            "approximateArrivalOfFirstRecord": first.and_then(arrival),
            "approximateArrivalOfLastRecord": last.and_then(arrival),
            "batchSize": records.len(),
            "streamArn": table.stream_arn,
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_of_a_schedule_names_its_service() {
        let of = |service| -> Value {
            let event = of_schedule(service, "F.S", "2026-01-02T03:04:05Z".parse().unwrap());
            serde_json::from_str(&event).unwrap()
        };
        let rule = of(ScheduleService::Rules);
        assert_eq!((&rule["source"], &rule["detail"]), (&json!("aws.events"), &json!({})));
        let scheduler = of(ScheduleService::Scheduler);
        assert_eq!(
            (&scheduler["source"], &scheduler["detail"]),
            (&json!("aws.scheduler"), &json!("{}"))
        );
        let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/F.S";
        assert_eq!(scheduler["resources"], json!([arn]));
        assert_eq!(scheduler["time"], "2026-01-02T03:04:05Z");
    }

    #[test]
    fn a_message_becomes_a_record_as_on_lambda() {
        let queue = QueueName {
            name: "local-EmailsQueue".into(),
            url: "http://127.0.0.1:1/000000000000/local-EmailsQueue".into(),
            arn: "arn:aws:sqs:eu-west-1:000000000000:local-EmailsQueue".into(),
        };
        let message: ReceivedMessage = serde_json::from_value(json!({
            "MessageId": "id-1",
            "ReceiptHandle": "handle-1",
            "Body": "hello",
            "MD5OfBody": "5d41402abc4b2a76b9719d911017c592",
            "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1520621625029"},
            "MessageAttributes": {"traceparent": {"DataType": "String", "StringValue": "00-a-b-01"}},
        }))
        .unwrap();

        let event: Value = serde_json::from_str(&of_messages(&queue, &[message])).unwrap();

        let expected = json!({"Records": [{
            "messageId": "id-1",
            "receiptHandle": "handle-1",
            "body": "hello",
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1520621625029"},
            "messageAttributes": {"traceparent": {
                "stringValue": "00-a-b-01",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }},
            "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:local-EmailsQueue",
            "awsRegion": "eu-west-1",
        }]});
        assert_eq!(event, expected);
    }
}
