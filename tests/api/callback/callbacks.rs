//! Callbacks: accepted at once and looked up later. An object expires if it is not seen again.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use client::{ApiResponse, Error};
use domain::callback::{CallbackView, ObjectView};
use emulator::faults::{Faults, StoreFault, UpstreamFault};
use emulator::options::Options;
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lifecycle::clock;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    Api, Refused, changed_platform, eventually, fresh_platform, read, shared_platform,
    unique_object, unlimited, when,
};

#[tokio::test]
async fn a_callback_without_1_to_200_whole_numbers_is_400_with_all_fields() {
    let api = shared_platform().await;
    let ids = |count: i64| (1..=count).collect::<Vec<_>>();
    for (body, wrong) in [
        (json!({ "object_ids": [] }), vec!["/object_ids"]),
        (json!({ "object_ids": ids(201) }), vec!["/object_ids"]),
        (json!({ "object_ids": [1, "2", 3, 4.5, null] }), {
            vec!["/object_ids/1", "/object_ids/3", "/object_ids/4"]
        }),
        (json!({ "object_ids": [i64::MAX, 9_223_372_036_854_775_808_u64] }), vec!["/object_ids/1"]),
        (json!({ "object_ids": 1, "objectIds": [1] }), vec!["/object_ids", "/objectIds"]),
        (json!({}), vec!["/object_ids"]),
    ] {
        let answer = api.post("/callback", &body).send().await;
        let mut fields = answer.error_fields(400, "INVALID_REQUEST");
        fields.sort();
        let mut wrong = wrong;
        wrong.sort_unstable();
        assert_eq!(fields, wrong, "{body}");
    }
    let body = json!({ "object_ids": ids(10_000) });
    api.post("/callback", &body).send().await.error(413, "PAYLOAD_TOO_LARGE");
    api.get("/objects/two").send().await.error(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn repeated_ids_count_once() {
    let api = shared_platform().await;
    let (one, two) = (unique_object() + 1, unique_object() + 1);
    assert_eq!(call_back(&api, &[one, two, one, one]).await.unwrap().data.accepted, 2);
}

#[tokio::test]
async fn a_callback_is_503_when_its_queue_fails() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    let control = api.control().unwrap();
    for fault in [StoreFault::throttle(1.0), StoreFault::fail(1.0)] {
        control.inject(&Faults::default().queue("CallbacksQueue", fault)).await;
        let refused = call_back(&api, &[2, 4, 6]).await.refused(503, "SERVICE_UNAVAILABLE");
        assert!(refused.retry_after_s >= Some(1), "{refused:?}");
    }
    control.no_faults().await;
    assert_eq!(waiting(&api, "CallbacksQueue").await, 0);
    assert_eq!(control.standin("objects").await["counts"], json!({}));
    call_back(&api, &[2, 4, 6]).await.unwrap();
}

#[tokio::test]
async fn an_online_object_appears_until_a_look_up_finds_it_offline() {
    let Some(api) = quick(fresh_platform(unlimited()).await).await else { return };
    let control = api.control().unwrap();
    let (even, odd) = (unique_object(), unique_object() + 1);
    call_back(&api, &[even, odd]).await.unwrap();
    let object = appeared(&api, even).await;
    assert_eq!((object.id, object.online), (even.into(), true));
    asked_for(&api, odd).await;
    see(&api, odd).await.refused(404, "NOT_FOUND");

    let offline = UpstreamFault::answer(200, json!({ "id": even, "online": false }));
    control.inject(&Faults::default().standin("objects", "lookups", offline)).await;
    call_back(&api, &[even]).await.unwrap();
    let gone = eventually("the object to be gone", async || see(&api, even).await.err()).await;
    assert_eq!(gone.code(), Some("NOT_FOUND"));
    assert!(age_s(&api, &object) < 30.0, "it is gone because it is offline");
}

#[tokio::test]
async fn an_unusable_look_up_response_is_retried() {
    let Some(api) = quick(fresh_platform(unlimited()).await).await else { return };
    let control = api.control().unwrap();
    for (status, body) in [
        (200, json!({ "id": 0, "online": true })),
        (200, json!({ "online": true })),
        (200, json!({ "id": "2", "online": true })),
        (200, json!({ "id": 2, "online": "yes" })),
        (200, json!([])),
        (500, json!({ "id": 2, "online": true })),
        (429, json!(null)),
    ] {
        let object = unique_object();
        let trouble = UpstreamFault::answer(status, body.clone()).times(2);
        let faults = Faults::default().standin("objects", "lookups", trouble);
        control.inject(&faults.standin("objects", "takesMs", [0, 0])).await;
        call_back(&api, &[object]).await.unwrap();
        appeared(&api, object).await;
        let asked = control.standin("objects").await;
        assert_eq!(asked["counts"][format!("/objects/{object}")], 3, "{status} {body}");
    }
    assert_eq!(waiting(&api, "CallbacksDeadLetterQueue").await, 0);
    assert!(control.table("ObjectsTable").await.iter().all(|object| object["id"] != 0));
}

#[tokio::test]
async fn an_object_seen_again_before_its_expiry_stays_and_others_go() {
    let Some(api) = quick(fresh_platform(unlimited()).await).await else { return };
    let (again, once) = (unique_object(), unique_object());
    call_back(&api, &[again, once]).await.unwrap();
    let object = appeared(&api, again).await;
    appeared(&api, once).await;

    // The next look-up takes longer than the object has left.
    let control = api.control().unwrap();
    control.inject(&Faults::default().standin("objects", "takesMs", [3000, 3000])).await;
    // Some seconds are left for a slow machine.
    control.pass(27_u32.saturating_sub(seconds_of_age(&api, &object))).await;
    call_back(&api, &[again]).await.unwrap();
    eventually("the object to be kept", async || {
        when(see(&api, again).await.unwrap().data, |seen| seen.last_seen > object.last_seen)
    })
    .await;
    control.pass(31_u32.saturating_sub(seconds_of_age(&api, &object))).await;
    let object = see(&api, again).await.unwrap().data;
    eventually("the other object to be removed", async || {
        let stored = control.table("ObjectsTable").await;
        when(stored, |stored| stored.iter().all(|object| object["id"] != once))
    })
    .await;
    assert!(age_s(&api, &object) < 25.0, "the message of the first look-up was delivered");
    assert_eq!(see(&api, again).await.unwrap().data, object);
}

#[tokio::test]
async fn an_object_is_404_after_30_s_even_if_it_is_not_removed() {
    let Some(api) = quick(changed_platform(unlimited(), without_removal).await).await else {
        return;
    };
    let id = unique_object();
    call_back(&api, &[id]).await.unwrap();
    let object = appeared(&api, id).await;
    let control = api.control().unwrap();
    // Some seconds are left for a slow machine.
    control.pass(27_u32.saturating_sub(seconds_of_age(&api, &object))).await;
    assert_eq!(see(&api, id).await.unwrap().data, object);
    control.pass(30_u32.saturating_sub(seconds_of_age(&api, &object))).await;
    see(&api, id).await.refused(404, "NOT_FOUND");
    let stored = control.table("ObjectsTable").await;
    assert_eq!(stored.len(), 1, "it is still stored");
}

#[tokio::test]
async fn a_late_callback_of_an_unknown_object_is_not_looked_up() {
    let Some(api) = quick(fresh_platform(unlimited()).await).await else { return };
    let control = api.control().unwrap();
    let [late, there, new] = [(); 3].map(|()| unique_object());
    call_back(&api, &[there]).await.unwrap();
    appeared(&api, there).await;
    let asked_before = asked(&api, there).await;
    // As the queue delivers them after a long wait.
    for (object, waited_s) in [(late, 31), (there, 31), (new, 0)] {
        let received_at = clock::now().plus_seconds(-waited_s);
        let event = json!({
            "eventId": Uuid::new_v4(), "eventType": "CallbackReceived", "version": 1,
            "occurredAt": received_at, "aggregateId": object.to_string(), "requestId": "r-1",
            "data": { "objectIds": [object], "receivedAt": received_at },
        });
        control.send("CallbacksQueue", &event).await;
    }
    appeared(&api, new).await;
    let done = async || when(waiting(&api, "CallbacksQueue").await, |seen| *seen == 0);
    eventually("the callbacks to be processed", done).await;
    assert_eq!(asked(&api, late).await, 0);
    assert_eq!(asked(&api, there).await, asked_before + 1, "it may be offline by now");
    assert_eq!(waiting(&api, "CallbacksDeadLetterQueue").await, 0);
}

/// The number of whole minutes since 1970.
fn this_minute() -> i64 {
    clock::now().as_seconds() / 60
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flooding_source_does_not_delay_the_callbacks_of_others() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let url = format!("{}/callback", api.inside().unwrap().platform().api_url());
    let mut taken_in = 0;
    let first_minute = this_minute();
    for number in 0..47 {
        let first = i64::MIN + number * 200;
        let ids: Vec<i64> = (first..first + 200).collect();
        let status = post_from(Ipv4Addr::new(127, 0, 0, 2), &url, &ids).await;
        assert!([202, 429].contains(&status), "{status}");
        taken_in += i64::from(status == 202);
    }
    // 600 ids a minute are three callbacks of the source. A second environment may admit as many
    // before it has exchanged its count.
    let minutes = this_minute() - first_minute + 1;
    assert!((3..=6 * minutes).contains(&taken_in), "{taken_in} callbacks in {minutes} minutes");
    let ids: Vec<i64> = (0..10).map(|_| unique_object()).collect();
    call_back(&api, &ids).await.unwrap();
    for id in ids {
        let object = appeared(&api, id).await;
        assert!(age_s(&api, &object) < 29.0, "{object:?}");
    }
}

/// The status of a callback that is sent from this loopback address.
async fn post_from(source: Ipv4Addr, url: &str, ids: &[i64]) -> u16 {
    let mut connector = HttpConnector::new();
    connector.set_local_address(Some(source.into()));
    let client = legacy::Client::builder(TokioExecutor::new()).build(connector);
    let request = http::Request::post(url).header("content-type", "application/json");
    let body = Full::<Bytes>::from(json!({ "object_ids": ids }).to_string());
    client.request(request.body(body).unwrap()).await.unwrap().status().as_u16()
}

/// The template without the removal of objects: no message and no time to live.
fn without_removal(template: String) -> String {
    let mapping = "  ObjectExpiriesMapping:\n";
    let (before, rest) = template.split_once(mapping).expect("objects are removed by a message");
    let (_, after) = rest.split_once("\n\n").expect("an empty line ends the mapping");
    let ttl = "{AttributeName: expiresAt, Enabled: true}";
    format!("{before}\n{after}").replace(ttl, "{AttributeName: expiresAt, Enabled: false}")
}

/// A platform whose object service responds at once.
async fn quick(api: Option<Api>) -> Option<Api> {
    let api = api?;
    api.control()?.inject(&Faults::default().standin("objects", "takesMs", [0, 0])).await;
    Some(api)
}

async fn call_back(api: &Api, object_ids: &[i64]) -> Result<ApiResponse<CallbackView>, Error> {
    api.client().post_callback(&read(json!({ "object_ids": object_ids }))).await
}

async fn see(api: &Api, object: i64) -> Result<ApiResponse<ObjectView>, Error> {
    api.client().get_object(object.into()).await
}

async fn appeared(api: &Api, object: i64) -> ObjectView {
    let seen = async || see(api, object).await;
    eventually("the object to appear", seen).await.data
}

/// The number of look-ups of an object.
async fn asked(api: &Api, object: i64) -> u64 {
    let service = api.control().unwrap().standin("objects").await;
    service["counts"][format!("/objects/{object}")].as_u64().unwrap_or(0)
}

async fn asked_for(api: &Api, object: i64) {
    let control = api.control().unwrap();
    let asked = async || {
        let counts = &control.standin("objects").await["counts"];
        counts.get(format!("/objects/{object}")).cloned()
    };
    eventually("the object to be looked up", asked).await;
}

/// The messages of a queue, in any state.
pub(crate) async fn waiting(api: &Api, queue: &str) -> u64 {
    let report = api.control().unwrap().queue(queue).await;
    ["visible", "inFlight", "delayed"].iter().filter_map(|state| report[state].as_u64()).sum()
}

/// How long ago it was last seen, in whole seconds.
fn seconds_of_age(api: &Api, object: &ObjectView) -> u32 {
    let age_ms = api.inside().unwrap().now().as_millis() - object.last_seen.as_millis();
    u32::try_from(age_ms / 1000).unwrap()
}

/// How long ago it was last seen, in seconds.
fn age_s(api: &Api, object: &ObjectView) -> f64 {
    let age_ms = api.inside().unwrap().now().as_millis() - object.last_seen.as_millis();
    Duration::from_millis(u64::try_from(age_ms).unwrap_or_default()).as_secs_f64()
}
