//! Tests of looking at messages, and of the redrive of dead letters.

use aws_sdk_sqs::types::MessageAttributeValue;

use super::*;

fn attribute(text: &str) -> MessageAttributeValue {
    let attribute = MessageAttributeValue::builder().data_type("String").string_value(text);
    attribute.build().unwrap()
}

/// Sends messages to a queue whose `maxReceiveCount` is 1 and lets each become a dead letter.
async fn with_dead_letters(bodies: &[&str]) -> Stores {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");
    let queue = stores.names().queue("EmailsQueue").unwrap();
    for body in bodies {
        let message = clients.queues.send_message().queue_url(&queue.url).message_body(*body);
        let message = message.message_attributes("traceparent", attribute("00-1-2-01"));
        message.send().await.unwrap();
    }
    for _ in bodies {
        assert_eq!(stores.receive(queue, 1, 0).await.unwrap().len(), 1);
    }
    pass(&stores, 2).await;
    stores
}

async fn peek(stores: &Stores, queue: &str) -> Vec<QueuedMessage> {
    stores.peek(queue, 100).await.unwrap()
}

#[tokio::test]
async fn a_message_is_shown_with_attributes_and_the_time_at_which_it_is_visible() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "GetUserFunction");
    let queue = stores.names().queue("NewsQueue").unwrap();
    let send = |body: &str| {
        let message = clients.queues.send_message().queue_url(&queue.url).message_body(body);
        message.message_group_id("one").message_attributes("kind", attribute("news"))
    };
    send("now").send().await.unwrap();
    send("late").delay_seconds(600).send().await.unwrap();

    let shown = peek(&stores, "NewsQueue").await;
    let states: Vec<_> = shown.iter().map(|it| (it.entry.body.as_str(), it.state)).collect();
    assert_eq!(states, [("now", MessageState::Visible), ("late", MessageState::Delayed)]);
    assert_eq!(
        (&shown[0].attributes["kind"], shown[0].group.as_deref()),
        (&"news".into(), Some("one"))
    );
    assert_eq!(shown[0].visible_at, None);
    let left_s = shown[1].visible_at.unwrap().duration_since(stores.clock().now()).as_secs();
    assert!((595..=600).contains(&left_s), "{left_s}");

    stores.receive(queue, 1, 0).await.unwrap();
    let shown = peek(&stores, "NewsQueue").await;
    assert_eq!((shown[0].state, shown[0].entry.receive_count), (MessageState::InFlight, 1));
    pass(&stores, 2).await;
    assert_eq!(peek(&stores, "NewsQueue").await[0].state, MessageState::Visible);
    assert_eq!(stores.peek("NewsQueue", 1).await.unwrap().len(), 1);
    assert!(stores.peek("NoQueue", 1).await.is_err());
}

#[tokio::test]
async fn all_dead_letters_return_to_their_queue_as_new_messages() {
    let stores = with_dead_letters(&["first", "second"]).await;
    let dead = peek(&stores, "EmailsDeadLetterQueue").await;
    let sources: Vec<_> = dead.iter().map(|it| it.dead_letter_source.as_deref()).collect();
    assert_eq!(sources, [Some("EmailsQueue"); 2]);

    let redriven = stores.redrive("EmailsDeadLetterQueue", None).await.unwrap();

    assert_eq!((redriven.moved.len(), redriven.left), (2, 0));
    assert!(peek(&stores, "EmailsDeadLetterQueue").await.is_empty());
    let moved = peek(&stores, "EmailsQueue").await;
    assert_eq!(moved.len(), 2);
    for message in &moved {
        // A standard queue keeps no order.
        let dead = dead.iter().find(|dead| dead.entry.body == message.entry.body).unwrap();
        assert_eq!(message.entry.receive_count, 0);
        assert_eq!(message.attributes["traceparent"], "00-1-2-01");
        assert_ne!(message.entry.message_id, dead.entry.message_id);
        assert_eq!(message.dead_letter_source, None);
    }
    let ids: Vec<_> = redriven.moved.iter().map(|it| it.message_id.as_str()).collect();
    assert_eq!(ids, [&moved[0].entry.message_id, &moved[1].entry.message_id]);
    let queue = stores.names().queue("EmailsQueue").unwrap();
    let received = stores.receive(queue, 10, 0).await.unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].attributes["ApproximateReceiveCount"], "1");
    assert_eq!(received[0].message_attributes["traceparent"]["StringValue"], "00-1-2-01");
}

#[tokio::test]
async fn one_dead_letter_returns_and_the_others_stay_as_they_were() {
    let stores = with_dead_letters(&["first", "second", "third"]).await;
    let dead = peek(&stores, "EmailsDeadLetterQueue").await;
    let id = &dead[1].entry.message_id;

    let redriven = stores.redrive("EmailsDeadLetterQueue", Some(id)).await.unwrap();

    assert_eq!(redriven.moved[0].dead_letter_id, *id);
    assert_eq!(redriven.moved[0].queue, "EmailsQueue");
    let staying = peek(&stores, "EmailsDeadLetterQueue").await;
    let bodies: Vec<_> = staying.iter().map(|it| (it.entry.body.as_str(), it.state)).collect();
    assert_eq!(bodies, [("first", MessageState::Visible), ("third", MessageState::Visible)]);
    let again = stores.redrive("EmailsDeadLetterQueue", Some(id)).await.unwrap_err();
    assert!(matches!(again, RedriveError::NotReceived { .. }), "{again}");
    let none = stores.redrive("NewsQueue", None).await.unwrap_err();
    assert_eq!(none.to_string(), "NewsQueue is the dead-letter queue of no queue");
}

#[tokio::test]
async fn a_message_that_was_sent_to_a_dead_letter_queue_goes_to_its_only_source() {
    let stores = stores().await;
    let queue = stores.names().queue("EmailsDeadLetterQueue").unwrap();
    stores.send(queue, "given up").await.unwrap();
    assert_eq!(peek(&stores, "EmailsDeadLetterQueue").await[0].dead_letter_source, None);

    stores.redrive("EmailsDeadLetterQueue", None).await.unwrap();

    assert_eq!(peek(&stores, "EmailsQueue").await[0].entry.body, "given up");
}
