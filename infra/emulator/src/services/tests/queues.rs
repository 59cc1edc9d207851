//! Tests of queues: their reports, limits, fairness and time.

use super::*;

#[tokio::test]
async fn messages_are_shown_without_receiving_them() {
    let stores = stores().await;
    let queue = stores.names().queue("EmailsQueue").unwrap();
    stores.send(queue, "first").await.unwrap();
    stores.send(queue, "second").await.unwrap();

    let bodies = |report: &QueueReport| {
        report.messages.iter().map(|message| message.body.clone()).collect::<Vec<_>>()
    };
    let report = |reports: Vec<QueueReport>, name: &str| {
        reports.into_iter().find(|report| report.queue == name).unwrap()
    };
    let emails = report(stores.queues().await.unwrap(), "EmailsQueue");
    assert_eq!((emails.visible, emails.in_flight), (2, 0));
    assert_eq!(emails.dead_letter_queue.as_deref(), Some("EmailsDeadLetterQueue"));
    assert_eq!(bodies(&emails), ["first", "second"]);

    let received = stores.receive(queue, 1, 0).await.unwrap();
    assert_eq!(received[0].attributes["ApproximateReceiveCount"], "1");
    stores.delete(queue, &[&received[0].receipt_handle]).await.unwrap();
    let emails = report(stores.queues().await.unwrap(), "EmailsQueue");
    assert_eq!(bodies(&emails), ["second"]);

    // The queue's maxReceiveCount is 1 and its visibility timeout 1 s.
    stores.receive(queue, 1, 0).await.unwrap();
    pass(&stores, 1).await;
    assert!(stores.receive(queue, 1, 0).await.unwrap().is_empty());
    let reports = stores.queues().await.unwrap();
    assert_eq!(bodies(&report(reports.clone(), "EmailsDeadLetterQueue")), ["second"]);
    assert!(bodies(&report(reports, "EmailsQueue")).is_empty());
}

#[tokio::test]
async fn a_message_or_batch_above_one_mebibyte_is_rejected() {
    let stores = stores().await;
    let queues = Clients::of(&stores, "GetUserFunction").queues;
    let queue = stores.names().queue("EmailsQueue").unwrap();
    let text = |text: &str| {
        let attribute = aws_sdk_sqs::types::MessageAttributeValue::builder();
        attribute.data_type("String").string_value(text).build().unwrap()
    };
    let body = |bytes: usize| "ä".repeat(bytes / 2);
    let send = |body: String| {
        let message = queues.send_message().queue_url(&queue.url).message_body(body);
        message.message_attributes("traceparent", text("00-1-2-01")).send()
    };
    let beside = "traceparentString00-1-2-01".len();
    let mebibyte = 1_048_576;
    send(body(mebibyte - beside)).await.unwrap();
    let refused = send(body(mebibyte - beside) + "xx").await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("InvalidParameterValue"), "{refused:?}");

    let received = stores.receive(queue, 10, 0).await.unwrap();
    assert_eq!(received.len(), 1);
    assert!(received[0].body == body(mebibyte - beside), "it is received unchanged");
    let attributes = serde_json::to_value(&received[0].message_attributes).unwrap();
    assert_eq!(attributes.as_object().unwrap().len(), 1, "{attributes}");
    assert_eq!(attributes["traceparent"]["StringValue"], "00-1-2-01");
    stores.delete(queue, &[&received[0].receipt_handle]).await.unwrap();

    let batch = |each: usize| {
        let entry = |id: &str| {
            let entry = aws_sdk_sqs::types::SendMessageBatchRequestEntry::builder();
            entry.id(id).message_body(body(each)).build().unwrap()
        };
        let batch = queues.send_message_batch().queue_url(&queue.url);
        batch.entries(entry("a")).entries(entry("b")).send()
    };
    assert_eq!(batch(mebibyte / 2).await.unwrap().successful.len(), 2);
    let refused = batch(mebibyte / 2 + 2).await.unwrap_err().into_service_error();
    let code = refused.meta().code().unwrap_or_default().to_owned();
    assert!(code.ends_with("BatchRequestTooLong"), "{code}");
}

#[tokio::test]
async fn a_queue_rejects_messages_above_its_own_size() {
    let stores = stores().await;
    let queues = Clients::with_key(&stores, "operator").queues;
    let queue = stores.names().queue("MailEventsQueue").unwrap();
    let send = |bytes: usize| {
        queues.send_message().queue_url(&queue.url).message_body("x".repeat(bytes)).send()
    };

    send(2048).await.unwrap();
    let refused = send(2049).await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("InvalidParameterValue"), "{refused:?}");
    let message = refused.meta().message().unwrap_or_default();
    assert!(message.contains("shorter than 2048 bytes"), "{message}");
    let asked = queues.get_queue_attributes().queue_url(&queue.url);
    let name = aws_sdk_sqs::types::QueueAttributeName::MaximumMessageSize;
    let attributes = asked.attribute_names(name.clone()).send().await.unwrap().attributes.unwrap();
    assert_eq!(attributes[&name], "2048");
}

#[tokio::test]
async fn a_group_with_many_messages_in_flight_does_not_delay_other_groups() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");
    let queue = stores.names().queue("NewsQueue").unwrap();
    let send = async |group: &str, count: usize| {
        for number in 0..count {
            let message = clients.queues.send_message().queue_url(&queue.url);
            let message = message.message_body(format!("{group} {number}"));
            message.message_group_id(group).send().await.unwrap();
        }
    };
    send("loud", 60).await;
    for _ in 0..3 {
        assert_eq!(stores.receive(queue, 10, 0).await.unwrap().len(), 10);
    }
    send("quiet", 1).await;
    let report = stores.queues().await.unwrap();
    let report = report.into_iter().find(|report| report.queue == "NewsQueue").unwrap();
    assert_eq!((report.visible, report.in_flight), (31, 30));

    let received = stores.receive(queue, 1, 0).await.unwrap();

    assert_eq!(received[0].body, "quiet 0");
    assert_eq!(received[0].attributes["MessageGroupId"], "quiet");
    assert_eq!(received[0].attributes["ApproximateReceiveCount"], "1");
}

#[tokio::test]
async fn a_grouped_message_returns_after_its_visibility_timeout() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");
    let queue = stores.names().queue("NewsQueue").unwrap();
    let send = |body: &str| {
        let message = clients.queues.send_message().queue_url(&queue.url).message_body(body);
        message.message_group_id("one").send()
    };
    send("first").await.unwrap();
    let first = stores.receive(queue, 1, 0).await.unwrap();
    stores.delete(queue, &[&first[0].receipt_handle]).await.unwrap();

    let begun = Instant::now();
    let (received, sent) = tokio::join!(stores.receive(queue, 1, 20), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        send("second").await
    });
    sent.unwrap();
    assert_eq!(received.unwrap()[0].body, "second");
    assert!(begun.elapsed() < Duration::from_millis(800), "{:?}", begun.elapsed());

    // Its visibility timeout is two seconds.
    assert!(stores.receive(queue, 1, 0).await.unwrap().is_empty());
    pass(&stores, 2).await;
    let again = stores.receive(queue, 1, 20).await.unwrap();
    assert_eq!(again[0].body, "second");
    assert_eq!(again[0].attributes["ApproximateReceiveCount"], "2");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

async fn report(stores: &Stores, queue: &str) -> QueueReport {
    let reports = stores.queues().await.unwrap();
    reports.into_iter().find(|report| report.queue == queue).unwrap()
}

/// When a message was sent, in milliseconds.
fn sent_ms(message: &ReceivedMessage) -> i64 {
    message.attributes["SentTimestamp"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_delayed_message_is_received_after_the_clock_has_passed_its_delay() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");
    let queue = stores.names().queue("EmailsQueue").unwrap();
    let send = async |body: &str, delay_s: i32| {
        let message = clients.queues.send_message().queue_url(&queue.url).message_body(body);
        message.delay_seconds(delay_s).send().await.unwrap();
    };
    let counts = async || {
        let report = report(&stores, "EmailsQueue").await;
        (report.visible, report.in_flight, report.delayed)
    };
    send("late", 900).await;
    pass(&stores, 890).await;
    assert_eq!(counts().await, (0, 0, 1));
    assert!(stores.receive(queue, 1, 0).await.unwrap().is_empty());

    pass(&stores, 10).await;
    assert_eq!(counts().await, (1, 0, 0));
    send("soon", 0).await;
    let received = stores.receive(queue, 10, 0).await.unwrap();
    assert_eq!((received[0].body.as_str(), received[1].body.as_str()), ("late", "soon"));
    assert_eq!(counts().await, (0, 2, 0));
    let apart_s = (sent_ms(&received[1]) - sent_ms(&received[0])) / 1000;
    assert!((900..910).contains(&apart_s), "sent {apart_s} s later by the platform's clock");
}

#[tokio::test]
async fn a_waiting_receive_gets_a_message_when_the_clock_passes_its_delay() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");
    let queue = stores.names().queue("EmailsQueue").unwrap();
    let message = clients.queues.send_message().queue_url(&queue.url).message_body("late");
    message.delay_seconds(15).send().await.unwrap();

    let begun = Instant::now();
    let (received, ()) = tokio::join!(stores.receive(queue, 1, 20), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        pass(&stores, 15).await;
    });

    assert_eq!(received.unwrap()[0].body, "late");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn visibility_and_deduplication_of_a_fifo_queue_follow_the_clock() {
    let stores = stores().await;
    let clients = Clients::with_key(&stores, "operator");
    let queue = stores.names().queue("LedgersQueue").unwrap();
    let send = async |body: &str| {
        let message = clients.queues.send_message().queue_url(&queue.url).message_body(body);
        message.message_group_id("one").send().await.unwrap().message_id.unwrap()
    };
    let first = send("first").await;
    send("second").await;
    assert_eq!(stores.receive(queue, 1, 0).await.unwrap()[0].message_id, first);

    // Its visibility timeout is six seconds, and the group waits for its first message.
    assert!(stores.receive(queue, 1, 0).await.unwrap().is_empty());
    pass(&stores, 6).await;
    let again = stores.receive(queue, 1, 0).await.unwrap();
    assert_eq!(again[0].message_id, first);
    assert_eq!(again[0].attributes["ApproximateReceiveCount"], "2");

    assert_eq!(send("first").await, first, "it is a repetition for five minutes");
    pass(&stores, 300).await;
    assert_ne!(send("first").await, first);
}

#[tokio::test]
async fn a_held_message_of_a_group_stays_held_when_the_clock_moves_by_a_month() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");
    let queue = stores.names().queue("NewsQueue").unwrap();
    for body in ["first", "second"] {
        let message = clients.queues.send_message().queue_url(&queue.url).message_body(body);
        message.message_group_id("one").send().await.unwrap();
    }
    assert_eq!(stores.receive(queue, 1, 0).await.unwrap()[0].body, "first");

    pass(&stores, 30 * 24 * 60 * 60).await;

    let mut received = stores.receive(queue, 10, 0).await.unwrap();
    received.sort_by(|one, other| one.body.cmp(&other.body));
    let counts = received.iter().map(|message| {
        (message.body.as_str(), message.attributes["ApproximateReceiveCount"].as_str().unwrap())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [("first", "2"), ("second", "1")]);
}

#[tokio::test]
async fn a_second_move_to_the_same_time_ends_after_the_first() {
    let stores = stores().await;
    stores.clock().set_offset(60).unwrap();
    let queues = &stores.door.queues;
    let has_first_ended = std::cell::Cell::new(false);

    let first = async {
        queues.follow_clock().await;
        has_first_ended.set(true);
    };
    let second = async {
        queues.follow_clock().await;
        assert!(has_first_ended.get());
    };

    futures::join!(first, second);
}
