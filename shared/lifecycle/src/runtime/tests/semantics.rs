//! HTTP semantics of every endpoint: conditions, methods, caches, prefixes and limits.

mod costs;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use uuid::Uuid;

use super::notes::{Member, NOTES, Note, NotePath, Role};
use super::recorder::{Call, Recorder};
use super::{ask, endpoint, get_note, get_request, post_note, request, shared, store_note, with};
use crate::caller::Access;
use crate::conditions::Conditions;
use crate::effects::{Effects, Write};
use crate::endpoint::{Allow, Endpoint};
use crate::error::{DomainError, ErrorCode, ErrorKind, RetrieveError, Retrieved};
use crate::idempotency::Idempotency;
use crate::input::{Json, Path};
use crate::limit::{Limit, Limiter, MINUTE};
use crate::ports::Store;
use crate::record::{Key, Record};
use crate::reply;
use crate::resource::{Action, Needs, Resource, Resources};
use crate::route::Route;
use crate::source::TrustedHops;
use crate::{EntityTag, Moment, Permit};

/// Removes a note. Its version is the length of its text.
struct DeleteNote {
    platform: Arc<Recorder>,
}

impl Endpoint for DeleteNote {
    const ROUTE: Route = Route::delete("/notes/{noteId}");
    type Caller = Member;
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Author]);
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[Action::GetItem, Action::DeleteItem])];
    type Input = Path<NotePath>;
    type Command = Uuid;

    type Facts = Note;

    async fn retrieve(&self, _: &Permit<Member>, id: &Uuid) -> Retrieved<Note> {
        let item =
            self.platform.read(NOTES, &Key::new(id)).await?.ok_or(RetrieveError::NotFound)?;
        serde_dynamo::from_item(item).map_err(RetrieveError::internal)
    }

    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<Note> =
        Conditions::On(|note| Some(EntityTag::of_version(note.text.len() as u64)));

    type Outcome = Note;

    fn decide(_: &Moment, _: &Member, _: &Uuid, note: Note) -> Result<Note, DomainError> {
        Ok(note)
    }

    fn effects(note: &Note) -> Effects {
        Effects::none().write(Write::delete::<Note>(note.key()))
    }

    type Reply = reply::NoContent;

    fn reply(_: Note) -> reply::NoContent {
        reply::NoContent
    }
}

/// Adds a note under the client's id, once for each copy.
struct PutAway;

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct Copies {
    id: String,
    copies: u32,
}

const TITLE_TAKEN: ErrorCode = ErrorCode::new(ErrorKind::Conflict, "TITLE_TAKEN", "Is taken.");
const ID_TAKEN: ErrorCode = ErrorCode::new(ErrorKind::Conflict, "ID_TAKEN", "Is taken.");

impl Endpoint for PutAway {
    const ROUTE: Route = Route::post("/copies");
    type Caller = Option<Member>;
    const ACCESS: Access<Role> = Access::Public;
    const LIMIT: Limit = Limit::approximate(120, MINUTE);
    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const COST_MAX: u32 = 50;
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[Action::PutItem])];
    type Input = Json<Copies>;
    type Command = Copies;

    fn cost(command: &Copies) -> u32 {
        command.copies
    }

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Option<Member>>, _: &Copies) -> Retrieved<()> {
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<()> = Conditions::Creation(Some(ID_TAKEN));
    type Outcome = Note;
    const ERRORS: &'static [ErrorCode] = &[TITLE_TAKEN, ID_TAKEN];

    fn decide(
        _: &Moment,
        _: &Option<Member>,
        copies: &Copies,
        (): (),
    ) -> Result<Note, DomainError> {
        if copies.id == "reserved" {
            return Err(ID_TAKEN.into());
        }
        Ok(Note { id: copies.id.clone(), author: String::new(), text: String::new() })
    }

    fn effects(note: &Note) -> Effects {
        let title = Note { id: format!("title of {}", note.id), ..note.clone() };
        Effects::none()
            .write(Write::create(&title).or_reject(TITLE_TAKEN))
            .write(Write::create(note).or_reject(ID_TAKEN))
    }

    type Reply = reply::Created<Note>;

    fn reply(note: Note) -> reply::Created<Note> {
        let path = format!("/notes/{}", note.id);
        reply::Created::at(path, note)
    }
}

fn delete_note(recorder: &Arc<Recorder>) -> endpoint::Handler<DeleteNote> {
    let endpoint = DeleteNote { platform: Arc::clone(recorder) };
    endpoint::Handler::new(endpoint, shared(recorder))
}

fn put_away(recorder: &Arc<Recorder>) -> endpoint::Handler<PutAway> {
    endpoint::Handler::new(PutAway, shared(recorder))
}

fn delete_request(id: &str) -> Value {
    let event = with(get_request(id), "/requestContext/http/method", "DELETE");
    with(event, "/requestContext/authorizer", request("")["requestContext"]["authorizer"].clone())
}

fn copies(id: &str, copies: u32) -> Value {
    let event = with(request(""), "/rawPath", "/copies");
    let event = with(event, "/requestContext/authorizer", Value::Null);
    with(event, "/body", json!({ "id": id, "copies": copies }).to_string())
}

#[test]
fn an_endpoint_needs_the_calls_of_its_resources_its_limits_and_its_key() {
    let of = |needs: Needs| [needs.commits, needs.counts, needs.queues, needs.mail];
    let [deleting, putting, reading] = [
        of(Needs::of_endpoint::<DeleteNote>()),
        of(Needs::of_endpoint::<PutAway>()),
        of(Needs::of_endpoint::<super::notes::GetNote>()),
    ];
    assert_eq!([deleting, putting], [[true, true, false, false]; 2]);
    assert_eq!(reading, [false, true, false, false]);
}

#[tokio::test]
async fn a_change_with_a_failed_condition_is_412_and_changes_nothing() {
    for (header, value, status) in [
        ("if-match", "\"2\"", 204),
        ("if-match", "\"1\", \"2\"", 204),
        ("if-match", "*", 204),
        ("if-none-match", "\"1\"", 204),
        ("if-match", "\"1\"", 412),
        ("if-match", "W/\"2\"", 412),
        ("if-none-match", "*", 412),
        ("if-none-match", "\"2\"", 412),
        ("if-none-match", "W/\"2\"", 412),
        ("if-match", "2", 400),
        ("if-none-match", "\"2", 400),
    ] {
        let recorder = Arc::new(Recorder::default());
        let event = delete_request(&store_note(&recorder));
        let event = with(event, &format!("/headers/{header}"), value);
        let answered = ask(&delete_note(&recorder), &event).await;
        assert_eq!(answered.status, status, "{header}: {value}");
        assert_eq!(recorder.items_of(NOTES).len(), usize::from(status != 204), "{value}");
        if status == 412 {
            assert_eq!(answered.code(), "PRECONDITION_FAILED");
        }
    }
}

#[tokio::test]
async fn if_none_match_on_a_creation_is_412_if_the_clients_id_is_taken() {
    let recorder = Arc::new(Recorder::default());
    let handler = put_away(&recorder);
    let asked = async |header: &str, value: &str, id: &str| {
        let event = with(copies(id, 1), &format!("/headers/{header}"), value);
        let answered = ask(&handler, &event).await;
        (answered.status, answered.code().to_owned())
    };
    for (header, value) in [("if-match", "\"1\""), ("if-match", "*")] {
        assert_eq!(asked(header, value, "new").await, (412, "PRECONDITION_FAILED".to_owned()));
    }
    assert_eq!(recorder.calls().iter().filter(|c| matches!(c, Call::Commit(_))).count(), 0);
    assert_eq!(asked("if-none-match", "*", "one").await.0, 201);
    // The title is also taken; the condition is about the id.
    let again = asked("if-none-match", "*", "one").await;
    assert_eq!(again, (412, "PRECONDITION_FAILED".to_owned()));
    assert_eq!(asked("x-other", "*", "one").await, (409, "TITLE_TAKEN".to_owned()));
    // Here stage 7 finds it out.
    let reserved = asked("if-none-match", "*", "reserved").await;
    assert_eq!(reserved, (412, "PRECONDITION_FAILED".to_owned()));
    assert_eq!(asked("x-other", "*", "reserved").await, (409, "ID_TAKEN".to_owned()));
}

#[tokio::test]
async fn a_stored_response_is_replayed_despite_a_failed_condition() {
    let recorder = Arc::new(Recorder::default());
    let handler = put_away(&recorder);
    let event = with(copies("one", 1), "/headers/if-none-match", "*");
    let event = with(event, "/headers/idempotency-key", "k-1");
    let first = ask(&handler, &event).await;
    let again = ask(&handler, &event).await;
    assert_eq!((first.status, again.status, again.raw), (201, 201, first.raw));
    assert_eq!(again.headers["idempotency-replayed"], "true");
}

#[tokio::test]
async fn a_get_with_if_match_of_another_version_is_412() {
    let recorder = Arc::new(Recorder::default());
    let event = get_request(&store_note(&recorder));
    let handler = || put_limit_off(&recorder);
    let tag = ask(&handler(), &event).await.headers["etag"].as_str().unwrap().to_owned();
    for (value, status) in [(&*tag, 200), ("*", 200), ("\"x\"", 412), ("x", 400)] {
        let event = with(event.clone(), "/headers/if-match", value);
        assert_eq!(ask(&handler(), &event).await.status, status, "{value}");
    }
}

#[tokio::test]
async fn a_head_has_the_status_and_headers_of_a_get_without_its_body() {
    let recorder = Arc::new(Recorder::default());
    let id = store_note(&recorder);
    let handler = get_note(&recorder);
    for (path, status) in [(&*id, 200), ("01234567-0000-7000-8000-000000000000", 404)] {
        let get = ask(&handler, &get_request(path)).await;
        let event = with(get_request(path), "/requestContext/http/method", "HEAD");
        let head = ask(&put_limit_off(&recorder), &event).await;
        assert_eq!((head.status, get.status, head.raw.as_str()), (status, status, ""));
        assert_eq!(head.headers["content-length"], get.raw.len().to_string());
        for name in ["content-type", "cache-control", "etag", "vary"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{name}");
        }
        let line: Value = serde_json::from_str(&head.deferred.lines[0]).unwrap();
        assert_eq!((&line["method"], &line["path"]), (&json!("HEAD"), &json!("/notes/{noteId}")));
    }
}

/// A handler with no requests counted, and a limit that the test does not reach.
fn put_limit_off(recorder: &Arc<Recorder>) -> endpoint::Handler<super::notes::GetNote> {
    let mut handler = get_note(recorder);
    Arc::get_mut(&mut handler.shared).unwrap().settings.exact_rate_limit = Some(1_000);
    handler
}

#[tokio::test]
async fn another_method_is_405_with_the_allowed_ones() {
    let recorder = Arc::new(Recorder::default());
    for method in ["POST", "PUT", "OPTIONS", "DELETE"] {
        let event = with(get_request("1"), "/requestContext/http/method", method);
        let answered = ask(&get_note(&recorder), &event).await;
        assert_eq!((answered.status, &answered.headers["allow"]), (405, &json!("GET, HEAD")));
    }
    for method in ["GET", "HEAD", "OPTIONS", "PATCH"] {
        let event = with(request("x"), "/requestContext/http/method", method);
        let answered = ask(&post_note(&recorder), &event).await;
        assert_eq!((answered.status, &answered.headers["allow"]), (405, &json!("POST")));
    }
    // Only public endpoints with GET support HEAD; a caller without a token gets the same response.
    let event = with(copies("one", 1), "/requestContext/http/method", "HEAD");
    let answered = ask(&put_away(&recorder), &event).await;
    assert_eq!((answered.status, &answered.headers["allow"]), (405, &json!("POST")));
    let event = with(delete_request("1"), "/requestContext/http/method", "HEAD");
    let answered = ask(&delete_note(&recorder), &event).await;
    assert_eq!((answered.status, &answered.headers["allow"]), (405, &json!("DELETE")));
}

#[tokio::test]
async fn every_response_has_vary_origin_and_accept() {
    let recorder = Arc::new(Recorder::default());
    let event = get_request(&store_note(&recorder));
    let handler = put_limit_off(&recorder);
    let first = ask(&handler, &event).await;
    let tag = first.headers["etag"].as_str().unwrap();
    let of = |origin: &str| with(event.clone(), "/headers/origin", origin);
    for event in [
        event.clone(),
        of("https://shelf.example"),
        of("https://evil.example"),
        with(event.clone(), "/headers/if-none-match", tag),
        with(event.clone(), "/requestContext/http/method", "HEAD"),
        get_request("01234567-0000-7000-8000-000000000000"),
        get_request("no-id"),
    ] {
        let answered = ask(&handler, &event).await;
        assert_eq!(answered.headers["vary"], "Origin, Accept", "{event}");
    }
}

#[tokio::test]
async fn a_stage_or_base_path_changes_only_the_location() {
    for (path, prefix) in [("/v1/notes", "/v1"), ("/prod/notes", "/prod"), ("/notes", "")] {
        let recorder = Arc::new(Recorder::default());
        let event = with(request("hello"), "/rawPath", path);
        let event = with(event, "/routeKey", "POST /notes");
        let answered = ask(&post_note(&recorder), &event).await;
        let id = answered.body["data"]["id"].as_str().unwrap();
        assert_eq!(answered.status, 201);
        assert_eq!(answered.headers["location"], format!("{prefix}/notes/{id}"));
    }
    let recorder = Arc::new(Recorder::default());
    let event = with(request("hello"), "/rawPath", "/prod/notes");
    let event = with(event, "/requestContext/stage", "prod");
    let event = with(event, "/routeKey", "$default");
    assert_eq!(ask(&post_note(&recorder), &event).await.status, 201);
    let event = with(request("hello"), "/routeKey", "POST /other");
    assert_eq!(ask(&post_note(&recorder), &event).await.status, 404);
}

#[tokio::test]
async fn parameters_of_a_default_route_are_read_from_the_path() {
    let recorder = Arc::new(Recorder::default());
    let mut event = get_request(&store_note(&recorder));
    event.as_object_mut().unwrap().remove("pathParameters");
    let event = with(event, "/routeKey", "$default");
    assert_eq!(ask(&get_note(&recorder), &event).await.status, 200);
}

#[tokio::test]
async fn a_body_with_the_same_value_in_another_spelling_is_replayed() {
    let recorder = Arc::new(Recorder::default());
    let handler = put_away(&recorder);
    let signed_in = request("")["requestContext"]["authorizer"].clone();
    let of = |body: &str| {
        let event = with(copies("", 1), "/body", body);
        let event = with(event, "/requestContext/authorizer", signed_in.clone());
        with(event, "/headers/idempotency-key", "k-1")
    };
    let first = ask(&handler, &of(r#"{"id":"a/b","copies":1}"#)).await;
    for body in [r#"{"copies":1,"id":"a/b"}"#, " {\n \"id\": \"\\u0061\\/b\", \"copies\": 1 } "] {
        let again = ask(&handler, &of(body)).await;
        assert_eq!((again.status, &again.raw), (201, &first.raw), "{body}");
    }
    let prefixed = with(of(r#"{"copies":1,"id":"a/b"}"#), "/rawPath", "/v1/copies");
    let prefixed = with(prefixed, "/routeKey", "POST /copies");
    assert_eq!(ask(&handler, &prefixed).await.raw, first.raw);
    let other = ask(&handler, &of(r#"{"id":"a/c","copies":1}"#)).await;
    assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    let other = with(of(r#"{"id":"a/b","copies":1}"#), "/rawQueryString", "a=1");
    assert_eq!(ask(&handler, &other).await.status, 400, "it reads no query");
}

#[tokio::test]
async fn one_anonymous_callers_key_does_not_block_anothers() {
    let recorder = Arc::new(Recorder::default());
    let handler = put_away(&recorder);
    let of = |id| with(copies(id, 1), "/headers/idempotency-key", "1");
    let (one, other) = (ask(&handler, &of("one")).await, ask(&handler, &of("other")).await);
    assert_eq!((one.status, other.status), (201, 201));
    let again = ask(&handler, &of("one")).await;
    assert_eq!((again.status, again.raw), (201, one.raw));
}
