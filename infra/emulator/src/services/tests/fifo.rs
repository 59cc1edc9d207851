//! Tests of FIFO queues: the order of message groups.

use aws_sdk_sqs::types::{MessageSystemAttributeName, SendMessageBatchRequestEntry};

use super::*;

const QUEUE: &str = "LedgersQueue";

/// Sends messages in one call: each body begins with its group.
async fn send(stores: &Stores, bodies: &[&str]) {
    let url = &stores.names().queue(QUEUE).unwrap().url;
    let batch = Clients::with_key(stores, "operator").queues.send_message_batch().queue_url(url);
    let entry = |body: &&str| {
        let entry = SendMessageBatchRequestEntry::builder().id(*body).message_body(*body);
        entry.message_group_id(&body[..1]).build().unwrap()
    };
    let entries: Vec<_> = bodies.iter().map(entry).collect();
    let sent = batch.set_entries(Some(entries)).send().await.unwrap();
    assert_eq!(sent.successful.len(), bodies.len());
}

/// Receives at most so many messages at once.
async fn receive(stores: &Stores, queue: &str, count_max: usize) -> Vec<ReceivedMessage> {
    stores.receive(stores.names().queue(queue).unwrap(), count_max, 0).await.unwrap()
}

fn bodies(messages: &[ReceivedMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

#[tokio::test]
async fn a_receive_returns_several_messages_of_a_group_in_order() {
    let stores = stores().await;
    send(&stores, &["b1", "a1", "b2", "a2", "b3"]).await;

    let received = receive(&stores, QUEUE, 4).await;

    assert_eq!(bodies(&received), ["b1", "b2", "b3", "a1"]);
    assert_eq!(received[3].attributes["MessageGroupId"], "a");
    let reports = stores.queues().await.unwrap();
    let report = reports.iter().find(|report| report.queue == QUEUE).unwrap();
    assert_eq!((report.visible, report.in_flight), (1, 4));
    send(&stores, &["b4", "c1"]).await;
    assert_eq!(bodies(&receive(&stores, QUEUE, 10).await), ["c1"], "a and b are in flight");
}

#[tokio::test]
async fn a_message_that_becomes_visible_is_first_in_its_group_again() {
    let stores = stores().await;
    let queue = stores.names().queue(QUEUE).unwrap();
    send(&stores, &["a1", "a2", "a3"]).await;
    let received = receive(&stores, QUEUE, 2).await;
    stores.delete(queue, &[&received[1].receipt_handle]).await.unwrap();
    assert!(receive(&stores, QUEUE, 10).await.is_empty(), "a1 is in flight");

    let change = Clients::with_key(&stores, "operator").queues.change_message_visibility();
    let change = change.queue_url(&queue.url).receipt_handle(&received[0].receipt_handle);
    change.visibility_timeout(0).send().await.unwrap();

    assert_eq!(bodies(&receive(&stores, QUEUE, 1).await), ["a1"]);
    pass(&stores, 6).await;
    let received = receive(&stores, QUEUE, 10).await;
    assert_eq!(bodies(&received), ["a1", "a3"]);
    let counts = received.iter().map(|it| &it.attributes["ApproximateReceiveCount"]);
    assert_eq!(counts.collect::<Vec<_>>(), ["3", "1"]);
}

#[tokio::test]
async fn a_dead_letter_leaves_its_group_alone_and_keeps_it() {
    let stores = stores().await;
    send(&stores, &["a1", "a2", "b1", "a3"]).await;
    // The queue's maxReceiveCount is 3.
    for _ in 0..3 {
        assert_eq!(bodies(&receive(&stores, QUEUE, 1).await), ["a1"]);
        pass(&stores, 6).await;
    }

    let received = receive(&stores, QUEUE, 10).await;

    assert_eq!(bodies(&received), ["a2", "a3", "b1"]);
    let dead = receive(&stores, "LedgersDeadLetterQueue", 10).await;
    assert_eq!(bodies(&dead), ["a1"]);
    assert_eq!(dead[0].attributes["MessageGroupId"], "a");
    let redriven = stores.redrive("LedgersDeadLetterQueue", None).await.unwrap();
    assert_eq!(redriven.moved.len(), 0, "it is in flight");
    pass(&stores, 30).await;
    let redriven = stores.redrive("LedgersDeadLetterQueue", None).await.unwrap();
    assert_eq!(redriven.moved.len(), 1);
    let again = receive(&stores, QUEUE, 10).await;
    assert_eq!(bodies(&again), ["a2", "a3", "a1", "b1"], "it is a new message");
}

#[tokio::test]
async fn a_receive_with_only_dead_letters_returns_the_messages_behind_them() {
    let stores = stores().await;
    let first: Vec<_> = (0..10).map(|number| format!("a{number}")).collect();
    send(&stores, &first.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..3 {
        assert_eq!(receive(&stores, QUEUE, 10).await.len(), 10);
        pass(&stores, 6).await;
    }
    send(&stores, &["a10"]).await;

    assert_eq!(bodies(&receive(&stores, QUEUE, 10).await), ["a10"]);
    assert_eq!(receive(&stores, "LedgersDeadLetterQueue", 10).await.len(), 10);
}

#[tokio::test]
async fn a_waiting_receive_gets_the_next_message_of_a_group_when_the_first_is_deleted() {
    let stores = stores().await;
    let queue = stores.names().queue(QUEUE).unwrap();
    send(&stores, &["a1", "a2"]).await;
    let first = receive(&stores, QUEUE, 1).await;

    let begun = Instant::now();
    let (second, ()) = tokio::join!(stores.receive(queue, 1, 20), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stores.delete(queue, &[&first[0].receipt_handle]).await.unwrap();
    });

    assert_eq!(bodies(&second.unwrap()), ["a2"]);
    assert!(begun.elapsed() < Duration::from_millis(800), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_message_has_only_the_attributes_that_its_receiver_asked_for() {
    let stores = stores().await;
    let queues = Clients::with_key(&stores, "operator").queues;
    let url = &stores.names().queue(QUEUE).unwrap().url;
    send(&stores, &["a1", "b1"]).await;

    let bare = queues.receive_message().queue_url(url).send().await.unwrap();
    let asked = queues.receive_message().queue_url(url);
    let asked = asked.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
    let asked = asked.send().await.unwrap();

    assert_eq!(bare.messages()[0].attributes(), None);
    let attributes = asked.messages()[0].attributes().unwrap();
    assert_eq!(attributes.len(), 1);
    assert_eq!(attributes[&MessageSystemAttributeName::MessageGroupId], "b");
}
