//! Costs, and the sources that they are counted for.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::*;

#[tokio::test]
async fn a_request_beyond_its_cost_limit_is_429_and_writes_nothing() {
    let recorder = Arc::new(Recorder::default());
    let handler = put_away(&recorder);
    let mut statuses = Vec::new();
    for (number, cost, left) in [(0, 50, "r=70"), (1, 50, "r=20"), (2, 20, "r=0")] {
        let answered = ask(&handler, &copies(&number.to_string(), cost)).await;
        statuses.push(answered.status);
        assert!(answered.headers["ratelimit"].as_str().unwrap().contains(left), "{left}");
    }
    assert_eq!(statuses, [201, 201, 201]);
    let refused = ask(&handler, &copies("3", 1)).await;
    assert_eq!((refused.status, refused.code()), (429, "RATE_LIMIT_EXCEEDED"));
    let recorder = Arc::new(Recorder::default());
    let handler = put_away(&recorder);
    for (id, cost, status) in [("a", 50, 201), ("b", 50, 201), ("c", 50, 429), ("d", 19, 201)] {
        assert_eq!(ask(&handler, &copies(id, cost)).await.status, status, "{id}");
    }
    assert_eq!(recorder.items_of(NOTES).len(), 6, "refused requests write nothing");
    let undescribed = ask(&put_away(&recorder), &copies("e", 51)).await;
    assert_eq!((undescribed.status, undescribed.code()), (500, "INTERNAL_ERROR"));
}

#[tokio::test]
async fn a_deployments_quota_admits_one_request_of_the_highest_cost() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = put_away(&recorder);
    Arc::get_mut(&mut handler.shared).unwrap().settings.rate_limit = Some(5);
    assert_eq!(ask(&handler, &copies("a", 50)).await.status, 201);
    assert_eq!(ask(&handler, &copies("b", 1)).await.status, 429);
}

#[tokio::test]
async fn an_ipv6_network_and_the_spellings_of_an_address_count_as_one_source() {
    let recorder = Arc::new(Recorder::default());
    let handler = get_note(&recorder);
    let event = get_request(&store_note(&recorder));
    let from = |source: &str| with(event.clone(), "/requestContext/http/sourceIp", source);
    for (sources, next) in [
        (["2001:db8::1", "2001:DB8::2", "2001:db8:0:0:ffff::3"], "2001:db8::4"),
        (["192.0.2.9", "::ffff:192.0.2.9", "::ffff:c000:209"], "64:ff9b::192.0.2.9"),
        (["", "nowhere", "-"], "?"),
    ] {
        for source in sources {
            assert_eq!(ask(&handler, &from(source)).await.status, 200, "{source}");
        }
        assert_eq!(ask(&handler, &from(next)).await.status, 429, "{next}");
    }
    assert_eq!(ask(&handler, &from("2001:db8:0:1::1")).await.status, 200);
}

#[tokio::test]
async fn clients_behind_a_cdn_are_counted_separately_despite_forged_entries() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = get_note(&recorder);
    Arc::get_mut(&mut handler.shared).unwrap().settings.trusted_hops =
        TrustedHops { count: 1, secret: Some("s3cret".to_owned()) };
    let event = get_request(&store_note(&recorder));
    let event = with(event, "/headers/x-origin-verify", "s3cret");
    let from = |forwarded: String| with(event.clone(), "/headers/x-forwarded-for", forwarded);
    for client in ["198.51.100.1", "198.51.100.2"] {
        for made_up in 1..=3 {
            let event = from(format!("203.0.113.{made_up}, {client}, 192.0.2.1"));
            assert_eq!(ask(&handler, &event).await.status, 200, "{client} {made_up}");
        }
        let event = from(format!("203.0.113.4, {client}, 192.0.2.1"));
        assert_eq!(ask(&handler, &event).await.status, 429, "{client}");
    }
    let direct = with(from("198.51.100.9, 192.0.2.1".to_owned()), "/headers/x-origin-verify", "?");
    for status in [200, 200, 200, 429] {
        assert_eq!(ask(&handler, &direct).await.status, status);
    }
}

#[tokio::test]
async fn the_first_request_of_a_process_is_exchanged_while_it_is_served() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    Arc::get_mut(&mut handler.shared).unwrap().limiter = Limiter::new("notes");
    let counts = || recorder.calls().iter().filter(|c| matches!(c, Call::Count(_, 1))).count();
    ask(&handler, &request("panic")).await;
    tokio::task::yield_now().await;
    assert_eq!(counts(), 1, "before the deferred work");
    assert_eq!(handler.endpoint.retrievals.load(Ordering::SeqCst), 1);
}

/// No deadline interrupts the parsing of a body, so the count is exchanged before.
#[tokio::test]
async fn the_first_request_with_a_body_is_counted_before_its_body_is_read() {
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    Arc::get_mut(&mut handler.shared).unwrap().limiter = Limiter::new("notes");
    let counts = || recorder.calls().iter().filter(|c| matches!(c, Call::Count(_, 1))).count();
    let answer = ask(&handler, &with(request("x"), "/body", "{")).await;
    assert_eq!((answer.status, counts()), (400, 1), "exchanged before the body is read");
    ask(&handler, &with(request("x"), "/body", "{")).await;
    assert_eq!(counts(), 1, "the second count is exchanged later");
}

#[tokio::test(start_paused = true)]
async fn the_first_request_with_a_body_waits_for_its_exchange_for_100_ms_at_most() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().limiter_slow = Duration::from_secs(2);
    let mut handler = post_note(&recorder);
    Arc::get_mut(&mut handler.shared).unwrap().limiter = Limiter::new("notes");
    let counts = || recorder.calls().iter().filter(|c| matches!(c, Call::Count(_, 1))).count();
    let began = Instant::now();
    assert_eq!(ask(&handler, &request("undecided")).await.status, 409);
    let waited_ms = began.elapsed().as_millis();
    assert!((100..=101).contains(&waited_ms), "{waited_ms}");
    assert_eq!(counts(), 0);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(counts(), 1, "a slow exchange goes on");
}
