//! Tertiary effects are sent after the response, and do not delay it. Other functions do nothing
//! after their response.

use std::time::{Duration, Instant};

use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Control, eventually, fresh_platform, unique_email, user, when};

#[tokio::test]
async fn a_message_is_sent_after_the_response_and_before_the_freeze() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    // The first call starts the process, which must not be measured.
    api.post("/users", &json!({})).send().await.error(400, "INVALID_REQUEST");
    control.inject(&Faults::default().queue("EmailsQueue", StoreFault::delay_ms(2_000))).await;
    let email = unique_email();

    let begun = Instant::now();
    api.client().post_user(&user(&email), None).await.unwrap();
    let answered = begun.elapsed();

    assert!(answered < Duration::from_millis(1_500), "answered after {answered:?}");
    let events = last_invocation(&control, "PostUserFunction", "extension lifecycle next").await;
    let at = |what: &str| {
        let found = events.iter().position(|event| event.starts_with(what));
        found.unwrap_or_else(|| panic!("no {what:?} in {events:?}"))
    };
    assert!(at("response posted") < at("sqs SendMessageBatch EmailsQueue called"), "{events:?}");
    let sent = at("sqs SendMessageBatch EmailsQueue answered 200");
    assert!(sent < at("extension lifecycle next"), "{events:?}");
    control.no_faults().await;
    control.mail(&email, "Verify").await;
}

#[tokio::test]
async fn an_endpoint_without_tertiary_effects_has_no_extension() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    for _ in 0..2 {
        let path = format!("/products/{}", Uuid::new_v4());
        api.get(&path).send().await.error(404, "NOT_FOUND");
    }

    let events = last_invocation(&control, "GetProductFunction", "runtime next").await;

    assert!(!events.iter().any(|event| event.starts_with("extension")), "{events:?}");
    let answered = events.iter().position(|event| event == "response posted").unwrap();
    assert_eq!(events[answered + 1..], ["runtime next"], "{events:?}");
}

#[tokio::test]
async fn a_failing_queue_does_not_change_the_response() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.inject(&Faults::default().queue("EmailsQueue", StoreFault::fail(1.0))).await;

    api.client().post_user(&user(&unique_email()), None).await.unwrap();

    let lost = async || when(control.metric("errors_total", &[]).await, |seen| *seen > 0.0);
    eventually("the loss to be counted", lost).await;
}

/// The events of the last invocation of a function, once this one has followed its response.
async fn last_invocation(control: &Control, function: &str, last: &str) -> Vec<String> {
    let over = async || {
        let invocation = control.invocations(function).await.pop().unwrap();
        let events = invocation["events"].as_array().unwrap().iter();
        let events: Vec<String> =
            events.map(|event: &Value| event["what"].as_str().unwrap().to_owned()).collect();
        when(events, |events| {
            // The first invocation of a process has the events of its start, too.
            let mut after = events.iter().skip_while(|event| *event != "response posted");
            after.any(|event| event == last)
        })
    };
    eventually("the end of the invocation", over).await
}
