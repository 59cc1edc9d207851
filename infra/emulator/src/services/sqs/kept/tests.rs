use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;

/// A call that succeeds, with its response.
fn call(messages: &mut Messages, operation: &str, input: Value, answer: Value, at_ms: i64) {
    for line in lines(operation, &input, &answer, at_ms) {
        messages.add(line);
    }
}

fn send(messages: &mut Messages, queue: &str, id: &str, at_ms: i64) {
    let input = json!({ "QueueUrl": format!("http://127.0.0.1/0/{queue}"), "MessageBody": "b" });
    call(messages, "SendMessage", input, json!({ "MessageId": id }), at_ms);
}

fn receive(messages: &mut Messages, queue: &str, id: &str, at_ms: i64) {
    let answer = json!({ "Messages": [{ "MessageId": id }] });
    let input = json!({ "QueueUrl": format!("http://127.0.0.1/0/{queue}") });
    call(messages, "ReceiveMessage", input, answer, at_ms);
}

fn delete(messages: &mut Messages, queue: &str, id: &str) {
    let handle = STANDARD.encode(format!("{id}:0:0"));
    let input =
        json!({ "QueueUrl": format!("http://127.0.0.1/0/{queue}"), "ReceiptHandle": handle });
    call(messages, "DeleteMessage", input, json!({}), 0);
}

fn ids(messages: &Messages) -> Vec<&str> {
    messages.all().map(|message| message.id.as_str()).collect()
}

/// The state of the next run, by the rewritten file's lines.
fn reread(messages: &Messages) -> Messages {
    let mut next = Messages::default();
    for line in messages.lines() {
        let line = serde_json::to_string(&line).unwrap();
        next.add(serde_json::from_str(&line).unwrap());
    }
    next
}

#[test]
fn sent_messages_are_kept_in_order_with_their_fields() {
    let mut messages = Messages::default();
    let attributes = json!({ "a": { "DataType": "String", "StringValue": "v" } });
    let batch = json!({ "QueueUrl": "http://127.0.0.1:1/0/news", "Entries": [
        { "Id": "x", "MessageBody": "one", "MessageAttributes": attributes, "DelaySeconds": 7 },
        { "Id": "y", "MessageBody": "two", "MessageGroupId": "g" },
        { "Id": "z", "MessageBody": "three" },
    ] });
    let answer = json!({
        "Successful": [{ "Id": "x", "MessageId": "1" }, { "Id": "y", "MessageId": "2" }],
        "Failed": [{ "Id": "z" }],
    });
    call(&mut messages, "SendMessageBatch", batch, answer, 5);

    let next = reread(&messages);

    let [one, two] = next.all().collect::<Vec<_>>()[..] else { panic!("{next:?}") };
    assert_eq!((one.id.as_str(), one.queue.as_str(), one.body.as_str()), ("1", "news", "one"));
    assert_eq!((&one.attributes, one.delay_s, one.sent_at_ms), (&attributes, Some(7), 5));
    assert_eq!((two.group.as_deref(), two.delay_s), (Some("g"), None));
    assert_eq!((&two.deduplication_id, two.receive_count), (&None, 0));
}

#[test]
fn receives_are_counted_and_deleted_or_purged_messages_are_gone() {
    let mut messages = Messages::default();
    for id in ["1", "2", "3"] {
        send(&mut messages, "news", id, 5);
    }
    send(&mut messages, "other", "4", 5);
    receive(&mut messages, "news", "2", 6);
    receive(&mut messages, "news", "2", 7);
    receive(&mut messages, "news", "unknown", 7);
    delete(&mut messages, "news", "1");

    let mut next = reread(&messages);
    assert_eq!(ids(&next), ["2", "3", "4"]);
    let received = next.all().next().unwrap();
    assert_eq!((received.receive_count, received.first_received_at_ms), (2, Some(6)));

    let purge = json!({ "QueueUrl": "http://127.0.0.1/0/news" });
    call(&mut next, "PurgeQueue", purge, json!({}), 8);
    send(&mut next, "news", "5", 9);
    assert_eq!(ids(&reread(&next)), ["4", "5"]);
}

#[test]
fn only_the_successful_deletions_of_a_batch_are_kept() {
    let mut messages = Messages::default();
    let entry =
        |id: &str| json!({ "Id": id, "ReceiptHandle": STANDARD.encode(format!("{id}:0:0")) });
    for id in ["1", "2"] {
        send(&mut messages, "news", id, 5);
    }
    let url = "http://127.0.0.1/0/news";
    let batch = json!({ "QueueUrl": url, "Entries": [entry("1"), entry("2")] });
    let answer = json!({ "Successful": [{ "Id": "1" }], "Failed": [{ "Id": "2" }] });
    call(&mut messages, "DeleteMessageBatch", batch, answer, 6);
    assert_eq!(ids(&reread(&messages)), ["2"]);
}

#[test]
fn a_message_received_from_another_queue_is_a_dead_letter_there() {
    let mut messages = Messages::default();
    send(&mut messages, "work.fifo", "1", 5);
    receive(&mut messages, "work.fifo", "1", 6);
    receive(&mut messages, "work.fifo", "1", 7);
    receive(&mut messages, "dead.fifo", "1", 8);

    let next = reread(&messages);

    let message = next.all().next().unwrap();
    assert_eq!(message.queue, "dead.fifo");
    assert_eq!(message.dead_letter_source.as_deref(), Some("work.fifo"));
    assert_eq!((message.receive_count, message.first_received_at_ms), (1, Some(8)));
    assert_eq!(message.deduplication_id.as_deref(), Some("1"));
}

#[test]
fn a_repeated_send_adds_no_message_even_after_the_deletion_of_the_first() {
    let mut messages = Messages::default();
    send(&mut messages, "work.fifo", "1", 5);
    send(&mut messages, "work.fifo", "1", 6);
    assert_eq!(ids(&messages), ["1"]);
    delete(&mut messages, "work.fifo", "1");

    let mut next = reread(&messages);
    send(&mut next, "work.fifo", "1", 7);

    assert_eq!(ids(&next), Vec::<&str>::new());
    let first_sends = next.first_sends(7);
    assert_eq!((first_sends.len(), first_sends[0].at_ms), (1, 5));
    assert!(next.first_sends(5 + DEDUPLICATION_MS).is_empty());
}

#[test]
fn a_fifo_message_without_a_deduplication_id_has_the_hash_of_its_body() {
    let mut messages = Messages::default();
    send(&mut messages, "work.fifo", "1", 5);
    let input = json!({
        "QueueUrl": "http://127.0.0.1/0/work.fifo", "MessageBody": "b",
        "MessageGroupId": "g", "MessageDeduplicationId": "d",
    });
    call(&mut messages, "SendMessage", input, json!({ "MessageId": "2" }), 6);

    let [hashed, given] = messages.all().collect::<Vec<_>>()[..] else { panic!("{messages:?}") };
    let hash = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";
    assert_eq!(hashed.deduplication_id.as_deref(), Some(hash));
    assert_eq!(given.deduplication_id.as_deref(), Some("d"));
}

#[test]
fn first_sends_older_than_the_interval_are_not_written_again() {
    let mut messages = Messages::default();
    send(&mut messages, "work.fifo", "1", 5);
    delete(&mut messages, "work.fifo", "1");
    assert_eq!(messages.lines().len(), 1);
    send(&mut messages, "work.fifo", "2", 5 + DEDUPLICATION_MS);
    delete(&mut messages, "work.fifo", "2");
    assert_eq!(messages.lines().len(), 1);
}
