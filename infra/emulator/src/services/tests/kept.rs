//! Tests of messages and mails in a data directory: each starts stores a second time.

use std::path::PathBuf;

use aws_sdk_sqs::types::MessageAttributeValue;

use super::*;

/// A data directory. It is deleted when this is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("local-stores-{}", uuid::Uuid::new_v4())))
    }

    async fn start(&self) -> Stores {
        Stores::start(&template(), Some(&self.0)).await.unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // If it was never created, there is nothing to delete.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Sends as an operator, in a group if it has a name. Returns the message's id.
async fn send(stores: &Stores, queue: &str, body: &str, group: Option<&str>) -> String {
    let queues = Clients::with_key(stores, "operator").queues;
    let url = &stores.names().queue(queue).unwrap().url;
    let message = queues.send_message().queue_url(url).message_body(body);
    let sent = message.set_message_group_id(group.map(ToOwned::to_owned)).send().await;
    sent.unwrap().message_id.unwrap()
}

/// Receives up to ten messages at once.
async fn receive(stores: &Stores, queue: &str) -> Vec<ReceivedMessage> {
    stores.receive(stores.names().queue(queue).unwrap(), 10, 0).await.unwrap()
}

async fn delete(stores: &Stores, queue: &str, message: &ReceivedMessage) {
    let queue = stores.names().queue(queue).unwrap();
    stores.delete(queue, &[&message.receipt_handle]).await.unwrap();
}

fn bodies(messages: &[ReceivedMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

async fn report(stores: &Stores, queue: &str) -> QueueReport {
    let reports = stores.queues().await.unwrap();
    reports.into_iter().find(|report| report.queue == queue).unwrap()
}

#[tokio::test]
async fn a_message_has_its_id_attributes_and_times_after_a_restart() {
    let directory = Directory::new();
    let stores = directory.start().await;
    let queues = Clients::with_key(&stores, "operator").queues;
    let url = &stores.names().queue("NewsQueue").unwrap().url;
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("v").build();
    let short = queues.send_message().queue_url(url).message_body("short");
    let short = short.message_attributes("a", attribute.unwrap()).send().await.unwrap();
    let long_body = "ä".repeat(200_000);
    let long = send(&stores, "NewsQueue", &long_body, None).await;
    let sent_by_ms = jiff::Timestamp::now().as_millisecond();
    drop(stores);

    let stores = directory.start().await;
    let entries = report(&stores, "NewsQueue").await.messages;
    assert_eq!(entries[0].message_id, short.message_id.clone().unwrap());
    assert!(entries[0].sent_at.as_millisecond() <= sent_by_ms);
    let received = receive(&stores, "NewsQueue").await;

    assert_eq!(received.len(), 2);
    assert_eq!(Some(&received[0].message_id), short.message_id.as_ref());
    assert_eq!(Some(&received[0].md5_of_body), short.md5_of_message_body.as_ref());
    assert_eq!(received[0].message_attributes["a"]["StringValue"], "v");
    assert_eq!(received[0].attributes["ApproximateReceiveCount"], "1");
    let sent_ms: i64 = received[0].attributes["SentTimestamp"].as_str().unwrap().parse().unwrap();
    assert!(sent_ms <= sent_by_ms, "{sent_ms}");
    assert_eq!(received[1].message_id, long);
    assert!(received[1].body == long_body, "it is received unchanged");
}

#[tokio::test]
async fn a_deleted_message_stays_deleted_a_received_one_becomes_visible() {
    let directory = Directory::new();
    let stores = directory.start().await;
    for body in ["deleted", "received", "new"] {
        send(&stores, "NewsQueue", body, None).await;
    }
    let queue = stores.names().queue("NewsQueue").unwrap().clone();
    let received = stores.receive(&queue, 2, 0).await.unwrap();
    delete(&stores, "NewsQueue", &received[0]).await;
    let received_by_ms = jiff::Timestamp::now().as_millisecond();
    drop(stores);

    for receive_count in [2, 3] {
        let stores = directory.start().await;
        let report = report(&stores, "NewsQueue").await;
        assert_eq!((report.visible, report.in_flight), (2, 0));
        assert_eq!(report.messages[0].receive_count, receive_count - 1);

        let received = receive(&stores, "NewsQueue").await;

        assert_eq!(bodies(&received), ["received", "new"]);
        let attributes = &received[0].attributes;
        assert_eq!(attributes["ApproximateReceiveCount"], receive_count.to_string());
        let first = attributes["ApproximateFirstReceiveTimestamp"].as_str().unwrap();
        let first_ms: i64 = first.parse().unwrap();
        assert!(first_ms <= received_by_ms, "{first_ms} after {received_by_ms}");
        assert_eq!(
            received[1].attributes["ApproximateReceiveCount"],
            (receive_count - 1).to_string()
        );
    }

    let stores = directory.start().await;
    for message in receive(&stores, "NewsQueue").await {
        delete(&stores, "NewsQueue", &message).await;
    }
    drop(stores);
    let stores = directory.start().await;
    assert!(receive(&stores, "NewsQueue").await.is_empty());
}

#[tokio::test]
async fn a_fifo_queue_keeps_its_order_and_recognises_repetitions_after_a_restart() {
    let directory = Directory::new();
    let stores = directory.start().await;
    let mut sent = Vec::new();
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")] {
        sent.push(send(&stores, "LedgersQueue", body, Some(group)).await);
    }
    let queue = stores.names().queue("LedgersQueue").unwrap().clone();
    let received = stores.receive(&queue, 2, 0).await.unwrap();
    assert_eq!(bodies(&received), ["a1", "a2"]);
    let received = receive(&stores, "LedgersQueue").await;
    assert_eq!(bodies(&received), ["b1"], "the group a has messages in flight");
    delete(&stores, "LedgersQueue", &received[0]).await;
    drop(stores);

    let stores = directory.start().await;
    assert_eq!(send(&stores, "LedgersQueue", "b1", Some("b")).await, sent[2], "it is a repetition");
    assert_eq!(send(&stores, "LedgersQueue", "a2", Some("a")).await, sent[1], "it is a repetition");
    assert_eq!(report(&stores, "LedgersQueue").await.messages.len(), 3);
    send(&stores, "LedgersQueue", "a4", Some("a")).await;

    let received = receive(&stores, "LedgersQueue").await;
    assert_eq!(bodies(&received), ["a1", "a2", "a3", "a4"]);
    for (message, count) in received.iter().zip(["2", "2", "1", "1"]) {
        assert_eq!(message.attributes["MessageGroupId"], "a");
        assert_eq!(message.attributes["ApproximateReceiveCount"], count);
        delete(&stores, "LedgersQueue", message).await;
    }
    drop(stores);

    let stores = directory.start().await;
    assert_eq!(send(&stores, "LedgersQueue", "a1", Some("a")).await, sent[0], "it is a repetition");
    assert!(receive(&stores, "LedgersQueue").await.is_empty());
}

#[tokio::test]
async fn a_delayed_message_waits_for_the_rest_of_its_delay_after_a_restart() {
    let directory = Directory::new();
    let stores = directory.start().await;
    let queues = Clients::with_key(&stores, "operator").queues;
    let url = &stores.names().queue("NewsQueue").unwrap().url;
    let begun = Instant::now();
    let late = queues.send_message().queue_url(url).message_body("late").delay_seconds(3);
    late.send().await.unwrap();
    drop(stores);

    let stores = directory.start().await;
    assert_eq!(report(&stores, "NewsQueue").await.delayed, 1);
    let queue = stores.names().queue("NewsQueue").unwrap();
    let received = stores.receive(queue, 1, 20).await.unwrap();
    assert_eq!(bodies(&received), ["late"]);
    let waited = begun.elapsed();
    assert!(
        (Duration::from_millis(2_900)..Duration::from_secs(15)).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test]
async fn a_dead_letter_stays_one_and_a_last_receive_makes_one() {
    let directory = Directory::new();
    let stores = directory.start().await;
    let id = send(&stores, "EmailsQueue", "poison", None).await;
    // The queue's maxReceiveCount is 1.
    assert_eq!(receive(&stores, "EmailsQueue").await.len(), 1);
    drop(stores);

    for receive_count in ["1", "2"] {
        let stores = directory.start().await;
        assert!(receive(&stores, "EmailsQueue").await.is_empty());
        let shown = report(&stores, "EmailsDeadLetterQueue").await.messages;
        assert_eq!(shown.len(), 1);
        let received = receive(&stores, "EmailsDeadLetterQueue").await;
        assert_eq!((received.len(), &received[0].message_id), (1, &id));
        let attributes = &received[0].attributes;
        assert_eq!(attributes["ApproximateReceiveCount"], receive_count);
        let source = &stores.names().queue("EmailsQueue").unwrap().arn;
        assert_eq!(attributes["DeadLetterQueueSourceArn"], json!(source));
    }
}

#[tokio::test]
async fn a_message_of_a_standard_queue_keeps_its_group_after_a_restart() {
    let directory = Directory::new();
    let stores = directory.start().await;
    send(&stores, "NewsQueue", "first", Some("one")).await;
    send(&stores, "NewsQueue", "second", Some("one")).await;
    let queue = stores.names().queue("NewsQueue").unwrap().clone();
    let received = stores.receive(&queue, 1, 0).await.unwrap();
    assert_eq!(bodies(&received), ["first"]);
    drop(stores);

    let stores = directory.start().await;
    let received = receive(&stores, "NewsQueue").await;
    assert_eq!(bodies(&received), ["first", "second"]);
    assert!(received.iter().all(|message| message.attributes["MessageGroupId"] == "one"));
    assert_eq!(received[0].attributes["ApproximateReceiveCount"], "2");
    assert_eq!(received[1].attributes["ApproximateReceiveCount"], "1", "it was only held");
}

#[tokio::test]
async fn a_message_older_than_the_retention_period_is_deleted_at_a_restart() {
    let directory = Directory::new();
    drop(directory.start().await);
    let day_ms = 24 * 60 * 60 * 1000;
    let line = |id: &str, queue: &str, days: i64| {
        let sent_at_ms = jiff::Timestamp::now().as_millisecond() - days * day_ms;
        let message = json!({ "sent": {
            "id": id, "queue": queue, "body": id, "sentAtMs": sent_at_ms, "receiveCount": 0,
        } });
        format!("{message}\n")
    };
    // By default, a queue retains messages for four days.
    let lines = [
        line("old", "local-NewsQueue", 5),
        line("young", "local-NewsQueue", 3),
        line("removed", "local-RemovedQueue", 13),
        line("old removed", "local-RemovedQueue", 15),
    ];
    let file = directory.0.join("queues.jsonl");
    std::fs::write(&file, lines.concat() + "{\"sent\": {\"id").unwrap();

    let stores = directory.start().await;
    assert_eq!(bodies(&receive(&stores, "NewsQueue").await), ["young"]);
    drop(stores);

    drop(directory.start().await);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("\"young\"") && kept.contains("\"removed\""), "{kept}");
    assert!(!kept.contains("\"old"), "{kept}");
}

#[tokio::test]
async fn mails_are_kept_until_the_mailbox_is_emptied() {
    let directory = Directory::new();
    let stores = directory.start().await;
    let text = |text: &str| Content::builder().data(text).build().unwrap();
    for subject in ["first", "second"] {
        let body = Body::builder().text(text("Hello!")).build();
        let message = Message::builder().subject(text(subject)).body(body).build();
        let mail = Clients::of(&stores, "GetUserFunction").mail.send_email();
        let mail = mail.from_email_address("shop@example.com");
        let mail = mail.destination(Destination::builder().to_addresses("a@example.com").build());
        mail.content(EmailContent::builder().simple(message).build()).send().await.unwrap();
    }
    let sent = stores.mailbox().mails(None);
    assert_eq!(sent.len(), 2);
    drop(stores);

    let stores = directory.start().await;
    assert_eq!(stores.mailbox().mails(None), sent);
    stores.mailbox().empty();
    drop(stores);

    let stores = directory.start().await;
    assert!(stores.mailbox().mails(None).is_empty());
}

#[tokio::test]
async fn after_an_error_of_the_disk_a_send_and_a_mail_are_500() {
    let directory = Directory::new();
    let stores = directory.start().await;
    let file = directory.0.join("queues.jsonl");
    let noted = stores.door.failure.note(&file, &std::io::Error::other("no space left"));

    assert_eq!(stores.data_error().await, noted);
    assert!(noted.to_string().ends_with("queues.jsonl cannot be written: no space left"));
    let clients = Clients::of(&stores, "GetUserFunction");
    let url = &stores.names().queue("NewsQueue").unwrap().url;
    let sent = clients.queues.send_message().queue_url(url).message_body("lost").send().await;
    assert_eq!(sent.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    let text = Content::builder().data("lost").build().unwrap();
    let message = Message::builder().subject(text.clone());
    let message = message.body(Body::builder().text(text).build()).build();
    let mail = clients.mail.send_email().from_email_address("shop@example.com");
    let mail = mail.destination(Destination::builder().to_addresses("a@example.com").build());
    let sent = mail.content(EmailContent::builder().simple(message).build()).send().await;
    assert_eq!(sent.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    assert!(stores.mailbox().mails(None).is_empty());
}

#[tokio::test]
async fn an_unreadable_file_is_an_error_with_its_line() {
    let directory = Directory::new();
    drop(directory.start().await);
    std::fs::write(directory.0.join("queues.jsonl"), "{}\n").unwrap();
    let error = Stores::start(&template(), Some(&directory.0)).await.err().unwrap().to_string();
    assert!(error.starts_with("the data cannot be kept in /"), "{error}");
    assert!(error.contains("queues.jsonl, line 1: "), "{error}");
}

#[tokio::test]
async fn stream_records_in_a_data_directory_end_after_a_day() {
    let directory = Directory::new();
    let records_after_write = |stores: &Stores, pk: &str| {
        let item = json!({"pk": {"S": pk}, "sk": {"S": "a"}});
        stores.put_item("OutboxTable", &item).unwrap();
        let table = stores.names().table("OutboxTable").unwrap();
        stores.records(table, &StreamPosition::TrimHorizon, 10).unwrap().len()
    };
    let stores = directory.start().await;
    assert_eq!(records_after_write(&stores, "1"), 1);
    assert_eq!(records_after_write(&stores, "2"), 2);
    drop(stores);
    let file = directory.0.join("tables.sqlite");
    let tables = dynoxide::storage::Storage::new(&file.to_string_lossy()).unwrap();
    let older = "UPDATE _stream_records SET created_at = created_at - 25 * 60 * 60;
        UPDATE sqlite_sequence SET seq = 2000 WHERE name = '_stream_records';";
    tables.conn().execute_batch(older).unwrap();
    drop(tables);

    let stores = directory.start().await;

    assert_eq!(records_after_write(&stores, "3"), 1);
}
