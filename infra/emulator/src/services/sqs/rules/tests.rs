//! Tests that calls which SQS would reject are rejected, with SQS's codes.

use super::*;

const STANDARD: &str = "http://127.0.0.1/000000000000/local-EmailsQueue";
const FIFO: &str = "http://127.0.0.1/000000000000/local-CallbacksQueue.fifo";

fn judged(operation: &str, url: &str, mut input: Value) -> Verdict {
    input["QueueUrl"] = url.into();
    judge(operation, &input, BYTES_MAX)
}

fn code(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Refused(refused) => refused.code,
        Verdict::Entries(entries) => entries.first().map_or("", |(_, refused)| refused.code),
    }
}

fn attributes(count: usize) -> Value {
    let attribute = |n| (format!("a{n}"), json!({ "DataType": "String", "StringValue": "x" }));
    Value::Object((0..count).map(attribute).collect())
}

#[test]
fn a_message_that_sqs_would_reject_gets_sqss_error_code() {
    let long = "x".repeat(BYTES_MAX + 1);
    let text = |value: &str| json!({ "a": { "DataType": "String", "StringValue": value } });
    for (url, input, expected) in [
        (STANDARD, json!({ "MessageBody": "a\t\n\r\u{85}\u{fdd0}\u{1ffff}\u{10ffff}" }), ""),
        (STANDARD, json!({ "MessageBody": "Kettle\u{ffff}" }), "InvalidMessageContents"),
        (STANDARD, json!({ "MessageBody": "Kettle\u{fffe}" }), "InvalidMessageContents"),
        (STANDARD, json!({ "MessageBody": "a\u{0}" }), "InvalidMessageContents"),
        (STANDARD, json!({ "MessageBody": "a\u{1f}" }), "InvalidMessageContents"),
        (STANDARD, json!({ "MessageBody": "" }), "MissingParameter"),
        (STANDARD, json!({}), "MissingParameter"),
        (STANDARD, json!({ "MessageBody": long }), "InvalidParameterValue"),
        (STANDARD, json!({ "MessageBody": "a", "DelaySeconds": 900 }), ""),
        (STANDARD, json!({ "MessageBody": "a", "DelaySeconds": 901 }), "InvalidParameterValue"),
        (STANDARD, json!({ "MessageBody": "a", "DelaySeconds": -1 }), "InvalidParameterValue"),
        (STANDARD, json!({ "MessageBody": "a", "MessageGroupId": "fair" }), ""),
        (
            STANDARD,
            json!({ "MessageBody": "a", "MessageDeduplicationId": "d" }),
            "InvalidParameterValue",
        ),
        (STANDARD, json!({ "MessageBody": "a", "MessageAttributes": attributes(10) }), ""),
        (
            STANDARD,
            json!({ "MessageBody": "a", "MessageAttributes": attributes(11) }),
            "InvalidParameterValue",
        ),
        (
            STANDARD,
            json!({ "MessageBody": "a", "MessageAttributes": text("") }),
            "InvalidParameterValue",
        ),
        (
            STANDARD,
            json!({ "MessageBody": "a", "MessageAttributes": text("\u{1}") }),
            "InvalidParameterValue",
        ),
        (FIFO, json!({ "MessageBody": "a", "MessageGroupId": "g" }), ""),
        (FIFO, json!({ "MessageBody": "a" }), "MissingParameter"),
        (FIFO, json!({ "MessageBody": "a", "MessageGroupId": "g g" }), "InvalidParameterValue"),
        (
            FIFO,
            json!({ "MessageBody": "a", "MessageGroupId": "g", "DelaySeconds": 5 }),
            "InvalidParameterValue",
        ),
    ] {
        let shown = input.to_string().chars().take(80).collect::<String>();
        assert_eq!(code(judged("SendMessage", url, input)), expected, "{shown}");
    }
}

#[test]
fn only_the_invalid_entry_of_a_batch_is_rejected() {
    let entries = json!([
        { "Id": "0", "MessageBody": "{}" },
        { "Id": "1", "MessageBody": "Kettle\u{ffff}" },
    ]);
    let verdict = judged("SendMessageBatch", STANDARD, json!({ "Entries": entries }));
    let Verdict::Entries(refused) = verdict else { panic!("{verdict:?}") };
    let ids: Vec<_> = refused.iter().map(|(id, refused)| (&**id, refused.code)).collect();
    assert_eq!(ids, [("1", "InvalidMessageContents")]);

    let mut answer = json!({ "Successful": [{ "Id": "0" }] });
    with_failed(&mut answer, &refused);
    assert_eq!(answer["Failed"][0]["Id"], "1");
    assert_eq!(answer["Failed"][0]["SenderFault"], true);
}

#[test]
fn a_batch_with_wrong_count_ids_or_size_is_rejected_as_a_whole() {
    let entry = |id: &str, bytes: usize| json!({ "Id": id, "MessageBody": "x".repeat(bytes) });
    let many: Vec<_> = (0..11).map(|id| entry(&id.to_string(), 1)).collect();
    for (entries, expected) in [
        (vec![], "AWS.SimpleQueueService.EmptyBatchRequest"),
        (many, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
        (vec![entry("a", 1), entry("a", 1)], "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        (vec![entry("a b", 1)], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        (
            vec![entry("a", 600_000), entry("b", 600_000)],
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
        (vec![entry("a", 500_000), entry("b", 500_000)], ""),
    ] {
        let verdict = judged("SendMessageBatch", STANDARD, json!({ "Entries": entries }));
        assert_eq!(code(verdict), expected);
    }
}

#[test]
fn a_receipt_handle_that_was_never_issued_is_invalid() {
    let given = BASE64_STANDARD.encode("message:1700000000:nonce");
    for (handle, expected) in [
        (given.as_str(), ""),
        ("made-up", "ReceiptHandleIsInvalid"),
        ("bm90IG9uZQ==", "ReceiptHandleIsInvalid"),
        ("", "MissingParameter"),
    ] {
        let deletion = json!({ "ReceiptHandle": handle });
        assert_eq!(code(judged("DeleteMessage", STANDARD, deletion)), expected, "{handle}");
        let entries = json!([{ "Id": "0", "ReceiptHandle": handle, "VisibilityTimeout": 1 }]);
        let hiding =
            judged("ChangeMessageVisibilityBatch", STANDARD, json!({ "Entries": entries }));
        assert_eq!(code(hiding), expected, "{handle}");
    }
    let hiding = json!({ "ReceiptHandle": given, "VisibilityTimeout": 43_201 });
    let hidden = judged("ChangeMessageVisibility", STANDARD, hiding);
    assert_eq!(code(hidden), "InvalidParameterValue");
}
