//! Rate limits.

use super::*;
use crate::caller::{Access, Anyone, NoRole};
use crate::describe;
use crate::endpoint::{Allow, Query};
use crate::error::Retrieved;
use crate::limit::Limit;
use crate::reply;
use crate::resource::Resources;
use crate::route::Route;
use crate::{Moment, Permit, clock};

/// The time, for any caller and as often as the caller wants.
struct GetTime;

impl Query for GetTime {
    const ROUTE: Route = Route::get("/time");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const RESOURCES: Resources = &[];
    type Input = ();
    type Command = ();
    type Facts = Moment;

    async fn retrieve(&self, permit: &Permit<Anyone>, (): &()) -> Retrieved<Moment> {
        Ok(permit.moment().clone())
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::Ok<String>;

    fn reply(moment: Moment) -> reply::Ok<String> {
        reply::Ok::of(moment.now().to_string())
    }
}

#[tokio::test]
async fn an_endpoint_without_a_limit_counts_nothing_and_sends_no_limit_headers() {
    let recorder = Arc::new(Recorder::default());
    let mut shared = shared(&recorder);
    Arc::get_mut(&mut shared).unwrap().settings.rate_limit = Some(1);
    let handler = endpoint::Handler::new(GetTime, shared);
    let event = with(get_request("x"), "/rawPath", "/time");
    for _ in 0..3 {
        let answered = ask(&handler, &event).await;
        assert_eq!((answered.status, answered.headers.get("ratelimit")), (200, None));
        answered.deferred.perform().await;
    }
    assert!(recorder.calls().is_empty());
}

#[test]
fn an_endpoint_without_a_limit_declares_no_table_of_counts() {
    let described = describe::endpoint::<GetTime>();
    assert_eq!(
        (&described["resources"]["tables"], &described["limit"]),
        (&json!({}), &Value::Null)
    );
    let refusals = described["refusals"].as_array().unwrap();
    assert!(refusals.iter().all(|refusal| refusal["status"] != 429), "{refusals:?}");
}

#[tokio::test]
async fn a_window_ends_at_a_multiple_of_its_length() {
    let recorder = Arc::new(Recorder::default());
    let event = get_request(&store_note(&recorder));
    let left = || format!("t={}", 60 - clock::now().as_seconds() % 60);
    let before = left();
    let answered = ask(&get_note(&recorder), &event).await;
    let after = left();
    let shown = answered.headers["ratelimit"].as_str().unwrap();
    assert!(shown.ends_with(&before) || shown.ends_with(&after), "{shown} {before} {after}");
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
    let logged = Captured::start();
    for _ in 0..5 {
        let answered = ask(&handler, &request("undecided")).await;
        answered.deferred.perform().await;
        assert_eq!(answered.status, 409);
    }
    assert!(!logged.of("rate limit store unavailable; counts not exchanged").is_empty());
}

#[tokio::test]
async fn only_counts_that_are_not_exchanged_yet_go_to_the_store() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    ask(&handler, &request("undecided")).await;
    let limiter = &handler.shared.limiter;
    for _ in 0..2 {
        assert!(limiter.exchange_all(&*recorder).await);
    }
    let counts = recorder.calls().into_iter().filter(|call| matches!(call, Call::Count(..)));
    assert!(matches!(&counts.collect::<Vec<_>>()[..], [Call::Count(_, 1)]));
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
async fn environments_share_an_approximate_limit_by_exchanging_counts() {
    let recorder = Arc::new(Recorder::default());
    let (here, there) = (post_note(&recorder), post_note(&recorder));
    let mut statuses = Vec::new();
    // Two execution environments share a quota of 120, and exchange counts every second request.
    for turn in 0..140 {
        let handler = if turn % 2 == 0 { &here } else { &there };
        let answered = ask(handler, &request("undecided")).await;
        statuses.push(answered.status);
        assert!(!recorder.calls().iter().any(|call| matches!(call, Call::Commit(_))));
        answered.deferred.perform().await;
    }
    let admitted = statuses.iter().filter(|status| **status == 409).count();
    // Each environment may be a few requests behind the other's count.
    assert!((120..=124).contains(&admitted), "{admitted}");
    assert_eq!(statuses.last(), Some(&429));
}
