//! A schedule begins a separate journey, and may continue those of its messages' aggregates.

use super::*;

#[test]
fn a_message_of_a_schedule_joins_the_journey_of_its_aggregate() {
    let activity = platform();
    order(&activity);
    start(&activity, "i-2", "RelayFunction", "e-2", rows(&activity));
    let event = |kind: &str, request: &str| {
        json!({"eventType": kind, "requestId": request, "aggregateId": "order-1"}).to_string()
    };
    send(&activity, "e-2", &event("OrderCreated", "req-1"), "m-1");
    activity.invocation_ended("i-2", None);

    let cause = Cause::Schedule("ExpireFunction.Clock".to_owned());
    start(&activity, "i-3", "ExpireFunction", "e-4", cause);
    send(&activity, "e-4", &event("OrderOverdue", "run-1"), "m-2");
    activity.invocation_ended("i-3", None);

    let journey = activity.journey("req-1").unwrap();
    let edges = edges(&journey);
    assert!(edges.contains(&("invocation:i-2", "sent", "message:m-1")), "{edges:?}");
    assert!(edges.contains(&("invocation:i-3", "sent", "message:m-2")), "{edges:?}");
    let origin = activity.message("m-2").unwrap();
    assert_eq!(origin.request.as_deref(), Some(REQUEST));
}

#[test]
fn a_schedule_that_sends_about_an_order_continues_its_journey() {
    let activity = platform();
    order(&activity);
    start(&activity, "i-2", "RelayFunction", "e-2", rows(&activity));
    let created =
        json!({"eventType": "OrderCreated", "aggregateId": "order-1", "requestId": "req-1"});
    send(&activity, "e-2", &created.to_string(), "m-1");
    let cause = Cause::Schedule("Expire.Overdue".to_owned());
    start(&activity, "i-3", "ExpireFunction", "e-3", cause);

    let overdue =
        json!({"eventType": "OrderOverdue", "aggregateId": "order-1", "requestId": "run"});
    send(&activity, "e-3", &overdue.to_string(), "m-2");
    let other = json!({"eventType": "OrderOverdue", "aggregateId": "order-2", "requestId": "run"});
    send(&activity, "e-3", &other.to_string(), "m-3");

    let ids = |journey: Journey| journey.nodes.into_iter().map(|node| node.id).collect::<Vec<_>>();
    let of_request = ids(activity.journey(REQUEST).unwrap());
    let has = |all: &[String], id: &str| all.iter().any(|known| known == id);
    assert!(has(&of_request, "invocation:i-3") && has(&of_request, "message:m-2"));
    assert!(!has(&of_request, "message:m-3"), "{of_request:?}");
    assert_eq!(activity.message("m-2").unwrap().request.as_deref(), Some(REQUEST));
    let of_schedule = ids(activity.journey("i-3").unwrap());
    assert!(has(&of_schedule, "message:m-2") && has(&of_schedule, "message:m-3"));
}

#[test]
fn a_schedule_begins_a_separate_journey() {
    let activity = platform();
    start(&activity, "i-1", "CleanFunction", "e-1", Cause::Schedule("Clean.Nightly".to_owned()));
    activity.invocation_ended("i-1", None);

    let journey = activity.journey("i-1").unwrap();

    assert_eq!(journey.id, None);
    assert_eq!(node(&journey, "Clean.Nightly").kind, NodeKind::Schedule);
    assert_eq!(node(&journey, "CleanFunction").state, NodeState::Done);
    assert!(journey.at_rest);
}
