//! Tests of queues: their reports, limits and fairness.

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
    tokio::time::sleep(Duration::from_millis(1_100)).await;
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
    let again = stores.receive(queue, 1, 20).await.unwrap();
    assert_eq!(again[0].body, "second");
    assert_eq!(again[0].attributes["ApproximateReceiveCount"], "2");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}
