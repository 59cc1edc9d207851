//! Failed messages are retried with a back-off, and those behind them in their group too.

use super::*;

#[tokio::test]
async fn records_after_a_failed_one_of_their_group_are_retried_with_it() {
    let recorder = Arc::new(Recorder::default());
    let messages = vec![
        message("a1", Some("a"), &said("e1", "one")),
        message("a2", Some("a"), &said("e2", "broken")),
        message("b1", Some("b"), &said("e3", "two")),
        message("a3", Some("a"), &said("e4", "three")),
    ];
    let mut failed = deliver(&recorder, messages).await;
    failed.sort();
    assert_eq!(failed, ["a2", "a3"]);
    assert_eq!(recorder.items_of(NOTES).len(), 2);
    let hidden = recorder.hidden();
    assert_eq!([&*hidden[0].0, &*hidden[1].0], ["receipt-a2", "receipt-a3"]);
    assert_eq!(hidden[0].1, hidden[1].1, "both have the same visibility timeout");
}

#[tokio::test]
async fn records_after_one_of_their_group_that_fails_for_the_last_time_are_processed() {
    let last = Keep::BACKOFF.deliveries_max();
    for (deliveries, expected) in [(last - 1, &["a1", "a2"][..]), (last, &["a1"])] {
        let recorder = Arc::new(Recorder::default());
        let mut messages = vec![
            message("a1", Some("a"), &said("e1", "broken")),
            message("a2", Some("a"), &said("e2", "two")),
        ];
        for message in &mut messages {
            message["attributes"]["ApproximateReceiveCount"] = deliveries.to_string().into();
        }
        assert_eq!(deliver(&recorder, messages).await, expected, "{deliveries}");
    }
}

#[tokio::test]
async fn the_visibility_timeout_grows_with_the_number_of_deliveries_until_the_last() {
    assert_eq!(Keep::BACKOFF.deliveries_max(), 11);
    let recorder = Arc::new(Recorder::default());
    for (deliveries, expected_s) in [
        ("1", 1..=2),
        ("2", 2..=4),
        ("5", 16..=32),
        ("10", 450..=900),
        ("11", 1..=2),
        ("40", 1..=2),
    ] {
        let mut failing = message("m1", None, &said("e1", "broken"));
        failing["attributes"]["ApproximateReceiveCount"] = deliveries.into();
        let healthy = message("m2", None, &said("e2", "one"));
        assert_eq!(deliver(&recorder, vec![failing, healthy]).await, ["m1"]);
        let (receipt, wait_s) = recorder.hidden().pop().unwrap();
        assert_eq!(receipt, "receipt-m1");
        assert!(expected_s.contains(&wait_s), "delivery {deliveries}: {wait_s} s");
    }
    assert_eq!(recorder.hidden().len(), 6, "only for the failed records");
}

#[tokio::test(start_paused = true)]
async fn no_record_is_begun_after_the_deadline() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    let endless = |n: usize| message(&format!("m{n}"), None, &said(&format!("e{n}"), "endless"));
    let event = json!({ "Records": (0..30).map(endless).collect::<Vec<_>>() });
    let handled = handle(shared(&recorder), Keep, &event).await;
    let Ok(InvocationResult::Json(answer)) = handled.answer else { panic!("no batch response") };
    let failures = answer["batchItemFailures"].as_array().unwrap().len();
    assert_eq!((failures, recorder.hidden().len()), (30, 30));
    let begun = vec![Call::Read("ledger"); Keep::CONCURRENCY];
    assert_eq!(recorder.calls(), begun, "as many as are processed at once");
    let lines = logged.of("no time left for records; they count as failed");
    assert_eq!((lines.len(), &lines[0]["not_begun"]), (1, &json!(20)));
    let lines = handled.deferred.unwrap().lines;
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let failed = lines.filter(|line| line["outcome"] == "failed");
    let counted: u64 = failed.filter_map(|line| line["records_total"].as_u64()).sum();
    assert_eq!(counted, 30);
}

#[tokio::test(start_paused = true)]
async fn a_group_ends_at_the_deadline_also_behind_a_last_failure() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    let mut messages = vec![
        message("a1", Some("a"), &said("e1", "endless")),
        message("a2", Some("a"), &said("e2", "two")),
        message("a3", Some("a"), &said("e3", "three")),
    ];
    for message in &mut messages {
        let last = Keep::BACKOFF.deliveries_max().to_string();
        message["attributes"]["ApproximateReceiveCount"] = last.into();
    }
    assert_eq!(deliver(&recorder, messages).await, ["a1", "a2", "a3"]);
    assert!(recorder.items_of(NOTES).is_empty());
    let lines = logged.of("no time left for records; they count as failed");
    assert_eq!((lines.len(), &lines[0]["not_begun"]), (1, &json!(2)));
}

#[tokio::test(start_paused = true)]
async fn the_visibility_timeout_of_a_record_that_ran_out_of_time_is_changed() {
    for (slow_ms, hidden) in [(100, 1), (200, 0)] {
        let logged = Captured::start();
        let recorder = Arc::new(Recorder::default());
        recorder.faults().queues_slow = Duration::from_millis(slow_ms);
        let endless = message("m1", None, &said("e1", "endless"));
        assert_eq!(deliver(&recorder, vec![endless]).await, ["m1"]);
        assert_eq!(recorder.hidden().len(), hidden, "{slow_ms}");
        let unchanged = "visibility timeout not changed; failed records return without back-off";
        assert_eq!(logged.of(unchanged).len(), 1 - hidden, "{slow_ms}");
    }
}

#[tokio::test]
async fn a_record_is_retried_even_if_its_visibility_cannot_be_changed() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_down = true;
    let failing = message("m1", None, &said("e1", "broken"));
    assert_eq!(deliver(&recorder, vec![failing]).await, ["m1"]);
}
