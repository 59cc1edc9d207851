//! Consumers on the recorder: each record is processed separately and has one effect.

mod announcements;
mod events;
#[cfg(unix)]
mod inspected;
mod refusals;
mod retries;
mod schedules;
mod subscribers;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::notes::{NOTES, Note, READERS};
use super::recorder::{Call, Recorder};
use super::shared;
use crate::consumer::{
    Consumer, DeliveredMessage, Inbox, Schedule, ScheduledRun, Source, inbox_key,
};
use crate::effects::{Effects, Event, EventData, Mail, Message, Post, Write};
use crate::envelope::Envelope;
use crate::error::{DomainError, ErrorCode, ErrorKind, FieldErrors, RetrieveError, Retrieved};
use crate::idempotency::IDEMPOTENCY_KEYS;
use crate::resource::{Action, Resource, Resources};
use crate::runtime::consumer::Handler;
use crate::runtime::invocation::{Handled, Handler as _, Invocation, InvocationResult};
use crate::runtime::shared::Shared;
use crate::telemetry::log::captured::Captured;
use crate::{Deadline, Moment, Permit, Upstream, clock};

/// Stores a note of each message, sends it by e-mail, and posts it to a third-party service.
pub(super) struct Keep;

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(deserialize_with = "text")]
    text: String,
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    assert_ne!(text, "panic in reading", "this record panics where it is read");
    Ok(text)
}

impl TryFrom<Envelope<Said>> for String {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Said>) -> Result<Self, FieldErrors> {
        let text = envelope.data.text;
        assert_ne!(text, "panic in parsing", "this record panics where it is parsed");
        if text.is_empty() { Err(FieldErrors::one("/text", "is empty")) } else { Ok(text) }
    }
}

impl Consumer for Keep {
    const SOURCE: Source = Source::Queue(READERS);
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[Action::PutItem]), Resource::Mail];

    type Input = Envelope<Said>;
    type Command = String;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, text: &String) -> Retrieved<()> {
        match text.as_str() {
            "panic" => panic!("this record panics"),
            "broken" => Err(RetrieveError::internal("the store is down")),
            "endless" => std::future::pending().await,
            _ => Ok(()),
        }
    }

    fn decide(moment: &Moment, text: &String, (): ()) -> Result<Effects, DomainError> {
        if text == "refused" {
            return Err(ErrorCode::new(ErrorKind::Conflict, "NO", "No.").into());
        }
        let id = moment.id("note").to_string();
        let note = Note { id: id.clone(), author: String::new(), text: text.clone() };
        let (to, subject) = ("a@b.example".into(), "s".into());
        let mail = Mail { id: id.clone(), to, subject, text: text.clone() };
        let post = Post { id, upstream: Upstream::new("chat"), json: json!({ "text": text }) };
        Ok(Effects::none().write(Write::put(&note)).mail(mail).post(post))
    }
}

#[derive(Serialize)]
struct Reminder;

impl EventData for Reminder {
    const TYPE: &'static str = "Reminder";
}

fn message(id: &str, group: Option<&str>, body: &str) -> Value {
    let mut attributes = json!({ "ApproximateReceiveCount": "1" });
    if let Some(group) = group {
        attributes["MessageGroupId"] = group.into();
    }
    let fifo = if group.is_some() { ".fifo" } else { "" };
    json!({
        "messageId": id, "receiptHandle": format!("receipt-{id}"), "body": body,
        "attributes": attributes, "messageAttributes": {},
        "eventSourceARN": format!("arn:aws:sqs:eu-west-1:123456789012:notes{fifo}"),
    })
}

fn said(event_id: &str, text: &str) -> String {
    let envelope = json!({
        "eventId": event_id, "eventType": "Said", "version": 1, "aggregateId": "1",
        "occurredAt": "2026-01-01T00:00:00.000Z", "requestId": "req-1", "data": { "text": text },
    });
    envelope.to_string()
}

/// Delivers a batch, and returns the ids of the messages to retry.
async fn deliver(recorder: &Arc<Recorder>, messages: Vec<Value>) -> Vec<String> {
    let answer = invoke(recorder, Keep, &json!({ "Records": messages })).await;
    let Ok(InvocationResult::Json(answer)) = answer else { panic!("no batch response") };
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|f| f["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

async fn invoke<C: Consumer>(
    recorder: &Arc<Recorder>,
    consumer: C,
    event: &Value,
) -> Result<InvocationResult, String> {
    let handled = handle(shared(recorder), consumer, event).await;
    handled.answer
}

/// Delivers to a function with a collector, and returns the spans that it exports.
async fn spans_of<C: Consumer>(recorder: &Arc<Recorder>, consumer: C, event: &Value) -> Vec<Value> {
    let mut shared = shared(recorder);
    let settings = &mut Arc::get_mut(&mut shared).unwrap().settings;
    settings.collector = Some("http://collector.example".to_owned());
    handle(shared, consumer, event).await.deferred.unwrap().perform().await;
    let exported = recorder.exported.lock().unwrap();
    let spans = exported.iter().flat_map(|(_, _, body)| {
        let body: Value = serde_json::from_slice(body).unwrap();
        body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    });
    spans.collect()
}

async fn handle<C: Consumer>(shared: Arc<Shared>, consumer: C, event: &Value) -> Handled {
    let handler = Handler::new(consumer, shared);
    let invocation = Invocation {
        invocation_id: "invocation-1".to_owned(),
        event: Bytes::from(event.to_string()),
        deadline: Deadline::after(Duration::from_secs(10)),
        x_ray: None,
        cold_start: false,
    };
    handler.handle(invocation).await
}

#[tokio::test]
async fn a_record_that_fails_or_panics_is_retried_alone() {
    let recorder = Arc::new(Recorder::default());
    let texts =
        ["one", "broken", "two", "panic", "three", "panic in reading", "panic in parsing", "four"];
    let messages = texts.iter().enumerate().map(|(number, text)| {
        message(&format!("m{number}"), None, &said(&format!("e{number}"), text))
    });
    let mut failed = deliver(&recorder, messages.collect()).await;
    failed.sort();
    assert_eq!((failed.join(" "), recorder.items_of(NOTES).len()), ("m1 m3 m5 m6".to_owned(), 4));
}

#[tokio::test]
async fn successes_share_a_line_if_asked_to_and_a_failure_has_its_own() {
    let recorder = Arc::new(Recorder::default());
    let mut shared = shared(&recorder);
    Arc::get_mut(&mut shared).unwrap().settings.log_successes = 2;
    let texts = ["one", "broken", "two"].into_iter().enumerate();
    let messages =
        texts.map(|(n, text)| message(&format!("m{n}"), None, &said(&format!("e{n}"), text)));
    let event = json!({ "Records": messages.collect::<Vec<_>>() });
    let lines = handle(shared, Keep, &event).await.deferred.unwrap().lines;
    let mut lines: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| line["message"].as_str().map(str::to_owned));
    let [failure, successes] = lines.try_into().unwrap();
    assert_eq!((&failure["outcome"], &failure["recordId"]), (&json!("failed"), &json!("e1")));
    assert_eq!(
        (&successes["message"], &successes["records_total"]),
        (&json!("records"), &json!(2))
    );
    assert_eq!(successes["requestIds"], json!(["req-1"]));
}

#[tokio::test]
async fn a_record_that_is_delivered_twice_has_one_effect() {
    let recorder = Arc::new(Recorder::default());
    let twice =
        || vec![message("m1", None, &said("e1", "x")), message("m2", None, &said("e2", "y"))];
    assert!(deliver(&recorder, twice()).await.is_empty());
    assert!(deliver(&recorder, twice()).await.is_empty());
    assert_eq!((recorder.items_of(NOTES).len(), told(&recorder)), (2, 4));
    let in_60_days = clock::now().plus_seconds(60 * 86_400).as_seconds();
    for note in recorder.items_of(IDEMPOTENCY_KEYS) {
        let expires_at = note.get("expiresAt").cloned().unwrap();
        let expires_at: i64 = serde_dynamo::from_attribute_value(expires_at).unwrap();
        assert!((in_60_days - 60..=in_60_days).contains(&expires_at), "{expires_at}");
    }
}

#[tokio::test]
async fn a_record_with_too_many_conflicts_is_decided_again_on_its_retry() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().conflicts = 10;
    let once = || vec![message("m1", None, &said("e1", "x"))];
    assert_eq!(deliver(&recorder, once()).await, ["m1"]);
    assert!(deliver(&recorder, once()).await.is_empty());
    assert_eq!(recorder.items_of(NOTES).len(), 1);
}

fn told(recorder: &Recorder) -> usize {
    let told = |call: &Call| matches!(call, Call::Mail(_) | Call::Post(_));
    recorder.calls().into_iter().filter(told).count()
}

#[tokio::test(start_paused = true)]
async fn a_mail_and_a_post_are_sent_once_while_the_commit_is_retried() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().conflicts = 3;
    assert!(deliver(&recorder, vec![message("m1", None, &said("e1", "x"))]).await.is_empty());
    assert_eq!((recorder.items_of(NOTES).len(), told(&recorder)), (1, 2));
}

#[tokio::test]
async fn an_expired_inbox_entry_counts_as_absent() {
    let recorder = Arc::new(Recorder::default());
    for (expires_at, expected) in [(i64::MAX / 1000, 0), (1, 2)] {
        let consumed = json!({ "source": "readers", "recordId": "e1", "expiresAt": expires_at });
        let item = serde_dynamo::to_item(consumed).unwrap();
        recorder.store(IDEMPOTENCY_KEYS, inbox_key("readers", "e1"), item);
        assert!(deliver(&recorder, vec![message("m1", None, &said("e1", "x"))]).await.is_empty());
        assert_eq!(told(&recorder), expected, "{expires_at}");
    }
}

#[tokio::test]
async fn a_malformed_record_is_dead_lettered_and_the_others_are_processed() {
    let recorder = Arc::new(Recorder::default());
    let messages = vec![
        json!({ "body": said("e0", "no id") }),
        message("m1", None, &said("e1", "one")),
        json!({ "messageId": "m2", "body": 7 }),
        json!(null),
        message("m3", None, &said("e3", "three")),
    ];
    assert!(deliver(&recorder, messages).await.is_empty());
    assert_eq!(recorder.items_of(NOTES).len(), 2);
    let buried = recorder.calls().into_iter().filter(|call| matches!(call, Call::Bury(_)));
    assert_eq!(buried.count(), 3);
}

#[tokio::test]
async fn two_messages_with_one_event_in_a_batch_have_one_effect() {
    let recorder = Arc::new(Recorder::default());
    let messages = ["m1", "m2"].map(|id| message(id, None, &said("e1", "x")));
    assert!(deliver(&recorder, messages.to_vec()).await.is_empty());
    let mails = recorder.calls().into_iter().filter(|call| matches!(call, Call::Mail(_))).count();
    assert_eq!((recorder.items_of(NOTES).len(), mails), (1, 1));
}

#[tokio::test]
async fn an_unparseable_message_is_dead_lettered_at_once() {
    let recorder = Arc::new(Recorder::default());
    let long_id = "e".repeat(2_000);
    let bodies = ["not json", "{}", &said("e1", ""), &said("", "x"), &said(&long_id, "x")];
    let messages = bodies.iter().map(|body| message("m", None, body)).collect();
    assert!(deliver(&recorder, messages).await.is_empty());
    assert_eq!(recorder.calls(), vec![Call::Bury("readers".to_owned()); 5]);
}

#[tokio::test]
async fn the_log_of_a_dead_lettered_record_is_short_and_has_no_values() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    let mut odd: Value = serde_json::from_str(&said("e1", "x")).unwrap();
    odd["data"] = json!({ "text": { "hunter2": "hunter2".repeat(1_000) } });
    let mut wrong: Value = serde_json::from_str(&said("e2", "x")).unwrap();
    wrong["occurredAt"] = "hunter2".repeat(1_000).into();
    let bodies = [odd.to_string(), wrong.to_string(), said("e3", "")];
    let messages = bodies.iter().map(|body| message("m", None, body)).collect();
    assert!(deliver(&recorder, messages).await.is_empty());
    let lines = logged.of("a record cannot be parsed");
    assert_eq!(lines.len(), 3);
    for line in &lines {
        let line = line.to_string();
        assert!(!line.contains("hunter2") && line.len() < 1_000, "{line}");
    }
    assert_eq!(lines[2]["reason"], "/text is empty");
    assert_eq!(lines[2]["requestId"], "req-1");
}

#[tokio::test]
async fn a_record_that_a_rule_rejects_counts_as_processed() {
    let recorder = Arc::new(Recorder::default());
    let messages = || vec![message("m1", None, &said("e1", "refused"))];
    assert!(deliver(&recorder, messages()).await.is_empty());
    let commits = recorder.calls();
    assert!(deliver(&recorder, messages()).await.is_empty());
    assert_eq!(recorder.calls()[commits.len()..], [Call::Read("ledger")]);
    assert!(recorder.items_of(NOTES).is_empty());
}

#[tokio::test]
async fn a_failed_record_without_an_id_makes_the_batch_fail_and_is_counted() {
    for (queues_down, expected) in [(true, Some(2)), (false, None)] {
        let recorder = Arc::new(Recorder::default());
        recorder.faults().queues_down = queues_down;
        let [one, two] = ["one", "two"].map(|id| json!({ "body": said(id, "no message id") }));
        let records = [one, message("m1", None, &said("three", "x")), two];
        let handled = handle(shared(&recorder), Keep, &json!({ "Records": records })).await;
        assert_eq!(handled.answer.is_err(), queues_down);
        let lines = handled.deferred.unwrap().lines;
        let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let counted = lines.filter(|line| line["type"] == "RECORD_WITHOUT_ID");
        let counts = counted.map(|line| line["errors_total"].as_u64()).collect::<Vec<_>>();
        assert_eq!(counts, expected.into_iter().map(Some).collect::<Vec<_>>());
    }
}

#[test]
fn a_consumer_leaves_nothing_until_after_its_response() {
    assert!(!Handler::new(Keep, shared(&Arc::default())).defers_work());
}
