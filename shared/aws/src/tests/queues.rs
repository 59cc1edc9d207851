//! Messages: batches, order, visibility timeouts and dead letters.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use lifecycle::effects::QueueName;
use lifecycle::envelope::Envelope;
use lifecycle::ports::{DeadLetter, Outgoing, Queues, RefusedMessage, VisibilityChange};
use lifecycle::{ServiceError, Timestamp};

use super::stores::{APPROVALS, EMAILS, Stores};

fn message(queue: QueueName, number: usize) -> Outgoing {
    Outgoing {
        queue,
        delay: Duration::ZERO,
        group: None,
        envelope: Envelope {
            event_id: format!("event-{number}"),
            event_type: "Happened".to_owned(),
            version: 1,
            occurred_at: Timestamp::from_millis(0),
            aggregate_id: "order-1".to_owned(),
            request_id: "request-1".to_owned(),
            traceparent: Some("00-1-2-01".to_owned()),
            tracestate: None,
            data: number.into(),
        },
    }
}

pub(super) fn letter(queue: QueueName, id: &str, body: &str, reason: &str) -> DeadLetter {
    DeadLetter {
        queue,
        id: id.to_owned(),
        group: format!("group-of-{id}"),
        body: body.to_owned(),
        reason: reason.to_owned(),
    }
}

fn numbers(messages: &[Message]) -> Vec<usize> {
    let number = |message: &Message| {
        let envelope: Envelope<usize> = serde_json::from_str(message.body().unwrap()).unwrap();
        envelope.data
    };
    messages.iter().map(number).collect()
}

#[tokio::test]
async fn messages_reach_their_queues_and_fifo_queues_keep_the_order() {
    let stores = Stores::start().await;
    let mixed = (0..24).map(|n| message(if n % 2 == 0 { EMAILS } else { APPROVALS }, n));
    let failed = stores.aws.send(&mixed.collect::<Vec<_>>()).await;
    assert!(failed.is_empty(), "{failed:?}");
    let approvals = stores.drain("approvals.fifo").await;
    assert_eq!(numbers(&approvals), (0..24).filter(|n| n % 2 == 1).collect::<Vec<_>>());
    let emails = stores.drain("emails").await;
    let mut sent = numbers(&emails);
    sent.sort_unstable();
    assert_eq!(sent, (0..24).filter(|n| n % 2 == 0).collect::<Vec<_>>());
    let attributes = emails[0].message_attributes().unwrap();
    assert_eq!(attributes["traceparent"].string_value(), Some("00-1-2-01"));
}

#[tokio::test]
async fn a_repeated_event_reaches_a_fifo_queue_once() {
    let stores = Stores::start().await;
    for _ in 0..3 {
        assert!(stores.aws.send(&[message(APPROVALS, 1)]).await.is_empty());
    }
    assert_eq!(stores.drain("approvals.fifo").await.len(), 1);
}

#[tokio::test]
async fn failed_messages_are_returned_by_index() {
    let stores = Stores::start().await;
    let unknown = QueueName::new("unknown");
    let messages = [message(EMAILS, 0), message(unknown, 1), message(EMAILS, 2)];
    let failed = stores.aws.send(&messages).await;
    assert!(matches!(failed.as_slice(), [(1, ServiceError::Internal(_))]), "{failed:?}");
    assert_eq!(stores.drain("emails").await.len(), 2);
}

#[tokio::test]
async fn a_rejected_message_fails_alone_as_a_refused_message() {
    let stores = Stores::start().await;
    let mut messages = [0, 1, 2].map(|number| message(EMAILS, number));
    // This queue accepts 256 KiB.
    messages[1].envelope.data = "x".repeat(300_000).into();
    let failed = stores.aws.send(&messages).await;
    let [(1, ServiceError::Internal(reason))] = &*failed else { panic!("{failed:?}") };
    assert!(reason.is::<RefusedMessage>(), "{reason:?}");
    assert_eq!(stores.drain("emails").await.len(), 2);
}

#[tokio::test]
async fn a_text_with_characters_that_sqs_rejects_arrives_unchanged() {
    let stores = Stores::start().await;
    let mut odd = message(EMAILS, 1);
    odd.envelope.data = "Kettle\u{ffff}\u{fffe}\u{0}".into();
    assert!(stores.aws.send(std::slice::from_ref(&odd)).await.is_empty());
    let arrived = stores.drain("emails").await;
    let body = arrived[0].body().unwrap();
    assert!(body.contains(r"\uffff") && !body.contains('\u{ffff}'), "{body}");
    let envelope: Envelope<serde_json::Value> = serde_json::from_str(body).unwrap();
    assert_eq!(envelope, odd.envelope);
}

#[tokio::test]
async fn an_empty_message_can_be_dead_lettered() {
    let stores = Stores::start().await;
    stores.aws.dead_letter(&letter(EMAILS, "m1", "", "EOF while parsing a value")).await.unwrap();
    assert_eq!(stores.drain("emails-dead-letters").await[0].body(), Some("\"\""));
}

#[tokio::test]
async fn a_dead_lettered_message_carries_its_reason() {
    let stores = Stores::start().await;
    let odd = letter(EMAILS, "m1", "{\"to\":", "it is no JSON\u{0}");
    stores.aws.dead_letter(&odd).await.unwrap();
    let buried = stores.drain("emails-dead-letters").await;
    assert_eq!(buried[0].body(), Some("{\"to\":"));
    let reason = &buried[0].message_attributes().unwrap()["reason"];
    assert_eq!(reason.string_value(), Some("it is no JSON\\u0000"));
}

#[tokio::test]
async fn a_fifo_queue_has_each_dead_letter_once_in_its_group_even_if_bodies_are_the_same() {
    let stores = Stores::start().await;
    for id in ["m1", "m2", "m1"] {
        stores.aws.dead_letter(&letter(APPROVALS, id, "{}", "no type")).await.unwrap();
    }
    let buried = stores.drain("approvals-dead-letters.fifo").await;
    let group = |message: &Message| {
        let attributes = message.attributes().unwrap();
        attributes[&MessageSystemAttributeName::MessageGroupId].clone()
    };
    let mut groups: Vec<_> = buried.iter().map(group).collect();
    groups.sort();
    assert_eq!(groups, ["group-of-m1", "group-of-m2"]);
}

#[tokio::test]
async fn hidden_messages_return_after_their_visibility_timeout() {
    let stores = Stores::start().await;
    let messages: Vec<_> = (0..12).map(|number| message(EMAILS, number)).collect();
    assert!(stores.aws.send(&messages).await.is_empty());
    let mut hidden = Vec::new();
    while hidden.len() < messages.len() {
        for received in stores.receive("emails").await {
            let receipt = received.receipt_handle.unwrap();
            hidden.push(VisibilityChange { receipt, wait: Duration::from_secs(1) });
        }
    }
    stores.aws.change_visibility(EMAILS, &hidden).await.unwrap();
    assert!(stores.drain("emails").await.is_empty());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(stores.drain("emails").await.len(), messages.len());
}

#[tokio::test]
async fn changing_the_visibility_of_an_unknown_message_fails() {
    let stores = Stores::start().await;
    let hidden = VisibilityChange { receipt: "unknown".to_owned(), wait: Duration::from_secs(1) };
    stores.aws.change_visibility(EMAILS, &[hidden]).await.unwrap_err();
}
