//! The lifecycle on a recorder: its calls in order, and its responses.

mod authorizer;
mod consumers;
mod described;
mod handover;
mod notes;
mod parts;
mod recorder;
mod semantics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use self::notes::{GetNote, NOTES, Note, PostNote, Shelf};
use self::recorder::{Call, Recorder};
use super::deferred::DeferredWork;
use super::endpoint;
use super::invocation::{Handler as _, Invocation, InvocationResult};
use super::settings::Settings;
use super::shared::Shared;
use crate::Deadline;
use crate::caller::TokenVerifier;
use crate::commit::{OUTBOX, OutboxRow};
use crate::endpoint::Endpoint;
use crate::idempotency::IDEMPOTENCY_KEYS;
use crate::record::{Key, Record};
use crate::telemetry::log::captured::Captured;

fn shared(recorder: &Arc<Recorder>) -> Arc<Shared> {
    let settings = Settings {
        service: "notes".to_owned(),
        function: "post_note".to_owned(),
        allowed_origins: vec!["https://shelf.example".to_owned()],
        ..Settings::default()
    };
    let platform: Arc<Recorder> = Arc::clone(recorder);
    let shared = Shared::new(settings, platform);
    // The first request of a process exchanges its count at once; most tests are about later ones.
    shared.limiter.count_first();
    Arc::new(shared)
}

fn post_note(recorder: &Arc<Recorder>) -> endpoint::Handler<PostNote> {
    let shelf = serde_dynamo::to_item(Shelf { room: 10 }).unwrap();
    recorder.store(NOTES, Key::new("shelf"), shelf);
    let endpoint = PostNote { retrievals: AtomicU32::new(0) };
    endpoint::Handler { endpoint, shared: shared(recorder) }
}

fn get_note(recorder: &Arc<Recorder>) -> endpoint::Handler<GetNote> {
    let endpoint = GetNote { platform: Arc::clone(recorder), verifier: None };
    endpoint::Handler { endpoint, shared: shared(recorder) }
}

/// The same, with a verifier for requests that have a token.
fn get_note_verified_by(
    recorder: &Arc<Recorder>,
    verifier: Arc<dyn TokenVerifier>,
) -> endpoint::Handler<GetNote> {
    let endpoint = GetNote { platform: Arc::clone(recorder), verifier: Some(verifier) };
    endpoint::Handler { endpoint, shared: shared(recorder) }
}

/// A valid request by an author, which each test modifies.
fn request(text: &str) -> Value {
    json!({
        "version": "2.0",
        "rawPath": "/notes",
        "rawQueryString": "",
        "headers": { "content-type": "application/json", "x-request-id": "req-1" },
        "body": json!({ "text": text }).to_string(),
        "requestContext": {
            "http": { "method": "POST", "sourceIp": "192.0.2.1" },
            "authorizer": { "lambda": { "sub": "ada", "role": "AUTHOR", "exp": 32_503_680_000_i64 } },
        },
    })
}

fn with(mut request: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    request.pointer_mut(parent).unwrap()[name] = value.into();
    request
}

struct Answered {
    status: u16,
    headers: Value,
    body: Value,
    raw: String,
    aftermath: DeferredWork,
}

impl Answered {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

async fn ask<E: Endpoint>(handler: &endpoint::Handler<E>, event: &Value) -> Answered {
    let handled = handler
        .handle(Invocation {
            event: Bytes::from(event.to_string()),
            deadline: Deadline::after(Duration::from_secs(10)),
            x_ray: None,
            cold_start: false,
        })
        .await;
    let Ok(answer @ InvocationResult::Http(_)) = handled.answer else { panic!("no HTTP response") };
    let answer = serde_json::to_value(answer).unwrap();
    let raw = answer["body"].as_str().unwrap().to_owned();
    Answered {
        status: u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap(),
        headers: answer["headers"].clone(),
        body: serde_json::from_str(&raw).unwrap_or(Value::Null),
        raw,
        aftermath: handled.deferred.unwrap(),
    }
}

#[tokio::test]
async fn a_valid_request_is_201_with_one_commit() {
    let recorder = Arc::new(Recorder::default());
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    assert_eq!((answered.status, &answered.body["data"]["text"]), (201, &json!("hello")));
    let id = answered.body["data"]["id"].as_str().unwrap();
    assert_eq!(answered.headers["location"], format!("/notes/{id}"));
    assert_eq!(answered.headers["x-request-id"], "req-1");
    assert_eq!(answered.headers["cache-control"], "no-store");
    assert_eq!(answered.headers["x-content-type-options"], "nosniff");
    // The note, the shelf and the event in one commit, and nothing else before the response.
    assert_eq!(recorder.calls(), [Call::Commit(3)]);
    assert_eq!(recorder.items_of(OUTBOX).len(), 1);

    answered.aftermath.perform().await;
    assert_eq!(recorder.calls()[1..], [Call::Send(1)]);
    assert_eq!(recorder.sent()[0].envelope.request_id, "req-1");
}

#[tokio::test]
async fn a_refused_caller_is_401_or_403_and_nothing_is_read_or_written() {
    let past = with(request("x"), "/requestContext/authorizer/lambda/exp", 1);
    let reader = with(request("x"), "/requestContext/authorizer/lambda/role", "READER");
    let nobody = with(request("x"), "/requestContext/authorizer", Value::Null);
    for (event, status, code) in
        [(past, 401, "UNAUTHORIZED"), (nobody, 401, "UNAUTHORIZED"), (reader, 403, "FORBIDDEN")]
    {
        let recorder = Arc::new(Recorder::default());
        let handler = post_note(&recorder);
        let answered = ask(&handler, &event).await;
        assert_eq!((answered.status, answered.code()), (status, code));
        assert_eq!(answered.body["error"]["traceId"], "req-1");
        assert_eq!(answered.headers.get("www-authenticate").is_some(), status == 401);
        assert_eq!(handler.endpoint.retrievals.load(Ordering::SeqCst), 0);
        assert_eq!(recorder.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_status_and_code_in_the_same_body_shape() {
    let base = || request("x");
    let cases = [
        (with(base(), "/rawPath", "/elsewhere"), 404, "NOT_FOUND"),
        (with(base(), "/requestContext/http/method", "PUT"), 405, "METHOD_NOT_ALLOWED"),
        (with(base(), "/headers/accept", "text/html"), 406, "NOT_ACCEPTABLE"),
        (with(base(), "/headers/content-type", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (with(base(), "/body", "x".repeat(101)), 413, "PAYLOAD_TOO_LARGE"),
        (with(base(), "/body", "{"), 400, "INVALID_REQUEST"),
        (with(base(), "/body", Value::Null), 400, "INVALID_REQUEST"),
        (with(base(), "/headers/idempotency-key", "ä"), 400, "INVALID_REQUEST"),
        (request("absent"), 404, "NOT_FOUND"),
        (request("hidden"), 404, "NOT_FOUND"),
        (request("forbidden"), 403, "FORBIDDEN"),
        (request("undecided"), 409, "UNDECIDED"),
        (request("undeclared"), 500, "INTERNAL_ERROR"),
        (request("broken"), 500, "INTERNAL_ERROR"),
        (request("panic"), 500, "INTERNAL_ERROR"),
        (request("hang"), 504, "TIMED_OUT"),
        (json!({ "httpMethod": "GET" }), 400, "INVALID_REQUEST"),
    ];
    for (event, status, code) in cases {
        let recorder = Arc::new(Recorder::default());
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!((answered.status, answered.code()), (status, code), "{event}");
        assert!(!answered.raw.contains("hunter2"), "{}", answered.raw);
        assert_eq!(recorder.items_of(OUTBOX).len(), 0, "{event}");
        let line: Value = serde_json::from_str(&answered.aftermath.lines[0]).unwrap();
        assert_eq!(line["status"], status.to_string());
        assert_eq!(line.get("error").is_some(), status >= 500, "{line}");
    }
}

#[tokio::test]
async fn all_violations_of_a_request_are_in_one_response() {
    let recorder = Arc::new(Recorder::default());
    let event = with(request("x"), "/body", r#"{"text":7,"more":1}"#);
    let event = with(event, "/headers/idempotency-key", "no spaces please");
    let answered = ask(&post_note(&recorder), &event).await;
    let details = answered.body["error"]["details"].as_array().unwrap();
    let fields: Vec<&str> = details.iter().map(|d| d["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["/more", "/text", "header.Idempotency-Key"]);
}

#[tokio::test]
async fn an_unsupported_body_is_415_with_the_supported_types_and_codings() {
    for (header, value, told, offered) in [
        ("content-type", "text/plain", "accept", "application/json"),
        ("content-type", "application/problem+json", "accept", "application/json"),
        ("content-type", "application/json; charset=latin1", "accept", "application/json"),
        ("content-encoding", "gzip", "accept-encoding", "identity"),
    ] {
        let recorder = Arc::new(Recorder::default());
        let event = with(request("x"), &format!("/headers/{header}"), value);
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!((answered.status, answered.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{value}");
        assert_eq!(answered.headers[told], offered, "{value}");
    }
}

#[tokio::test]
async fn no_response_to_an_invalid_request_exceeds_16_kib() {
    let long = "\u{1}~/\u{1f980}\"".repeat(20_000);
    let names = (0..5_000).map(|n| format!("{n}%01=1")).collect::<Vec<_>>().join("&");
    let asked = || get_request("x");
    let mut many = json!({ "noteId": long });
    for number in 0..5_000 {
        many[format!("{number}{}", &long[..1_000])] = "x".into();
    }
    for event in [
        with(asked(), "/rawPath", format!("/{long}")),
        with(asked(), "/pathParameters", many),
        with(with(asked(), "/rawQueryString", names), "/headers/x-request-id", long.clone()),
        json!({ "version": long, "requestContext": long, "headers": {} }),
    ] {
        for accept in ["application/json", "application/problem+json", &long] {
            let recorder = Arc::new(Recorder::default());
            let event = with(event.clone(), "/headers/accept", accept);
            let answered = ask(&get_note(&recorder), &event).await;
            assert!([400, 404, 406].contains(&answered.status), "{}", answered.raw);
            assert!(answered.raw.len() <= 16 * 1024, "{} bytes", answered.raw.len());
        }
    }
}

#[tokio::test]
async fn problem_details_have_the_same_data_if_the_client_accepts_them() {
    let recorder = Arc::new(Recorder::default());
    let event = with(request(""), "/headers/accept", "application/problem+json");
    let answered = ask(&post_note(&recorder), &event).await;
    assert_eq!(answered.headers["content-type"], "application/problem+json");
    let expected = json!({
        "type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": "The request is invalid.", "instance": "/notes", "code": "INVALID_REQUEST",
        "traceId": "req-1", "errors": [{ "field": "/text", "message": "must not be empty" }],
    });
    assert_eq!(answered.body, expected);
}

#[tokio::test]
async fn a_request_id_that_is_invalid_is_replaced() {
    for (sent, kept) in [("a", true), ("", false), ("a b", false), (&"x".repeat(129), false)] {
        let recorder = Arc::new(Recorder::default());
        let event = with(request("x"), "/headers/x-request-id", sent);
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!(answered.headers["x-request-id"] == sent, kept, "{sent:?}");
    }
}

#[tokio::test]
async fn a_repeated_key_replays_the_first_response_byte_for_byte() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    let event = with(request("hello"), "/headers/idempotency-key", "k-1");
    let first = ask(&handler, &event).await;
    let again = ask(&handler, &with(event, "/headers/x-request-id", "req-2")).await;
    assert_eq!((again.status, &again.raw), (201, &first.raw));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["x-request-id"], "req-2");
    assert!(first.headers.get("idempotency-replayed").is_none());
    assert_eq!(
        (recorder.items_of(OUTBOX).len(), recorder.items_of(IDEMPOTENCY_KEYS).len()),
        (1, 1)
    );
    assert!(again.aftermath.tertiary.count() == 0);
}

#[tokio::test]
async fn a_repeated_key_with_another_body_is_422() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    ask(&handler, &with(request("one"), "/headers/idempotency-key", "k-1")).await;
    let other = ask(&handler, &with(request("two"), "/headers/idempotency-key", "k-1")).await;
    assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    let event = with(request("two"), "/headers/idempotency-key", "k-1");
    let stranger = with(event, "/requestContext/authorizer/lambda/sub", "bob");
    assert_eq!(ask(&handler, &stranger).await.status, 201, "a key belongs to its caller");
}

#[tokio::test]
async fn a_response_is_replayed_even_if_the_request_would_be_rejected_now() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    let shelf = serde_dynamo::to_item(Shelf { room: 1 }).unwrap();
    recorder.store(NOTES, Key::new("shelf"), shelf);
    let event = with(request("last"), "/headers/idempotency-key", "k-1");
    let first = ask(&handler, &event).await;
    assert_eq!((ask(&handler, &event).await.raw, first.status), (first.raw, 201));
    let refused = ask(&handler, &request("one more")).await;
    assert_eq!((refused.status, refused.code()), (422, "SHELF_FULL"));
    assert_eq!(refused.body["error"]["details"][0]["field"], "/text");
}

#[tokio::test]
async fn a_commit_with_a_lost_response_is_201_on_a_retry_with_the_same_key() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    recorder.faults().lose_answer = true;
    let event = with(request("hello"), "/headers/idempotency-key", "k-1");
    assert_eq!(ask(&handler, &event).await.status, 504);
    assert_eq!(ask(&handler, &event).await.status, 201);
    assert_eq!(recorder.items_of(OUTBOX).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_repeats_the_stages_with_the_same_effects() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    recorder.faults().conflicts = 24;
    assert_eq!(ask(&handler, &request("hello")).await.status, 201);
    assert_eq!(handler.endpoint.retrievals.load(Ordering::SeqCst), 25);
    assert_eq!(recorder.items_of(OUTBOX).len(), 1);

    recorder.faults().conflicts = 25;
    let answered = ask(&handler, &request("hello")).await;
    assert_eq!((answered.status, answered.code()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!(answered.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_failed_tertiary_effect_does_not_change_the_response() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_down = true;
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    answered.aftermath.perform().await;
    assert_eq!((answered.status, recorder.calls().len()), (201, 2));
}

#[tokio::test(start_paused = true)]
async fn a_slow_queue_does_not_delay_the_response() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_slow = Duration::from_secs(2);
    let began = tokio::time::Instant::now();
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    answered.aftermath.perform().await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
}

fn get_request(id: &str) -> Value {
    json!({
        "version": "2.0", "rawPath": format!("/notes/{id}"), "rawQueryString": "",
        "pathParameters": { "noteId": id }, "headers": {},
        "requestContext": { "http": { "method": "GET", "sourceIp": "192.0.2.1" } },
    })
}

fn store_note(recorder: &Recorder) -> String {
    let id = "0190b0a0-0000-7000-8000-000000000000".to_owned();
    let note = Note { id: id.clone(), author: "ada".to_owned(), text: "hi".to_owned() };
    recorder.store(NOTES, note.key(), serde_dynamo::to_item(&note).unwrap());
    id
}

#[tokio::test]
async fn a_get_has_an_entity_tag_and_is_304_if_the_client_sends_it() {
    let recorder = Arc::new(Recorder::default());
    let handler = get_note(&recorder);
    let event = get_request(&store_note(&recorder));
    let first = ask(&handler, &event).await;
    assert_eq!(
        (first.status, &first.headers["cache-control"]),
        (200, &json!("public, max-age=60"))
    );
    let again = with(
        event,
        "/headers/if-none-match",
        format!("\"x\", W/{}", first.headers["etag"].as_str().unwrap()),
    );
    let again = ask(&handler, &again).await;
    assert_eq!((again.status, again.raw.as_str()), (304, ""));
    assert_eq!(again.headers["etag"], first.headers["etag"]);
    assert!(again.headers.get("content-type").is_none());
}

#[tokio::test]
async fn an_invalid_path_parameter_is_400_with_its_field() {
    let recorder = Arc::new(Recorder::default());
    let answered = ask(&get_note(&recorder), &get_request("1%20OR%201=1")).await;
    assert_eq!((answered.status, answered.code()), (400, "INVALID_REQUEST"));
    assert_eq!(answered.body["error"]["details"][0]["field"], "path.noteId");
}

#[tokio::test]
async fn an_exact_limit_is_never_exceeded_and_is_429_with_retry_after() {
    let recorder = Arc::new(Recorder::default());
    let handler = get_note(&recorder);
    let event = get_request(&store_note(&recorder));
    for left in ["r=2", "r=1", "r=0"] {
        let answered = ask(&handler, &event).await;
        assert_eq!(answered.status, 200);
        assert!(answered.headers["ratelimit"].as_str().unwrap().contains(left));
        assert_eq!(answered.headers["ratelimit-policy"], "\"default\";q=3;w=60");
    }
    let refused = ask(&handler, &event).await;
    assert_eq!((refused.status, refused.code()), (429, "RATE_LIMIT_EXCEEDED"));
    assert!(refused.headers.get("retry-after").is_some());
    let other = with(event, "/requestContext/http/sourceIp", "192.0.2.2");
    assert_eq!(ask(&handler, &other).await.status, 200, "addresses are counted separately");
}

#[tokio::test]
async fn an_approximate_limit_admits_requests_while_its_store_is_down() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    recorder.faults().limiter_down = true;
    for _ in 0..5 {
        let answered = ask(&handler, &request("undecided")).await;
        answered.aftermath.perform().await;
        assert_eq!(answered.status, 409);
    }
}

#[tokio::test]
async fn an_exact_limit_counts_in_memory_while_its_store_is_down() {
    let recorder = Arc::new(Recorder::default());
    let handler = get_note(&recorder);
    let event = get_request(&store_note(&recorder));
    recorder.faults().limiter_down = true;
    for status in [200, 200, 200, 429, 429] {
        let answered = ask(&handler, &event).await;
        assert_eq!(answered.status, status);
        assert_eq!(answered.headers["ratelimit-policy"], "\"default\";q=3;w=60");
    }
    let other = with(event, "/requestContext/http/sourceIp", "192.0.2.2");
    assert_eq!(ask(&handler, &other).await.status, 200, "addresses are counted separately");
}

#[tokio::test]
async fn the_general_quota_of_a_deployment_does_not_change_exact_limits() {
    for (quota, exact, admitted) in [(Some(5), None, 3), (None, Some(1), 1), (Some(1), Some(5), 5)]
    {
        let recorder = Arc::new(Recorder::default());
        let mut handler = get_note(&recorder);
        let settings = &mut Arc::get_mut(&mut handler.shared).unwrap().settings;
        (settings.rate_limit, settings.exact_rate_limit) = (quota, exact);
        let event = get_request(&store_note(&recorder));
        for _ in 0..admitted {
            assert_eq!(ask(&handler, &event).await.status, 200, "{quota:?} {exact:?}");
        }
        assert_eq!(ask(&handler, &event).await.status, 429, "{quota:?} {exact:?}");
    }
}

#[tokio::test]
async fn a_429_of_another_limit_has_no_headers_of_the_routes_limit() {
    let recorder = Arc::new(Recorder::default());
    let answered = ask(&post_note(&recorder), &request("limited")).await;
    assert_eq!((answered.status, answered.code()), (429, "RATE_LIMIT_EXCEEDED"));
    assert_eq!(answered.headers["retry-after"], "7");
    assert_eq!(answered.headers.get("ratelimit"), None);
    assert_eq!(answered.headers.get("ratelimit-policy"), None);
}

#[tokio::test]
async fn deferred_work_has_the_id_of_its_request() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    let settings = &mut Arc::get_mut(&mut handler.shared).unwrap().settings;
    settings.collector = Some("http://collector.example".to_owned());
    settings.rate_limit = Some(1);
    recorder.faults().queues_down = true;
    let answered = ask(&handler, &request("hello")).await;
    for line in &answered.aftermath.lines {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["requestId"], "req-1", "{line}");
    }
    answered.aftermath.perform().await;
    assert!(
        recorder.calls().iter().any(|call| matches!(call, Call::Count(..))),
        "the count is exchanged"
    );
    let asked_for = recorder.asked_for.lock().unwrap();
    assert!(asked_for.iter().all(|id| id.as_deref() == Some("req-1")), "{asked_for:?}");
    assert_eq!(logged.of("a tertiary effect failed")[0]["requestId"], "req-1");
    let exported = recorder.exported.lock().unwrap();
    let body: Value = serde_json::from_slice(&exported[0].2).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let named = json!({ "key": "request.id", "value": { "stringValue": "req-1" } });
    assert!(spans.len() > 1);
    for span in spans {
        assert!(span["attributes"].as_array().unwrap().contains(&named), "{span}");
    }
}

#[tokio::test]
async fn tracestate_is_in_the_outbox_and_in_messages() {
    let recorder = Arc::new(Recorder::default());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = with(request("hello"), "/headers/traceparent", parent);
    let event = with(event, "/headers/tracestate", "vendor=1");
    ask(&post_note(&recorder), &event).await.aftermath.perform().await;
    let row = OutboxRow::of_item(recorder.items_of(OUTBOX).remove(0)).unwrap();
    assert_eq!(row.envelope.tracestate.as_deref(), Some("vendor=1"));
    assert_eq!(recorder.sent()[0].envelope.tracestate.as_deref(), Some("vendor=1"));
}

#[tokio::test]
async fn approximate_counts_are_exchanged_after_the_response() {
    let recorder = Arc::new(Recorder::default());
    let (here, there) = (post_note(&recorder), post_note(&recorder));
    let mut statuses = Vec::new();
    // Two execution environments share a quota of 120, and exchange counts every second request.
    for turn in 0..140 {
        let handler = if turn % 2 == 0 { &here } else { &there };
        let answered = ask(handler, &request("undecided")).await;
        statuses.push(answered.status);
        assert!(!recorder.calls().iter().any(|call| matches!(call, Call::Commit(_))));
        answered.aftermath.perform().await;
    }
    let admitted = statuses.iter().filter(|status| **status == 409).count();
    // Each environment may be a few requests behind the other's count.
    assert!((120..=124).contains(&admitted), "{admitted}");
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn only_an_unsampled_traceparent_suppresses_spans() {
    let parent = |flags| format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
    let x_ray = |sampled| format!("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled={sampled}");
    for (traceparent, x_ray, posts) in [
        (None, None, 1),
        (Some(parent("00")), None, 0),
        (Some(parent("01")), None, 1),
        (None, Some(x_ray("0")), 1),
        (None, Some(x_ray("1")), 1),
        (Some(parent("00")), Some(x_ray("1")), 0),
        (Some(parent("01")), Some(x_ray("0")), 1),
        (Some("nonsense".to_owned()), Some(x_ray("0")), 1),
    ] {
        let recorder = Arc::new(Recorder::default());
        let mut handler = post_note(&recorder);
        let settings = &mut Arc::get_mut(&mut handler.shared).unwrap().settings;
        settings.collector = Some("http://collector.example".to_owned());
        let mut event = request("hello");
        if let Some(traceparent) = &traceparent {
            event = with(event, "/headers/traceparent", traceparent.as_str());
        }
        let invocation = Invocation {
            event: Bytes::from(event.to_string()),
            deadline: Deadline::after(Duration::from_secs(10)),
            x_ray: x_ray.clone(),
            cold_start: false,
        };
        handler.handle(invocation).await.deferred.unwrap().perform().await;
        let sent = recorder.exported.lock().unwrap().len();
        assert_eq!(sent, posts, "{traceparent:?} {x_ray:?}");
        let flags = if posts == 1 { "-01" } else { "-00" };
        let passed_on = recorder.sent()[0].envelope.traceparent.clone().unwrap();
        assert!(passed_on.ends_with(flags), "{traceparent:?} {x_ray:?}: {passed_on}");
    }
}

#[tokio::test]
async fn spans_are_sent_to_a_configured_collector_in_the_clients_trace() {
    let recorder = Arc::new(Recorder::default());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = with(request("hello"), "/headers/traceparent", parent);
    ask(&post_note(&recorder), &event).await.aftermath.perform().await;
    assert!(recorder.exported.lock().unwrap().is_empty(), "no export without a collector");

    let mut handler = post_note(&recorder);
    let collected = Arc::get_mut(&mut handler.shared).unwrap();
    collected.settings.collector = Some("http://collector.example/".to_owned());
    collected.settings.collector_headers = vec![("key".to_owned(), "value".to_owned())];
    ask(&handler, &event).await.aftermath.perform().await;
    let exported = recorder.exported.lock().unwrap();
    let [(url, headers, body)] = exported.as_slice() else { panic!("not exactly one export") };
    assert_eq!(url, "http://collector.example/v1/traces");
    assert_eq!(headers, &[("key".to_owned(), "value".to_owned())]);
    let body: Value = serde_json::from_slice(body).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    assert_eq!(spans[0]["name"], "POST /notes");
    assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
    assert!(spans.iter().all(|s| s["traceId"] == "0af7651916cd43dd8448eb211c80319c"));
    assert!(spans[1..].iter().all(|s| s["parentSpanId"] == spans[0]["spanId"]));
    assert!(spans.iter().any(|span| span["name"] == "retrieval"));
    // The event of the request is in the same trace.
    let traceparent = recorder.sent()[1].envelope.traceparent.clone().unwrap();
    assert!(traceparent.contains(spans[0]["spanId"].as_str().unwrap()));
}

#[tokio::test]
async fn only_configured_origins_may_read_responses() {
    let recorder = Arc::new(Recorder::default());
    for (origin, allowed) in [("https://shelf.example", true), ("https://evil.example", false)] {
        let event = with(request("x"), "/headers/origin", origin);
        let answered = ask(&post_note(&recorder), &event).await;
        let header = answered.headers.get("access-control-allow-origin");
        assert_eq!(header.is_some_and(|header| header == origin), allowed, "{origin}");
    }
}
