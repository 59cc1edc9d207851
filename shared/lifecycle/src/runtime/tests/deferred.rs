//! Work after the response.

use super::*;

#[tokio::test]
async fn a_failed_tertiary_effect_does_not_change_the_response() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_down = true;
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    answered.deferred.perform().await;
    assert_eq!((answered.status, recorder.calls().len()), (201, 2));
}

#[tokio::test(start_paused = true)]
async fn a_slow_queue_does_not_delay_the_response() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_slow = Duration::from_secs(2);
    let began = tokio::time::Instant::now();
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    answered.deferred.perform().await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
}

#[tokio::test]
async fn deferred_work_has_the_id_of_its_request() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    let mut handler = post_note(&recorder);
    let settings = &mut Arc::get_mut(&mut handler.shared).unwrap().settings;
    settings.collector = Some("http://collector.example".to_owned());
    settings.rate_limit = Some(1);
    recorder.faults().queues_down = true;
    let answered = ask(&handler, &request("hello")).await;
    for line in &answered.deferred.lines {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["requestId"], "req-1", "{line}");
    }
    answered.deferred.perform().await;
    assert!(
        recorder.calls().iter().any(|call| matches!(call, Call::Count(..))),
        "the count is exchanged"
    );
    let asked_for = recorder.asked_for.lock().unwrap();
    assert!(asked_for.iter().all(|id| id.as_deref() == Some("req-1")), "{asked_for:?}");
    assert_eq!(logged.of("a tertiary effect failed")[0]["requestId"], "req-1");
    let exported = recorder.exported.lock().unwrap();
    let body: Value = serde_json::from_slice(&exported[0].2).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let named = json!({ "key": "request.id", "value": { "stringValue": "req-1" } });
    assert!(spans.len() > 1);
    for span in spans {
        assert!(span["attributes"].as_array().unwrap().contains(&named), "{span}");
    }
}
