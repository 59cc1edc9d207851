//! Alerts to operators: one a minute for each kind of failure, even while one alert service fails.

use emulator::faults::{Faults, UpstreamFault};
use emulator::options::Options;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Control, eventually, fresh_platform, shared_platform, unique, when};

#[tokio::test]
async fn alerts_are_limited_to_one_a_minute_and_report_the_suppressed_count() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let upstream = unique("upstream");
    join_all((0..12).map(|_| fail(&control, &upstream))).await;
    let kind = format!("{upstream}/FAILED");
    let counted = async || {
        let logs = control.table("NoticesTable").await;
        logs.into_iter().find(|log| log["kind"] == kind && log["suppressed"] == 11)
    };
    let mut log = eventually("eleven of twelve to be suppressed", counted).await;
    assert_eq!(told(&control, &upstream, 1).await, [0, 0, 0]);

    log["noticedAt"] = json!("2026-01-01T00:00:00.000Z");
    api.put_item("NoticesTable", log);
    fail(&control, &upstream).await;
    assert_eq!(told(&control, &upstream, 2).await, [11, 11, 11]);
}

#[tokio::test]
async fn a_failing_alert_service_gets_its_alert_later_and_delays_no_other() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    let down = Faults::default().standin("notifiers", "slack", UpstreamFault::down());
    control.inject(&down).await;
    fail(&control, "partner").await;
    let others = async || {
        let notices = notices(&control, "partner").await;
        when(notices, |to| to[1].len() == 1 && to[2].len() == 1)
    };
    eventually("two alerts to arrive", others).await;
    assert!(control.queue("NotificationsQueue").await["inFlight"].as_u64() > Some(0));

    control.no_faults().await;
    let tried = notices(&control, "partner").await[0].len();
    let again = async || {
        let queue = control.queue("NotificationsQueue").await;
        when(queue, |queue| ["visible", "inFlight", "delayed"].iter().all(|s| queue[s] == 0))
    };
    eventually("the third alert to arrive", again).await;
    let times = notices(&control, "partner").await.map(|notices| notices.len());
    assert!(times[0] > tried, "the third alert is repeated after the failure: {times:?}");
    assert_eq!(times[1..], [1, 1], "the other alerts are not repeated");
}

/// Sends the event that an upstream has failed.
async fn fail(control: &Control, upstream: &str) {
    let event_id = Uuid::new_v4();
    let at = "2026-11-21T12:00:00.000Z";
    let failed = json!({
        "eventId": event_id, "eventType": "UpstreamFailed", "version": 1, "occurredAt": at,
        "aggregateId": upstream, "requestId": event_id,
        "data": { "upstream": upstream, "kind": "FAILED", "code": "S01", "at": at },
    });
    control.send("NotificationsQueue", &failed).await;
}

/// Waits until Slack, Datadog and New Relic have each received this many alerts about an upstream.
/// Returns the suppressed counts of the last ones.
async fn told(control: &Control, upstream: &str, times: usize) -> [u64; 3] {
    let find = async || {
        let notices = notices(control, upstream).await;
        when(notices, |to| to.iter().all(|told| told.len() >= times))
    };
    let notices = eventually(&format!("{times} alerts"), find).await;
    notices.map(|told| {
        assert_eq!(told.len(), times, "{told:?}");
        let text = text_of(told.last().unwrap());
        assert!(text.contains("with S01 at 2026-11-21T12:00:00.000Z"), "{text}");
        let count = text.split(" more were suppressed").next().filter(|before| *before != text);
        count.map_or(0, |before| before.rsplit(' ').next().unwrap().parse().unwrap())
    })
}

/// The alerts about an upstream that Slack, Datadog and New Relic have received.
async fn notices(control: &Control, upstream: &str) -> [Vec<Value>; 3] {
    let asked = control.standin("notifiers").await;
    let about = asked["requests"].as_array().unwrap().iter();
    let about = about.filter(|request| text_of(&request["body"]).contains(upstream));
    let mut notices = [Vec::new(), Vec::new(), Vec::new()];
    for request in about {
        let receiver = match request["path"].as_str().unwrap() {
            "/api/v1/events" => 1,
            "/v1/accounts/1/events" => 2,
            _ => 0,
        };
        notices[receiver].push(request["body"].clone());
    }
    notices
}

/// The text of an alert. New Relic's alerts are in lists.
fn text_of(notice: &Value) -> String {
    let text = notice["text"].as_str().or(notice[0]["text"].as_str());
    text.unwrap_or_default().to_owned()
}
