//! The records of requests for the local platform's console.

use super::notes::{Member, Role};
use super::subjects::{parcel, post_parcel};
use super::*;
use crate::caller::Access;
use crate::endpoint::{Allow, Query};
use crate::error::Retrieved;
use crate::resource::Resources;
use crate::route::Route;
use crate::telemetry::inspector::Inspector;
use crate::telemetry::inspector::captured::Captured;
use crate::{Permit, reply};

fn inspect<E: Endpoint>(handler: &mut endpoint::Handler<E>) -> (Arc<Inspector>, Captured) {
    let (inspector, captured) = Captured::start();
    Arc::get_mut(&mut handler.shared).unwrap().inspector = Some(Arc::clone(&inspector));
    (inspector, captured)
}

fn names(stages: &Value) -> Vec<&str> {
    stages.as_array().unwrap().iter().map(|stage| stage[0].as_str().unwrap()).collect()
}

/// The stages of a request up to this one; its response follows always.
fn up_to(last: &str) -> Vec<&'static str> {
    const ALL: [&str; 9] = [
        "routing",
        "authentication",
        "authorization",
        "limit",
        "deserialization",
        "validation",
        "retrieval",
        "rules",
        "effects",
    ];
    let end = ALL.iter().position(|name| *name == last).unwrap();
    ALL[..=end].iter().copied().chain(["response"]).collect()
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_names_the_stage_that_refused_it() {
    let base = || request("x");
    let reader = with(base(), "/requestContext/authorizer/lambda/role", "READER");
    let unsigned = with(base(), "/requestContext/authorizer", Value::Null);
    let cases = [
        (with(base(), "/headers/x-a", "\n"), 400, "routing", "routing"),
        (with(base(), "/rawPath", "/elsewhere"), 404, "routing", "routing"),
        (with(base(), "/requestContext/http/method", "PUT"), 405, "routing", "routing"),
        (unsigned, 401, "authentication", "limit"),
        (reader, 403, "authorization", "limit"),
        (with(base(), "/headers/accept", "text/html"), 406, "deserialization", "deserialization"),
        (with(base(), "/body", "{"), 400, "deserialization", "deserialization"),
        (
            with(request(""), "/headers/idempotency-key", "ä"),
            400,
            "deserialization",
            "deserialization",
        ),
        (request(""), 400, "validation", "validation"),
        (request("absent"), 404, "retrieval", "retrieval"),
        (request("broken"), 500, "retrieval", "retrieval"),
        (request("panic"), 500, "retrieval", "retrieval"),
        (request("hang"), 504, "retrieval", "retrieval"),
        (request("forbidden"), 403, "authorization", "retrieval"),
        (request("hidden"), 404, "authorization", "retrieval"),
        (request("undecided"), 409, "rules", "rules"),
    ];
    for (event, status, refused_at, last) in cases {
        let recorder = Arc::new(Recorder::default());
        let mut handler = post_note(&recorder);
        let (_, mut captured) = inspect(&mut handler);

        let answered = ask(&handler, &event).await;

        let ended = captured.only("ended");
        assert_eq!((answered.status, &ended["status"]), (status, &json!(status)), "{event}");
        assert_eq!(ended["refusedAt"], refused_at, "{event}");
        let mut expected = up_to(last);
        if refused_at == "authentication" {
            expected.retain(|stage| *stage != "authorization");
        }
        assert_eq!(names(&ended["stages"]), expected, "{event}");
        assert_eq!(ended["code"], answered.code());
        assert_eq!(ended["message"], answered.body["error"]["message"]);
        assert_eq!(ended["error"].is_null(), status < 500, "{ended}");
        assert_eq!(ended["invocation"], "invocation-1");
    }
}

#[tokio::test]
async fn a_condition_that_rejects_a_commit_is_refused_at_its_effects() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    let shelf = serde_dynamo::to_item(Shelf { room: 0 }).unwrap();
    recorder.store(NOTES, Key::new("shelf"), shelf);
    let (_, mut captured) = inspect(&mut handler);

    let answered = ask(&handler, &request("hello")).await;

    let ended = captured.only("ended");
    assert_eq!((answered.status, &ended["refusedAt"]), (422, &json!("effects")));
    assert_eq!(ended["fieldErrors"][0]["field"], "/text");
}

#[tokio::test]
async fn a_failed_condition_of_a_get_is_refused_at_its_response() {
    let recorder = Arc::new(Recorder::default());
    let event = with(get_request(&store_note(&recorder)), "/headers/if-match", "\"x\"");
    let mut handler = get_note(&recorder);
    let (_, mut captured) = inspect(&mut handler);

    assert_eq!(ask(&handler, &event).await.status, 412);

    assert_eq!(captured.only("ended")["refusedAt"], "response");
}

#[tokio::test]
async fn a_rate_limit_is_refused_at_authorization_with_its_verdict() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    Arc::get_mut(&mut handler.shared).unwrap().settings.rate_limit = Some(1);
    let (_, mut captured) = inspect(&mut handler);
    ask(&handler, &request("hello")).await;
    captured.records();

    assert_eq!(ask(&handler, &request("hello")).await.status, 429);

    let ended = captured.only("ended");
    assert_eq!(ended["refusedAt"], "authorization");
    let verdicts = ended["verdicts"].as_array().unwrap();
    let by: Vec<_> = verdicts.iter().map(|verdict| (&verdict["by"], &verdict["allowed"])).collect();
    let (yes, no) = (json!(true), json!(false));
    let expected = [(json!("caller"), &yes), (json!("access"), &yes), (json!("limit"), &no)];
    assert_eq!(by, expected.iter().map(|(by, allowed)| (by, *allowed)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_successful_request_is_reported_four_times_with_its_input() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    let (_, mut captured) = inspect(&mut handler);

    let answered = ask(&handler, &request("hello")).await;

    let [begun, reading, committing, ended] = captured.records().try_into().unwrap();
    let expected = json!({
        "type": "begun", "invocation": "invocation-1", "requestId": "req-1", "method": "POST",
        "route": "/notes", "coldStart": false,
    });
    assert_eq!(begun, expected);
    for (reached, running, last) in
        [(reading, "retrieval", "validation"), (committing, "effects", "rules")]
    {
        assert_eq!((&reached["type"], &reached["running"]), (&json!("reached"), &json!(running)));
        let mut expected = up_to(last);
        expected.pop();
        assert_eq!(names(&reached["stages"]), expected);
        assert_eq!((&reached["input"], &reached["attempts"]), (&json!("\"hello\""), &json!(1)));
        assert_eq!(reached["caller"], "author ada");
    }
    let allowed = ended["verdicts"].as_array().unwrap().iter();
    let allowed: Vec<&str> = allowed
        .filter(|verdict| verdict["allowed"] == true)
        .map(|verdict| verdict["by"].as_str().unwrap())
        .collect();
    assert_eq!(allowed, ["caller", "access", "limit", "facts"]);
    assert_eq!((&ended["status"], &ended["refusedAt"]), (&json!(201), &Value::Null));
    assert_eq!((&ended["deferred"], &ended["replayed"]), (&json!(1), &json!(false)));
    answered.deferred.perform().await;
    let deferred = captured.only("deferred");
    assert_eq!(deferred["work"][0]["what"], "message to queue readers");
    assert!(deferred["work"][0]["failed"].is_null());
}

/// The reasons of the verdicts on a request.
async fn reasons<E: Endpoint>(mut handler: endpoint::Handler<E>, event: &Value) -> Vec<String> {
    let (_, mut captured) = inspect(&mut handler);
    ask(&handler, event).await;
    let ended = captured.only("ended");
    let verdicts = ended["verdicts"].as_array().unwrap().iter();
    verdicts.map(|verdict| verdict["reason"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_verdict_has_its_reason() {
    let recorder = Arc::new(Recorder::default());
    let posted = async |event: Value| reasons(post_note(&recorder), &event).await;
    let got = async || reasons(get_note(&recorder), &get_request(&store_note(&recorder))).await;
    let (token, role) = ("The token is valid.", "The caller has the role Author.");
    let reader = with(request("x"), "/requestContext/authorizer/lambda/role", "READER");
    let unsigned = with(request("x"), "/requestContext/authorizer", Value::Null);
    let first = "119 of 120 are left for ";
    for (reasons, expected) in [
        (
            posted(request("x")).await,
            &[token, role, first, "The facts allow it to this caller."][..],
        ),
        (posted(reader).await, &[token, "The caller has none of the roles [Author].", first]),
        (posted(unsigned).await, &["A valid access token is required.", first]),
        (
            posted(request("forbidden")).await,
            &[token, role, first, "The facts forbid it to this caller."],
        ),
        (
            posted(request("hidden")).await,
            &[token, role, first, "The facts hide the resource from this caller"],
        ),
        (
            got().await,
            &[
                "The request has no token, and needs none.",
                "The endpoint admits all callers.",
                "2 of 3 are left for ",
                "The facts do not matter to this endpoint.",
            ],
        ),
    ] {
        let matched = reasons.iter().zip(expected).all(|(reason, start)| reason.starts_with(start));
        assert!(matched && reasons.len() == expected.len(), "{reasons:?}");
    }
}

/// Admits all callers who are signed in.
struct GetOwn;

impl Query for GetOwn {
    const ROUTE: Route = Route::get("/own");
    type Caller = Option<Member>;
    const ACCESS: Access<Role> = Access::SignedIn;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = ();
    type Facts = String;

    async fn retrieve(&self, _: &Permit<Option<Member>>, (): &()) -> Retrieved<String> {
        Ok("mine".to_owned())
    }

    const ALLOW: Allow<Self> = Allow::Always;
    type Reply = reply::Ok<String>;

    fn reply(found: String) -> reply::Ok<String> {
        reply::Ok::of(found)
    }
}

#[tokio::test]
async fn the_verdict_on_access_names_whether_the_caller_is_signed_in() {
    let recorder = Arc::new(Recorder::default());
    let unsigned = with(get_request("own"), "/rawPath", "/own");
    let authorizer = request("x")["requestContext"]["authorizer"].take();
    let signed = with(unsigned.clone(), "/requestContext/authorizer", authorizer);
    for (event, reason) in
        [(signed, "The caller is signed in."), (unsigned, "The caller is not signed in.")]
    {
        let handler = endpoint::Handler::new(GetOwn, shared(&recorder));
        assert_eq!(reasons(handler, &event).await[1], reason);
    }
}

#[tokio::test]
async fn a_limit_of_a_subject_has_its_reason() {
    let recorder = Arc::new(Recorder::default());
    for source in 0..6 {
        let [caller, _, _, subject, ..] =
            &reasons(post_parcel(&recorder), &parcel("blue", source)).await[..]
        else {
            panic!("there are four verdicts");
        };
        let expected = if source < 5 { "is not reached." } else { "is reached for " };
        assert_eq!(caller, "The endpoint needs no token.");
        assert!(subject.starts_with(&format!("The limit of this house {expected}")), "{subject}");
    }
}

#[tokio::test]
async fn look_ups_in_caches_are_reported() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    let (_, mut captured) = inspect(&mut handler);

    ask(&handler, &request("cached")).await;

    let [_, reading, committing, ended] = captured.records().try_into().unwrap();
    assert_eq!(reading["caches"], json!([]));
    for record in [committing, ended] {
        assert_eq!(record["caches"], json!([["shelf", true]]));
    }
}

#[tokio::test]
async fn a_failed_deferred_work_has_its_error() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_down = true;
    let mut handler = post_note(&recorder);
    let (_, mut captured) = inspect(&mut handler);

    ask(&handler, &request("hello")).await.deferred.perform().await;

    let failed = captured.only("deferred")["work"][0]["failed"].clone();
    assert!(failed.as_str().unwrap().contains("it is down"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_killed_has_reached_its_stage_and_not_ended() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    let (_, mut captured) = inspect(&mut handler);
    let event = request("hang");
    let killed = tokio::time::timeout(Duration::from_secs(1), ask(&handler, &event)).await;
    assert!(killed.is_err());

    let records = captured.records();

    let types: Vec<&str> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["begun", "reached"]);
    assert_eq!(records[1]["running"], "retrieval");
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_ends_a_request_at_its_running_stage_once() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    let (inspector, mut captured) = inspect(&mut handler);
    let event = request("hang");
    let asking = ask(&handler, &event);
    tokio::pin!(asking);
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut asking).await.is_err());

    inspector.blocked("another invocation", "blocked");
    inspector.blocked("invocation-1", "blocked");
    asking.await;

    let ended = captured.only("ended");
    assert_eq!((&ended["status"], &ended["code"]), (&json!(504), &json!("TIMED_OUT")));
    assert_eq!((&ended["refusedAt"], &ended["error"]), (&json!("retrieval"), &json!("blocked")));
}

#[tokio::test(start_paused = true)]
async fn attempts_and_their_reasons_are_reported() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().conflicts = 2;
    let mut handler = post_note(&recorder);
    let (_, mut captured) = inspect(&mut handler);

    assert_eq!(ask(&handler, &request("hello")).await.status, 201);

    let ended = captured.only("ended");
    assert_eq!((&ended["attempts"], ended["stale"].as_array().unwrap().len()), (&json!(3), 2));
    let retrieval = ended["stages"].as_array().unwrap().iter().find(|it| it[0] == "retrieval");
    assert_eq!(retrieval.unwrap()[2], 3, "three runs");
    let facts = ended["verdicts"].as_array().unwrap().iter().filter(|it| it["by"] == "facts");
    assert_eq!(facts.count(), 1, "the last verdict counts");
}

#[tokio::test]
async fn a_replay_is_no_refusal() {
    for room in [10, 1] {
        let recorder = Arc::new(Recorder::default());
        let mut handler = post_note(&recorder);
        let shelf = serde_dynamo::to_item(Shelf { room }).unwrap();
        recorder.store(NOTES, Key::new("shelf"), shelf);
        let (_, mut captured) = inspect(&mut handler);
        let event = with(request("last"), "/headers/idempotency-key", "k-1");
        ask(&handler, &event).await;
        captured.records();

        assert_eq!(ask(&handler, &event).await.status, 201);

        let ended = captured.only("ended");
        assert_eq!((&ended["replayed"], &ended["refusedAt"]), (&json!(true), &Value::Null));
        assert_eq!(ended["code"], Value::Null);
    }
}
