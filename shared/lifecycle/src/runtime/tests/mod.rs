//! The lifecycle on a recorder: its calls in order, and its responses.

mod allowed;
mod authorizer;
mod blocked;
mod conditional_gets;
mod consumers;
mod deferred;
mod described;
mod failure_replies;
mod handover;
#[cfg(unix)]
mod inspected;
mod limits;
mod never_holds;
mod notes;
mod parts;
mod recorder;
mod replays;
mod responses;
mod semantics;
mod simulated;
mod subjects;
mod traces;
mod triggers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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
    let endpoint = PostNote { retrievals: AtomicU32::new(0), gone: AtomicBool::new(false) };
    endpoint::Handler::new(endpoint, shared(recorder))
}

fn get_note(recorder: &Arc<Recorder>) -> endpoint::Handler<GetNote> {
    let endpoint = GetNote { platform: Arc::clone(recorder), verifier: None };
    endpoint::Handler::new(endpoint, shared(recorder))
}

/// The same, with a verifier for requests that have a token.
fn get_note_verified_by(
    recorder: &Arc<Recorder>,
    verifier: Arc<dyn TokenVerifier>,
) -> endpoint::Handler<GetNote> {
    let endpoint = GetNote { platform: Arc::clone(recorder), verifier: Some(verifier) };
    endpoint::Handler::new(endpoint, shared(recorder))
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
    deferred: DeferredWork,
}

impl Answered {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

async fn ask<E: Endpoint>(handler: &endpoint::Handler<E>, event: &Value) -> Answered {
    let handled = handler
        .handle(Invocation {
            invocation_id: "invocation-1".to_owned(),
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
        deferred: handled.deferred.unwrap(),
    }
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
