//! The limits of the memory, and listeners.

use futures::FutureExt as _;

use super::*;
use crate::activity::limits::{BYTES_MAX, INVOCATIONS_MAX, LISTENERS_MAX, REQUESTS_MAX};

fn assert_counted(activity: &Activity) {
    let store = activity.lock();
    assert_eq!(store.bytes, store.bytes_counted());
    assert!(store.bytes <= BYTES_MAX);
}

#[test]
fn the_oldest_requests_are_dropped_at_the_limit() {
    let activity = Activity::default();
    for number in 0..REQUESTS_MAX + 5 {
        begin(&activity, &format!("gw-{number}"));
    }

    let page = activity.requests(&RequestFilter::default());

    assert_eq!((page.total, page.dropped, page.requests.len()), (REQUESTS_MAX, 5, 100));
    assert!(activity.request("gw-4").is_none());
    assert!(activity.request("gw-5").is_some());
    assert_eq!(activity.lock().by_request.len(), REQUESTS_MAX);
    assert_counted(&activity);
}

#[test]
fn the_oldest_invocations_are_dropped_at_the_limit() {
    let activity = Activity::default();
    for number in 0..INVOCATIONS_MAX + 5 {
        let id = number.to_string();
        start(&activity, &id, "F", "e-1", Cause::ByHand);
        activity.environment_free("e-1");
    }

    let store = activity.lock();
    assert_eq!(store.invocations.len(), INVOCATIONS_MAX);
    assert_eq!(store.by_invocation.len(), INVOCATIONS_MAX);
    drop(store);
    assert!(activity.invocation("4").is_none());
    assert_counted(&activity);
}

#[test]
fn the_oldest_detail_is_dropped_before_rows_and_bytes_never_drift() {
    let activity = Activity::default();
    let large = Bytes::from(vec![b'x'; 4 * 1024 * 1024]);
    for number in 0..20 {
        let (request, invocation) = (format!("gw-{number}"), format!("i-{number}"));
        begin(&activity, &request);
        run(&activity, &request, &invocation, &format!("e-{number}"));
        activity.request_has_body(&request, &large);
        let environment = format!("e-{number}");
        call(&activity, commit(&environment), 200, &json!({}));
        activity.line(&environment, false, "a line");
        activity.invocation_ended(&invocation, None);
        answer(&activity, &request, 200, "req-1");
        assert_counted(&activity);
    }

    let first = activity.request("gw-0").unwrap();
    assert!(first.detail_dropped);
    assert_eq!((first.received.body, first.row.status), (None, Some(200)));
    assert!(activity.original("gw-0").is_none());
    let last = activity.request("gw-19").unwrap();
    assert!(!last.detail_dropped);
    let page = activity.requests(&RequestFilter::default());
    assert_eq!((page.total, page.dropped), (20, 0));
    // Detail of an invocation whose detail was dropped is not kept.
    activity.line("e-0", false, "late");
    assert_counted(&activity);
    let indexed = activity.lock().writes.values().flatten().count();
    let kept = activity.lock().invocations.values().filter(|it| !it.dropped).count();
    assert_eq!(indexed, 2 * kept);
}

#[test]
fn listeners_are_bounded() {
    let activity = Activity::default();
    let all: Vec<_> = (0..LISTENERS_MAX).map(|_| activity.listen().unwrap()).collect();
    assert!(activity.listen().is_none());
    assert!(activity.has_listeners());
    drop(all);
    assert!(!activity.has_listeners());
    assert!(activity.listen().is_some());
}

#[tokio::test(start_paused = true)]
async fn changes_are_joined_and_at_most_ten_a_second() {
    let activity = Activity::default();
    let mut listener = activity.listen().unwrap();
    assert!(listener.next().now_or_never().is_none());
    let begun = tokio::time::Instant::now();
    for number in 0..700 {
        begin(&activity, &format!("gw-{number}"));
    }

    let Change::Requests(rows) = listener.next().await else { panic!("rows") };
    assert_eq!((rows.len(), rows[0].id.as_str()), (500, "gw-0"));
    let Change::Requests(rows) = listener.next().await else { panic!("rows") };
    assert_eq!(rows.len(), 200);
    let Change::Journeys(ids) = listener.next().await else { panic!("journeys") };
    assert_eq!(ids.len(), 700);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_too_slow_learns_how_much_it_missed() {
    let activity = Activity::default();
    let mut listener = activity.listen().unwrap();
    for number in 0..6_000 {
        begin(&activity, &format!("gw-{number}"));
    }

    let Change::Dropped(dropped) = listener.next().await else { panic!("dropped") };

    // Rows and journeys.
    assert_eq!(dropped, 2_000);
}
