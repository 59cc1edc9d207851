//! Journeys at several moments.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::activity::view::{JourneyNode, NodeKind, NodeState};

mod schedules;

const READER: TableReader<'_> = TableReader { table: "OutboxTable", reader: "Relay.Stream" };

fn node<'a>(journey: &'a Journey, title: &str) -> &'a JourneyNode {
    let found = journey.nodes.iter().find(|node| node.title == title);
    found.unwrap_or_else(|| panic!("no {title} in {journey:#?}"))
}

fn edges(journey: &Journey) -> Vec<(&str, &str, &str)> {
    let edges = journey.edges.iter();
    edges.map(|it| (it.from.as_str(), it.label.as_str(), it.to.as_str())).collect()
}

/// The record of the event of `commit`.
fn row(activity: &Activity, number: &str) -> StreamItem {
    StreamItem {
        number: number.to_owned(),
        key: "pk = order#1, sk = event-1".to_owned(),
        event: "INSERT".to_owned(),
        created_s: activity.now().as_second(),
    }
}

fn rows(activity: &Activity) -> Cause {
    Cause::Records {
        table: "OutboxTable".to_owned(),
        reader: "Relay.Stream".to_owned(),
        records: vec![row(activity, "100")],
    }
}

fn messages(receives: u32) -> Cause {
    let messages = vec![("m-1".to_owned(), receives)];
    Cause::Messages { queue: "EmailsQueue".to_owned(), messages }
}

/// A platform whose queue hides messages for a minute, and moves them after three receives.
fn platform() -> Activity {
    let source = "Resources:
  EmailsQueue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Newsletters.Arn, maxReceiveCount: 3}
  Newsletters: {Type: AWS::SQS::Queue}
";
    let template = sam_template::Template::parse(source, &BTreeMap::new()).unwrap();
    let activity = Activity::default();
    activity.set_queues(&template.queues);
    activity.reader_added(READER);
    activity
}

fn order(activity: &Activity) {
    begin(activity, REQUEST);
    run(activity, REQUEST, "i-1", "e-1");
    report(activity, json!({"type": "begun", "invocation": "i-1", "requestId": "req-1"}));
    call(activity, commit("e-1"), 200, &json!({}));
    activity.invocation_ended("i-1", None);
    answer(activity, REQUEST, 201, "req-1");
}

fn relay(activity: &Activity) {
    start(activity, "i-2", "RelayFunction", "e-2", rows(activity));
    let envelope = json!({"eventId": "event-1", "eventType": "OrderCreated", "requestId": "req-1"});
    send(activity, "e-2", &envelope.to_string(), "m-1");
    activity.invocation_ended("i-2", None);
    activity.rows_succeeded(READER, &[row(activity, "100")]);
}

fn send(activity: &Activity, environment: &str, body: &str, id: &str) {
    let send = Called {
        environment,
        service: "sqs",
        operation: "SendMessage",
        resource: "EmailsQueue",
        body: json!({"QueueUrl": "q", "MessageBody": body}),
        writes: Vec::new(),
    };
    call(activity, send, 200, &json!({ "MessageId": id }));
}

fn consume(activity: &Activity, id: &str, receives: u32) {
    start(activity, id, "SendEmailFunction", "e-3", messages(receives));
    if receives < 2 {
        activity.invocation_ended(id, Some("the mail server is down".to_owned()));
        activity.messages_failed("EmailsQueue", &["m-1"], "the mail server is down");
        return;
    }
    let mail = Called {
        environment: "e-3",
        service: "ses",
        operation: "SendEmail",
        resource: "identity/shop.example",
        body: json!({
            "Destination": {"ToAddresses": ["ada@mail.example"]},
            "Content": {"Simple": {"Subject": {"Data": "Your order"}}},
        }),
        writes: Vec::new(),
    };
    call(activity, mail, 200, &json!({"MessageId": "mail-1"}));
    activity.invocation_ended(id, None);
    activity.messages_succeeded(&["m-1"]);
    activity.messages_deleted(&["m-1"]);
}

#[test]
fn after_the_post_the_event_waits_in_the_outbox() {
    let activity = platform();
    order(&activity);

    let journey = activity.journey("req-1").unwrap();

    assert_eq!(journey.id.as_deref(), Some(REQUEST));
    assert_eq!(node(&journey, "POST /orders").state, NodeState::Done);
    let event = node(&journey, "OrderCreated");
    assert_eq!((event.kind, event.state), (NodeKind::Row, NodeState::Waiting));
    assert_eq!(
        edges(&journey),
        [("request:gw-1", "called", "invocation:i-1"), ("invocation:i-1", "wrote", "row:i-1:0:1"),]
    );
    assert!(!journey.at_rest);
}

#[test]
fn a_request_whose_messages_are_still_to_be_sent_is_not_at_rest() {
    let activity = platform();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    report(&activity, json!({"type": "begun", "invocation": "i-1", "requestId": "req-1"}));
    report(&activity, json!({"type": "ended", "invocation": "i-1", "status": 201, "deferred": 1}));
    activity.invocation_ended("i-1", None);
    answer(&activity, REQUEST, 201, "req-1");
    assert!(!activity.journey(REQUEST).unwrap().at_rest);

    let work = json!([{"what": "message to queue emails", "failed": null, "tookMs": 5.0}]);
    report(&activity, json!({"type": "deferred", "invocation": "i-1", "work": work}));
    assert!(activity.journey(REQUEST).unwrap().at_rest);
}

#[test]
fn while_a_message_waits_its_delivery_is_shown_with_the_next_try() {
    let activity = platform();
    order(&activity);
    relay(&activity);
    let journey = activity.journey(REQUEST).unwrap();
    assert_eq!(node(&journey, "OrderCreated").state, NodeState::Done);
    assert_eq!(node(&journey, "EmailsQueue").state, NodeState::Waiting);

    consume(&activity, "i-3", 1);
    let journey = activity.journey(REQUEST).unwrap();

    let message = node(&journey, "EmailsQueue");
    assert_eq!(message.state, NodeState::Retrying);
    assert_eq!(message.subtitle.as_deref(), Some("OrderCreated"));
    assert_eq!(message.deliveries.len(), 1);
    assert_eq!(message.error.as_deref(), Some("the mail server is down"));
    let wait = message.next_try_at.unwrap().duration_since(activity.now());
    assert!((50..=60).contains(&wait.as_secs()), "{wait:?}");
    assert!(!journey.at_rest);
    assert!(edges(&journey).contains(&("row:i-1:0:1", "delivered", "invocation:i-2")));
    assert!(edges(&journey).contains(&("invocation:i-2", "sent", "message:m-1")));
}

#[test]
fn after_the_mail_everything_is_at_rest_and_leads_back_to_the_request() {
    let activity = platform();
    order(&activity);
    relay(&activity);
    consume(&activity, "i-3", 1);
    consume(&activity, "i-4", 2);

    let journey = activity.journey("i-4").unwrap();

    let mail = node(&journey, "Your order");
    assert_eq!((mail.kind, mail.state), (NodeKind::Mail, NodeState::Done));
    assert_eq!(mail.subtitle.as_deref(), Some("ada@mail.example"));
    assert_eq!(node(&journey, "EmailsQueue").deliveries.len(), 2);
    assert!(edges(&journey).contains(&("invocation:i-4", "mailed", "mail:i-4:0")));
    assert!(journey.at_rest, "{journey:#?}");
    let origin = activity.message("m-1").unwrap();
    assert_eq!((origin.request.as_deref(), origin.journey.as_str()), (Some(REQUEST), REQUEST));
    assert_eq!(activity.message("mail-1").unwrap().request.as_deref(), Some(REQUEST));
    assert_eq!(activity.invocation("i-4").unwrap().journey, REQUEST);
}

#[test]
fn a_message_after_its_last_receive_is_a_dead_letter() {
    let activity = platform();
    order(&activity);
    relay(&activity);
    start(&activity, "i-3", "SendEmailFunction", "e-3", messages(3));
    activity.invocation_ended("i-3", None);
    activity.messages_failed("EmailsQueue", &["m-1"], "the function reported a failure");
    activity.lock().hide("m-1", activity.now() - Duration::from_secs(1));

    let journey = activity.journey(REQUEST).unwrap();

    let message = node(&journey, "Newsletters");
    assert_eq!((message.kind, message.state), (NodeKind::DeadLetter, NodeState::Failed));
    assert_eq!(node(&journey, "EmailsQueue").state, NodeState::Failed);
    assert!(edges(&journey).contains(&("message:m-1", "moved", "dead:m-1")));
    assert!(journey.at_rest);
}

#[test]
fn a_message_that_is_received_before_its_sending_is_noted_belongs_to_its_request() {
    let activity = platform();
    order(&activity);
    start(&activity, "i-3", "SendEmailFunction", "e-3", messages(1));
    assert_eq!(activity.message("m-1").unwrap().request, None);

    relay(&activity);

    assert_eq!(activity.message("m-1").unwrap().request.as_deref(), Some(REQUEST));
    let journey = activity.journey(REQUEST).unwrap();
    assert_eq!(node(&journey, "SendEmailFunction").state, NodeState::Working);
}

#[test]
fn a_batch_of_several_requests_is_split_by_their_request_ids() {
    let activity = platform();
    for (id, request_id, message) in [("gw-1", "req-1", "m-1"), ("gw-2", "req-2", "m-2")] {
        begin(&activity, id);
        let (invocation, environment) = (format!("i-{id}"), format!("e-{id}"));
        run(&activity, id, &invocation, &environment);
        let body = format!("{{\"requestId\":\"{request_id}\"}}");
        send(&activity, &environment, &body, message);
        answer(&activity, id, 200, request_id);
    }
    let both = vec![("m-1".to_owned(), 1), ("m-2".to_owned(), 1)];
    let cause = Cause::Messages { queue: "EmailsQueue".to_owned(), messages: both };
    start(&activity, "i-9", "SendEmailFunction", "e-9", cause);

    send(&activity, "e-9", "{\"requestId\":\"req-2\"}", "m-3");

    assert_eq!(activity.message("m-3").unwrap().request.as_deref(), Some("gw-2"));
    let has = |id: &str, node: &str| {
        let journey = activity.journey(id).unwrap();
        journey.nodes.iter().any(|known| known.id == node)
    };
    assert!(has("gw-2", "message:m-3") && has("gw-2", "invocation:i-9"));
    assert!(!has("gw-1", "message:m-3") && has("gw-1", "invocation:i-9"));
    assert!(!has("gw-1", "message:m-2"));
}

#[test]
fn a_mail_of_a_batch_belongs_to_the_request_of_its_message() {
    let activity = platform();
    for (id, request_id, message) in [("gw-1", "req-1", "m-1"), ("gw-2", "req-2", "m-2")] {
        begin(&activity, id);
        let (invocation, environment) = (format!("i-{id}"), format!("e-{id}"));
        run(&activity, id, &invocation, &environment);
        let event = format!("event-{message}");
        let envelope = json!({"eventId": event, "requestId": request_id});
        send(&activity, &environment, &envelope.to_string(), message);
        answer(&activity, id, 200, request_id);
    }
    let both = vec![("m-1".to_owned(), 1), ("m-2".to_owned(), 1)];
    let cause = Cause::Messages { queue: "EmailsQueue".to_owned(), messages: both };
    start(&activity, "i-9", "SendEmailFunction", "e-9", cause);

    for (id, event) in [("mail-1", "event-m-1"), ("mail-2", "event-m-2")] {
        let header = json!({"Name": "X-Mail-Id", "Value": event});
        let mail = Called {
            environment: "e-9",
            service: "ses",
            operation: "SendEmail",
            resource: "identity/shop.example",
            body: json!({"Content": {"Simple": {
                "Subject": {"Data": format!("About {event}")}, "Headers": [header],
            }}}),
            writes: Vec::new(),
        };
        call(&activity, mail, 200, &json!({ "MessageId": id }));
    }

    for (id, own, other) in [("gw-1", "event-m-1", "event-m-2"), ("gw-2", "event-m-2", "event-m-1")]
    {
        let journey = activity.journey(id).unwrap();
        let has =
            |event: &str| journey.nodes.iter().any(|node| node.title == format!("About {event}"));
        assert!(has(own) && !has(other), "{id}");
    }
    assert_eq!(activity.message("mail-1").unwrap().request.as_deref(), Some("gw-1"));
    assert_eq!(activity.message("mail-2").unwrap().request.as_deref(), Some("gw-2"));
}

#[test]
fn effects_without_a_request_id_are_not_of_the_requests_in_the_batch() {
    let activity = platform();
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    send(&activity, "e-1", "{\"requestId\":\"req-1\"}", "m-1");
    answer(&activity, REQUEST, 200, "req-1");
    start(&activity, "i-2", "SweepFunction", "e-2", Cause::Schedule("Sweep".to_owned()));
    send(&activity, "e-2", "{\"requestId\":\"sweep\"}", "m-2");
    let both = vec![("m-1".to_owned(), 1), ("m-2".to_owned(), 1)];
    let cause = Cause::Messages { queue: "EmailsQueue".to_owned(), messages: both };
    start(&activity, "i-9", "SendEmailFunction", "e-9", cause);

    send(&activity, "e-9", "{\"requestId\":\"sweep\"}", "m-3");
    send(&activity, "e-9", "{\"requestId\":\"req-1\"}", "m-4");

    assert_eq!(activity.message("m-3").unwrap().request, None);
    assert_eq!(activity.message("m-4").unwrap().request.as_deref(), Some(REQUEST));
}

#[test]
fn a_stream_record_that_fails_is_retried_with_its_back_off_and_given_up() {
    let activity = platform();
    order(&activity);
    start(&activity, "i-2", "RelayFunction", "e-2", rows(&activity));
    activity.invocation_ended("i-2", Some("no".to_owned()));
    let after = Duration::from_secs(9);
    let retry = Retry { error: "no", after, bisected: false };
    activity.rows_failed(READER, &[row(&activity, "100")], retry);

    let journey = activity.journey(REQUEST).unwrap();
    let event = node(&journey, "OrderCreated");
    assert_eq!(event.state, NodeState::Retrying);
    assert!(event.next_try_at.unwrap() > activity.now());

    activity.rows_given_up(READER, &[row(&activity, "100")], "RetryAttemptsExhausted");
    let journey = activity.journey(REQUEST).unwrap();
    let event = node(&journey, "OrderCreated");
    assert_eq!(event.state, NodeState::Failed);
    assert_eq!(event.error.as_deref(), Some("RetryAttemptsExhausted"));
    assert!(journey.at_rest);
}

#[test]
fn a_request_to_a_stand_in_and_a_compensation_are_marked() {
    let activity = platform();
    activity.set_compensations(&["OrderCreated"]);
    begin(&activity, REQUEST);
    run(&activity, REQUEST, "i-1", "e-1");
    report(&activity, json!({"type": "begun", "invocation": "i-1", "requestId": "req-1"}));
    let upstream = UpstreamCall {
        service: "partner",
        method: "GET",
        path: "/prices",
        request_id: Some("req-1"),
    };
    let number = activity.upstream_called(&upstream);
    activity.upstream_answered(number, Duration::from_millis(5), Some(200));
    call(&activity, commit("e-1"), 200, &json!({}));

    let journey = activity.journey(REQUEST).unwrap();

    assert_eq!(node(&journey, "partner").kind, NodeKind::Upstream);
    let upstream = node(&journey, "partner").id.clone();
    assert!(edges(&journey).contains(&("invocation:i-1", "called", upstream.as_str())));
    assert!(node(&journey, "OrderCreated").compensates);
}
