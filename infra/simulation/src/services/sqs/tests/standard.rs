use super::*;
use crate::random::Chance;

fn plain() -> (World, String) {
    queue(Freedom::none(), QueueDefinition::new("q"))
}

#[test]
fn a_received_message_is_hidden_until_its_timeout() {
    let (mut world, url) = plain();
    world.send(&url, "hello");

    let first = world.receive(&url);
    assert_eq!(first[0]["Body"], "hello");
    assert_eq!(first[0]["MD5OfBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(first[0]["Attributes"]["ApproximateReceiveCount"], "1");
    world.pass(Millis(29_999));
    assert!(world.receive(&url).is_empty());
    world.pass(Millis(1));
    let second = world.receive(&url);
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
    world.delete(&url, &second[0]);
    world.pass(Millis::hours(1));
    assert!(world.receive(&url).is_empty());
}

#[test]
fn an_old_receipt_handle_does_not_delete() {
    let (mut world, url) = plain();
    world.send(&url, "hello");
    let first = world.receive(&url);
    world.pass(Millis::seconds(30));
    let second = world.receive(&url);

    world.delete(&url, &first[0]);
    assert_eq!(world.services.messages("q").len(), 1);
    world.delete(&url, &second[0]);
    assert!(world.services.messages("q").is_empty());
    world.delete(&url, &second[0]);
    let wrong = json!({ "QueueUrl": url, "ReceiptHandle": "x" });
    let error = world.sqs_error("DeleteMessage", wrong);
    assert_eq!(error["__type"], "ReceiptHandleIsInvalid");
}

#[test]
fn visibility_is_extended_and_ended() {
    let (mut world, url) = plain();
    world.send(&url, "hello");
    let received = world.receive(&url);
    let change = |seconds: i64| {
        json!({
            "QueueUrl": url, "ReceiptHandle": received[0]["ReceiptHandle"],
            "VisibilityTimeout": seconds,
        })
    };

    world.sqs("ChangeMessageVisibility", change(100));
    world.pass(Millis::seconds(99));
    assert!(world.receive(&url).is_empty());
    assert_eq!(
        world.sqs_error("ChangeMessageVisibility", change(43_200))["__type"],
        "InvalidParameterValue"
    );
    world.sqs("ChangeMessageVisibility", change(0));
    let error = world.sqs_error("ChangeMessageVisibility", change(0));
    assert_eq!(error["__type"], "MessageNotInflight");
    assert_eq!(world.receive(&url).len(), 1);
}

#[test]
fn a_delayed_message_arrives_late() {
    let delayed = QueueDefinition::new("q").with_delay(Millis::seconds(5));
    let (mut world, url) = queue(Freedom::none(), delayed);
    world.send(&url, "default");
    let own = json!({ "QueueUrl": url, "MessageBody": "own", "DelaySeconds": 1 });
    world.sqs("SendMessage", own);

    assert!(world.receive(&url).is_empty());
    world.pass(Millis::seconds(1));
    assert_eq!(world.bodies(&url), ["own"]);
    world.pass(Millis::seconds(4));
    assert_eq!(world.bodies(&url), ["default"]);
}

#[test]
fn a_message_received_too_often_goes_to_the_dead_letters() {
    let mut world = World::new(Freedom::none());
    let dead_letters = world.services.add_queue(QueueDefinition::new("dead")).unwrap();
    let definition = QueueDefinition::new("q").with_redrive("dead", 2);
    let url = world.services.add_queue(definition).unwrap();
    world.send(&url, "poison");
    world.pass(Millis(1));
    world.send(&url, "good");
    for _ in 0..2 {
        assert!(world.bodies(&url).contains(&"poison".to_owned()));
        world.pass(Millis::seconds(30));
    }

    assert!(world.bodies(&url).is_empty());
    let dead = world.receive(&dead_letters);
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[0]["Attributes"]["ApproximateReceiveCount"], "3");
    assert_eq!(
        dead[0]["Attributes"]["DeadLetterQueueSourceArn"],
        "arn:aws:sqs:us-east-1:123456789012:q"
    );
    assert_eq!(dead[0]["Attributes"]["SentTimestamp"], "1800000000000");
}

#[test]
fn a_message_older_than_the_retention_is_gone() {
    let definition = QueueDefinition::new("q").with_retention(Millis::seconds(60));
    let (mut world, url) = queue(Freedom::none(), definition);
    world.send(&url, "hello");
    world.pass(Millis::seconds(60));
    assert!(world.receive(&url).is_empty());
    assert!(world.services.messages("q").is_empty());
}

#[test]
fn a_long_poll_ends_with_a_message_or_with_its_time() {
    let (mut world, url) = plain();
    let poll = json!({ "QueueUrl": url, "WaitTimeSeconds": 10 });
    let Called::CompletesAt(until, first) = world.start(SERVICE, "ReceiveMessage", &poll) else {
        panic!("the queue is empty");
    };
    assert_eq!(until, world.now + Millis::seconds(10));
    assert_eq!(world.services.next_event_at(), Some(until));

    world.pass(Millis::seconds(3));
    world.send(&url, "hello");
    assert_eq!(world.services.next_event_at(), Some(world.now));
    let ended = world.pass(Millis(0));
    assert_eq!((ended.len(), ended[0].0), (1, first));
    assert_eq!(ended[0].1.json()["Messages"][0]["Body"], "hello");

    world.start(SERVICE, "ReceiveMessage", &poll);
    let ended = world.pass(Millis::seconds(10));
    assert_eq!(ended[0].1.json(), json!({}));
}

#[test]
fn an_abandoned_poll_takes_no_message() {
    let (mut world, url) = plain();
    let poll = json!({ "QueueUrl": url, "WaitTimeSeconds": 10 });
    let Called::CompletesAt(_, call) = world.start(SERVICE, "ReceiveMessage", &poll) else {
        panic!("the queue is empty");
    };
    world.services.abandon(call);
    world.send(&url, "hello");

    assert!(world.pass(Millis(0)).is_empty());
    assert_eq!(world.bodies(&url), ["hello"]);
}

#[test]
fn a_standard_queue_reorders_and_repeats_as_drawn() {
    let freedom = Freedom { reorders: true, duplicates: Chance::percent(50), ..Freedom::none() };
    let (mut world, url) = queue(freedom, QueueDefinition::new("q"));
    for number in 0..20 {
        world.send(&url, &number.to_string());
    }
    let mut received = Vec::new();
    for _ in 0..29 {
        received.extend(world.bodies(&url));
        world.pass(Millis::seconds(1));
    }

    let numbers: Vec<u32> = received.iter().map(|body| body.parse().unwrap()).collect();
    assert!(!numbers.is_sorted());
    assert!(numbers.len() > 20, "{}", numbers.len());
    let all: std::collections::BTreeSet<u32> = numbers.into_iter().collect();
    assert_eq!(all.len(), 20);
}

#[test]
fn a_batch_has_a_result_for_each_entry() {
    let (mut world, url) = plain();
    let entry = |id: &str, body: &str| json!({ "Id": id, "MessageBody": body });
    let batch = |entries: Vec<Json>| json!({ "QueueUrl": url, "Entries": entries });

    let sent = world.sqs("SendMessageBatch", batch(vec![entry("a", "x"), entry("b", "\u{1}")]));
    assert_eq!(sent["Successful"][0]["Id"], "a");
    assert_eq!(sent["Failed"][0]["Code"], "InvalidMessageContents");
    let large = "x".repeat(600 * 1024);
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        ((0..11).map(|it| entry(&it.to_string(), "x")).collect(), "TooManyEntriesInBatchRequest"),
        (vec![entry("a", "x"), entry("a", "y")], "BatchEntryIdsNotDistinct"),
        (vec![entry("a b", "x")], "InvalidBatchEntryId"),
        (vec![entry("a", &large), entry("b", &large)], "BatchRequestTooLong"),
    ] {
        let response = world.response(SERVICE, "SendMessageBatch", &batch(entries));
        assert_eq!(response.json()["__type"], code);
        assert!(response.headers.iter().any(|(name, _)| *name == "x-amzn-query-error"));
    }
    let received = world.receive(&url);
    let handle =
        json!({ "Id": "1", "ReceiptHandle": received[0]["ReceiptHandle"], "VisibilityTimeout": 0 });
    let wrong = json!({ "Id": "2", "ReceiptHandle": "x", "VisibilityTimeout": 0 });
    let changed = world.sqs("ChangeMessageVisibilityBatch", batch(vec![handle, wrong]));
    assert_eq!(changed["Successful"][0]["Id"], "1");
    assert_eq!(changed["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    let received = world.receive(&url);
    let handle = json!({ "Id": "1", "ReceiptHandle": received[0]["ReceiptHandle"] });
    world.sqs("DeleteMessageBatch", batch(vec![handle]));
    assert!(world.services.messages("q").is_empty());
}

#[test]
fn some_entries_of_a_batch_fail_as_drawn_although_they_are_valid() {
    let freedom = Freedom { failed_entries: Chance::percent(50), ..Freedom::none() };
    let (mut world, url) = queue(freedom, QueueDefinition::new("q"));
    let (mut sent, mut failed) = (0, 0);
    for _ in 0..20 {
        let entries = ["a", "b", "c"].map(|id| json!({ "Id": id, "MessageBody": "x" }));
        let batch = json!({ "QueueUrl": url, "Entries": entries });
        let answer = world.sqs("SendMessageBatch", batch);
        sent += answer["Successful"].as_array().unwrap().len();
        for refused in answer["Failed"].as_array().into_iter().flatten() {
            assert_eq!(
                (&refused["Code"], &refused["SenderFault"]),
                (&json!("InternalError"), &json!(false))
            );
            failed += 1;
        }
    }
    assert_eq!((sent + failed, world.services.messages("q").len()), (60, sent));
    assert!(sent > 10 && failed > 10, "{sent} {failed}");
}

#[test]
fn an_invalid_message_is_an_error_with_its_code() {
    let (mut world, url) = plain();
    let attribute =
        |kind: &str, value: &str| json!({ "a": { "DataType": kind, "StringValue": value } });
    let long = "x".repeat(1024 * 1024 + 1);
    for (members, code) in [
        (json!({ "MessageBody": "" }), "MissingParameter"),
        (json!({ "MessageBody": "\u{ffff}" }), "InvalidMessageContents"),
        (json!({ "MessageBody": long }), "InvalidParameterValue"),
        (json!({ "MessageBody": "x", "DelaySeconds": 901 }), "InvalidParameterValue"),
        (json!({ "MessageBody": "x", "MessageDeduplicationId": "1" }), "InvalidParameterValue"),
        (
            json!({ "MessageBody": "x", "MessageAttributes": attribute("Text", "x") }),
            "InvalidParameterValue",
        ),
        (
            json!({ "MessageBody": "x", "MessageAttributes": attribute("String", "") }),
            "InvalidParameterValue",
        ),
    ] {
        let mut request = members;
        request["QueueUrl"] = json!(url);
        assert_eq!(world.sqs_error("SendMessage", request)["__type"], code);
    }
    let none = json!({ "QueueUrl": "https://example.com/1/none", "MessageBody": "x" });
    assert_eq!(world.sqs_error("SendMessage", none)["__type"], "QueueDoesNotExist");
    for (member, value) in
        [("MaxNumberOfMessages", 11), ("WaitTimeSeconds", 21), ("VisibilityTimeout", 43_201)]
    {
        let mut request = json!({ "QueueUrl": url });
        request[member] = json!(value);
        assert_eq!(world.sqs_error("ReceiveMessage", request)["__type"], "InvalidParameterValue");
    }
}

#[test]
fn attributes_of_a_message_come_with_it() {
    let (mut world, url) = plain();
    let reason = json!({ "reason": { "DataType": "String", "StringValue": "why" } });
    let sent = world.sqs(
        "SendMessage",
        json!({ "QueueUrl": url, "MessageBody": "x", "MessageAttributes": reason }),
    );
    let receive = json!({ "QueueUrl": url, "MessageAttributeNames": ["All"] });

    let received = world.sqs("ReceiveMessage", receive)["Messages"][0].clone();

    assert_eq!(received["MessageAttributes"], reason);
    assert_eq!(received["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
}

#[test]
fn the_attributes_of_a_queue_count_its_messages() {
    let (mut world, url) = plain();
    for body in ["a", "b", "c"] {
        world.send(&url, body);
    }
    world.sqs("SendMessage", json!({ "QueueUrl": url, "MessageBody": "d", "DelaySeconds": 9 }));
    world.sqs("ReceiveMessage", json!({ "QueueUrl": url }));

    let all =
        world.sqs("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] }));

    let all = &all["Attributes"];
    assert_eq!(all["ApproximateNumberOfMessages"], "2");
    assert_eq!(all["ApproximateNumberOfMessagesNotVisible"], "1");
    assert_eq!(all["ApproximateNumberOfMessagesDelayed"], "1");
    assert_eq!(all["QueueArn"], "arn:aws:sqs:us-east-1:123456789012:q");
}

#[test]
fn a_queue_with_too_many_messages_in_flight_delivers_no_more() {
    let (mut world, url) = queue(Freedom::none(), QueueDefinition::new("q").with_in_flight_max(2));
    for body in ["a", "b", "c"] {
        world.send(&url, body);
    }
    let received = world.receive(&url);
    assert_eq!(received.len(), 2);

    let short = json!({ "QueueUrl": url });
    assert_eq!(world.sqs_error("ReceiveMessage", short)["__type"], "OverLimit");
    let long = json!({ "QueueUrl": url, "WaitTimeSeconds": 5 });
    assert!(matches!(world.start(SERVICE, "ReceiveMessage", &long), Called::CompletesAt(..)));
    world.delete(&url, &received[0]);
    let ended = world.pass(Millis(0));
    assert_eq!(ended[0].1.json()["Messages"][0]["Body"], "c");
}

#[test]
fn a_deleted_message_may_come_again() {
    let freedom = Freedom { undeleted: Chance::ALWAYS, ..Freedom::none() };
    let (mut world, url) = queue(freedom, QueueDefinition::new("q"));
    world.send(&url, "hello");
    let received = world.receive(&url);
    world.delete(&url, &received[0]);
    world.pass(Millis::seconds(30));
    assert_eq!(world.bodies(&url), ["hello"]);
}
