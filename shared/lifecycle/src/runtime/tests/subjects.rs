//! Rate limits of subjects: parcels to a house, at most five a minute.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value, json};

use super::notes::{NOTES, Note};
use super::recorder::{Call, Recorder};
use super::{Answered, ask, endpoint, shared, with};
use crate::caller::{Access, Anyone};
use crate::conditions::Conditions;
use crate::describe;
use crate::effects::{Effects, Write};
use crate::endpoint::{Allow, Endpoint};
use crate::error::{DomainError, FieldErrors, Retrieved};
use crate::input::Json;
use crate::limit::{MINUTE, SubjectLimit};
use crate::reply;
use crate::resource::{Action, Resource, Resources};
use crate::route::Route;
use crate::{Moment, Permit};

/// Sends a parcel to a house.
struct PostParcel;

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct Parcel {
    house: String,
}

#[derive(Debug)]
struct Addressed(String);

impl TryFrom<Parcel> for Addressed {
    type Error = FieldErrors;

    fn try_from(Parcel { house }: Parcel) -> Result<Self, FieldErrors> {
        if house.is_empty() {
            return Err(FieldErrors::one("/house", "must not be empty"));
        }
        Ok(Self(house))
    }
}

impl Endpoint for PostParcel {
    const ROUTE: Route = Route::post("/parcels");
    type Caller = Anyone;
    const ACCESS: Access = Access::Public;
    const SUBJECT_LIMIT: Option<SubjectLimit<Addressed>> = Some(SubjectLimit {
        name: "parcels-to",
        subject: "house",
        quota: 5,
        window: MINUTE,
        of: |Addressed(house): &Addressed| house.to_lowercase(),
    });
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[Action::PutItem])];
    type Input = Json<Parcel>;
    type Command = Addressed;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &Addressed) -> Retrieved<()> {
        Ok(())
    }

    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<()> = Conditions::Untagged;

    type Outcome = Note;

    fn decide(moment: &Moment, _: &Anyone, _: &Addressed, (): ()) -> Result<Note, DomainError> {
        let id = moment.id("parcel").to_string();
        Ok(Note { id, author: String::new(), text: String::new() })
    }

    fn effects(note: &Note) -> Effects {
        Effects::none().write(Write::create(note))
    }

    type Reply = reply::NoContent;

    fn reply(_: Note) -> reply::NoContent {
        reply::NoContent
    }
}

pub(super) fn post_parcel(recorder: &Arc<Recorder>) -> endpoint::Handler<impl Endpoint> {
    endpoint::Handler::new(PostParcel, shared(recorder))
}

/// A parcel to this house, from the source with this number.
pub(super) fn parcel(house: &str, source: usize) -> Value {
    json!({
        "version": "2.0", "rawPath": "/parcels", "rawQueryString": "",
        "headers": { "content-type": "application/json" },
        "body": json!({ "house": house }).to_string(),
        "requestContext": {
            "http": { "method": "POST", "sourceIp": format!("192.0.2.{source}") },
        },
    })
}

fn commits(recorder: &Recorder) -> usize {
    recorder.calls().iter().filter(|call| matches!(call, Call::Commit(_))).count()
}

fn statuses(answered: &[Answered]) -> Vec<u16> {
    answered.iter().map(|answered| answered.status).collect()
}

#[tokio::test]
async fn the_sixth_request_about_a_subject_is_429_from_any_source() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_parcel(&recorder);
    for (source, house) in ["blue", "Blue", "BLUE", "blue", "blue"].into_iter().enumerate() {
        assert_eq!(ask(&handler, &parcel(house, source)).await.status, 204);
    }
    let refused = ask(&handler, &parcel("blue", 9)).await;
    assert_eq!((refused.status, refused.code()), (429, "RATE_LIMIT_EXCEEDED"));
    let wait: u32 = refused.headers["retry-after"].as_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(refused.headers.get("ratelimit"), None, "it is about another limit");
    assert_eq!(commits(&recorder), 5);
    assert_eq!(ask(&handler, &parcel("red", 9)).await.status, 204);
}

#[tokio::test]
async fn of_20_concurrent_requests_about_a_subject_5_are_admitted() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_parcel(&recorder);
    let events: Vec<Value> = (0..20).map(|source| parcel("blue", source)).collect();
    let answered = join_all(events.iter().map(|event| ask(&handler, event))).await;
    let admitted = statuses(&answered).into_iter().filter(|status| *status == 204).count();
    assert_eq!((admitted, commits(&recorder)), (5, 5));
}

#[tokio::test]
async fn a_request_with_stale_facts_counts_once_for_its_subject() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_parcel(&recorder);
    recorder.faults().conflicts = 2;
    for source in 0..5 {
        assert_eq!(ask(&handler, &parcel("blue", source)).await.status, 204);
    }
    assert_eq!(commits(&recorder), 7);
    assert_eq!(ask(&handler, &parcel("blue", 5)).await.status, 429);
}

#[tokio::test]
async fn requests_that_end_before_stage_6_do_not_count_for_a_subject() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_parcel(&recorder);
    for _ in 0..6 {
        assert_eq!(ask(&handler, &parcel("", 1)).await.status, 400);
        let conditional = with(parcel("blue", 1), "/headers/if-match", "\"1\"");
        assert_eq!(ask(&handler, &conditional).await.status, 412);
    }
    assert_eq!(ask(&handler, &parcel("blue", 1)).await.status, 204);
}

#[tokio::test]
async fn while_the_store_fails_half_as_many_requests_about_a_subject_are_admitted() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_parcel(&recorder);
    recorder.faults().limiter_down = true;
    let mut answered = Vec::new();
    for source in 0..4 {
        answered.push(ask(&handler, &parcel("blue", source)).await);
    }
    assert_eq!(statuses(&answered), [204, 204, 429, 429]);
    let lines = &answered[0].deferred.lines;
    assert!(lines.iter().any(|line| line.contains("RATE_LIMITER_UNAVAILABLE")), "{lines:?}");
}

#[test]
fn an_endpoint_describes_the_limit_of_its_subjects() {
    let described = describe::endpoint::<PostParcel>();
    let limit = json!({ "subject": "house", "quota": 5, "windowSeconds": 60 });
    assert_eq!(described["subjectLimit"], limit);
    let refusals = described["refusals"].as_array().unwrap();
    assert!(refusals.iter().any(|refusal| refusal["status"] == 429), "{refusals:?}");
}
