//! Endpoints and consumers on a memory.

mod bodies;
mod callers;
mod events;
mod keys;
mod parameters;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;
use crate::Timestamp;
use crate::caller::{Access, Anyone, NoRole};
use crate::conditions::Conditions;
use crate::consumer::{DeliveredMessage, Inbox, RecordInput, ScheduledRun, Source};
use crate::effects::{Effects, Write, number, text};
use crate::endpoint::{Allow, Query};
use crate::error::{
    DomainError, ErrorBody, ErrorCode, ErrorContent, ErrorKind, ErrorShape, RetrieveError,
    Retrieved, ServiceError,
};
use crate::input::Path;
use crate::limit::{Limit, MINUTE};
use crate::ports::Store;
use crate::record::{Key, Record, TableName};
use crate::reply;
use crate::resource::{Action, Resource, Resources};
use crate::route::Route;

const VISITS: TableName = TableName::new("visits").partition_key_named("visitId");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
struct Visit {
    id: String,
    room: String,
    at: String,
}

impl Record for Visit {
    const TABLE: TableName = VISITS;

    fn key(&self) -> Key {
        Key::new(&self.id)
    }
}

const ROOM_FULL: ErrorCode = ErrorCode::new(ErrorKind::Conflict, "ROOM_FULL", "The room is full.");
/// No endpoint lists it.
const ROOM_CLOSED: ErrorCode =
    ErrorCode::new(ErrorKind::Conflict, "ROOM_CLOSED", "The room is closed.");

/// Notes a visit to a room.
struct PostVisit;

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct Room {
    room: String,
}

impl Endpoint for PostVisit {
    const ROUTE: Route = Route::post("/rooms/{room}/visits");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::exact(3, MINUTE);
    const RESOURCES: Resources = &[Resource::Table(VISITS, &[Action::PutItem])];
    type Input = Path<Room>;
    type Command = Room;
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, room: &Room) -> Retrieved<()> {
        match room.room.as_str() {
            "locked" => Err(RetrieveError::NotFound),
            "burnt" => Err(ServiceError::internal("no room is left").into()),
            _ => Ok(()),
        }
    }

    const ALLOW: Allow<Self> = Allow::ForbidUnless(|_, room: &Room, ()| room.room != "private");
    const CONDITIONS: Conditions<()> = Conditions::Creation(None);
    const ERRORS: &'static [ErrorCode] = &[ROOM_FULL];
    type Outcome = Visit;

    fn decide(moment: &Moment, _: &Anyone, room: &Room, (): ()) -> Result<Visit, DomainError> {
        match room.room.as_str() {
            "full" => return Err(ROOM_FULL.into()),
            "closed" => return Err(ROOM_CLOSED.into()),
            _ => {}
        }
        let (id, at) = (moment.id("visit").to_string(), moment.now().to_string());
        Ok(Visit { id, room: room.room.clone(), at })
    }

    fn effects(visit: &Visit) -> Effects {
        Effects::none().write(Write::create(visit))
    }

    type Reply = reply::Created<Visit>;

    fn reply(visit: Visit) -> reply::Created<Visit> {
        reply::Created::at(format!("/visits/{}", visit.id), visit)
    }
}

/// The visits of a room, with errors in the service's own shape.
struct GetVisits;

impl Query for GetVisits {
    const ROUTE: Route = Route::get("/rooms/{room}/visits");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const RESOURCES: Resources = &[];
    type Input = Path<Room>;
    type Command = Room;
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &Room) -> Retrieved<()> {
        Err(RetrieveError::NotFound)
    }

    const ALLOW: Allow<Self> = Allow::HideUnless(|_, _, ()| true);
    const ERROR_SHAPE: ErrorShape = ErrorShape::of::<Flat>();
    type Reply = reply::NoContent;

    fn reply((): ()) -> reply::NoContent {
        reply::NoContent
    }
}

struct Flat;

impl ErrorBody for Flat {
    const MEDIA_TYPE: &'static str = "application/json";

    fn body(error: &ErrorContent<'_>) -> Value {
        json!({ "reason": error.code })
    }

    fn schema() -> Value {
        json!({ "type": "object", "required": ["reason"] })
    }
}

#[tokio::test]
async fn an_endpoint_with_its_own_shape_of_errors_sends_and_describes_it() {
    let answer = endpoint(GetVisits, &Memory::new()).ask(&to_kitchen()).await;
    assert_eq!((answer.status, answer.json()), (404, json!({ "reason": "NOT_FOUND" })));
    let described = crate::describe::endpoint::<GetVisits>();
    let expected = json!({ "mediaType": "application/json", "schema": Flat::schema() });
    assert_eq!(described["errorBody"], expected);
    let refusals = described["refusals"].as_array().unwrap();
    assert!(refusals.iter().any(|refusal| refusal["body"] == json!({ "reason": "NOT_FOUND" })));
    let standard = crate::describe::endpoint::<PostVisit>();
    assert_eq!((&standard["errorBody"], standard["refusals"][0].get("body")), (&Value::Null, None));
}

fn to_kitchen() -> Request {
    Request::new().path("room", "kitchen")
}

#[tokio::test]
async fn the_same_seed_gives_each_request_of_a_test_the_same_ids() {
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let memory = Memory::new();
        let post_visit = endpoint(PostVisit, &memory).at(at).seeded([7; 32]);
        for _ in 0..2 {
            let answer = post_visit.ask(&to_kitchen()).await;
            assert_eq!(
                (answer.status, answer.json()["data"]["at"].as_str()),
                (201, Some("2026-03-01T12:00:00.000Z"))
            );
            ids.push(answer.json()["data"]["id"].clone());
        }
        assert_eq!(memory.items(VISITS).len(), 2);
    }
    assert_eq!(ids[..2], ids[2..]);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_request_passes_all_stages_with_their_errors_limits_and_log_line() {
    let memory = Memory::new();
    let post_visit = endpoint(PostVisit, &memory);
    let locked = post_visit.ask(&Request::new().path("room", "locked")).await;
    assert_eq!((locked.status, &locked.json()["error"]["code"]), (404, &json!("NOT_FOUND")));
    assert_eq!(locked.lines[0]["path"], "/rooms/{room}/visits");
    assert_eq!(locked.lines[0]["function"], "test");
    assert_eq!(locked.lines[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"], "test");
    for status in [201, 201, 429] {
        assert_eq!(post_visit.ask(&to_kitchen()).await.status, status);
    }
    assert_eq!(memory.commits().len(), 2);
}

#[tokio::test]
async fn a_listed_code_is_answered_and_the_cause_of_a_500_is_in_the_log_line() {
    let post_visit = endpoint(PostVisit, &Memory::new());
    let full = post_visit.ask(&Request::new().path("room", "full")).await;
    assert_eq!((full.status, full.code(), full.cause()), (409, Some("ROOM_FULL"), None));
    let burnt = post_visit.ask(&Request::new().path("room", "burnt")).await;
    assert_eq!((burnt.status, burnt.code()), (500, Some("INTERNAL_ERROR")));
    assert_eq!(burnt.cause(), Some("internal error: no room is left"));
    let done = post_visit.ask(&to_kitchen()).await;
    assert_eq!((done.status, done.code(), done.cause()), (201, None, None));
}

#[tokio::test]
async fn facts_can_forbid_a_request_without_a_role_and_the_description_has_the_403() {
    let post_visit = endpoint(PostVisit, &Memory::new());
    let private = post_visit.ask(&Request::new().path("room", "private")).await;
    assert_eq!((private.status, private.code()), (403, Some("FORBIDDEN")));
    let codes = |described: Value| described["refusals"].to_string();
    assert!(codes(crate::describe::endpoint::<PostVisit>()).contains("FORBIDDEN"));
    assert!(!codes(crate::describe::endpoint::<GetVisits>()).contains("FORBIDDEN"));
}

#[tokio::test]
#[should_panic(expected = "refuses with ROOM_CLOSED, which its ERRORS lack")]
async fn a_code_that_the_endpoint_does_not_list_fails_the_test() {
    endpoint(PostVisit, &Memory::new()).ask(&Request::new().path("room", "closed")).await;
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_conflicts_is_tried_again_with_the_same_id() {
    let memory = Memory::new();
    memory.conflict(3);
    let answer = endpoint(PostVisit, &memory).ask(&to_kitchen()).await;
    assert_eq!((answer.status, &answer.lines[0]["attempts"]), (201, &json!(4)));
    assert_eq!(memory.items(VISITS).len(), 1);
}

#[tokio::test]
async fn a_permit_calls_stage_6_alone() {
    let moment = Moment::new(Timestamp::from_millis(0), [0; 32]);
    let permit = permit(Anyone, moment);
    let room = Room { room: "locked".to_owned() };
    let retrieved = Endpoint::retrieve(&PostVisit, &permit, &room).await;
    assert!(matches!(retrieved, Err(RetrieveError::NotFound)));
}

/// Counts the visits of the stream.
struct CountVisits;

impl Consumer for CountVisits {
    const SOURCE: Source = Source::Stream(VISITS);
    const RESOURCES: Resources = &[Resource::Table(VISITS, &[Action::UpdateItem])];
    type Input = Seen;
    type Command = Seen;
    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, seen: &Seen) -> Retrieved<()> {
        if seen.room == "broken" { Err(RetrieveError::internal("broken")) } else { Ok(()) }
    }

    fn decide(_: &Moment, _: &Seen, (): ()) -> Result<Effects, DomainError> {
        let total = Write::update::<Visit>(Key::new("total")).set("id", text("total"));
        Ok(Effects::none().write(total.add("count", 1)))
    }
}

#[derive(Debug, Deserialize)]
struct Seen {
    id: String,
    room: String,
}

impl RecordInput for Seen {
    fn event_id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

fn visit(id: &str, room: &str) -> Visit {
    Visit { id: id.to_owned(), room: room.to_owned(), at: String::new() }
}

#[tokio::test]
async fn images_of_a_stream_have_one_effect_each_and_a_failed_one_is_named() {
    let memory = Memory::new();
    let count = consumer(CountVisits, &memory);
    let visits = [visit("1", "kitchen"), visit("2", "broken"), visit("3", "hall")];
    for _ in 0..2 {
        assert_eq!(count.images(&visits).await.failed, [1]);
    }
    let total = memory.read(VISITS, &Key::new("total")).await.unwrap().unwrap();
    assert_eq!(total.get("count"), Some(&number(2)), "{total:?}");
}

#[tokio::test]
async fn images_of_one_item_wait_for_a_failed_one() {
    let visits = [visit("1", "broken"), visit("1", "kitchen"), visit("2", "hall")];
    assert_eq!(consumer(CountVisits, &Memory::new()).images(&visits).await.failed, [0, 1]);
}

/// Removes the visits, if the run is not broken.
struct Clean {
    store: Arc<dyn Store>,
}

impl Consumer for Clean {
    const SOURCE: Source = Source::Schedule(crate::consumer::Schedule::every_minutes(1));
    const INBOX: Inbox = Inbox::None;
    const RESOURCES: Resources = &[Resource::Table(VISITS, &[Action::GetItem, Action::DeleteItem])];
    type Input = ScheduledRun;
    type Command = ScheduledRun;
    type Facts = bool;

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, run: &ScheduledRun) -> Retrieved<bool> {
        if run.id == "broken" {
            return Err(RetrieveError::internal("broken"));
        }
        Ok(self.store.read(VISITS, &Key::new("1")).await?.is_some())
    }

    fn decide(_: &Moment, _: &ScheduledRun, is_there: bool) -> Result<Effects, DomainError> {
        let removal = is_there.then(|| Write::delete::<Visit>(Key::new("1")));
        Ok(Effects::none().writes_of(removal))
    }
}

#[tokio::test]
async fn a_run_of_a_schedule_changes_the_memory_and_a_failed_one_is_named() {
    let memory = Memory::new();
    memory.put(&visit("1", "kitchen"));
    let clean = consumer(Clean { store: Arc::new(memory.clone()) }, &memory);
    assert_eq!(clean.run("broken").await.failed, [0]);
    assert_eq!(memory.get::<Visit>(&Key::new("1")), Some(visit("1", "kitchen")));
    assert!(clean.run("run-1").await.failed.is_empty());
    assert_eq!(memory.get::<Visit>(&Key::new("1")), None);
}
