//! Traces and spans.

use super::*;

#[tokio::test]
async fn tracestate_is_in_the_outbox_and_in_messages() {
    let recorder = Arc::new(Recorder::default());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = with(request("hello"), "/headers/traceparent", parent);
    let event = with(event, "/headers/tracestate", "vendor=1");
    ask(&post_note(&recorder), &event).await.deferred.perform().await;
    let row = OutboxRow::of_item(recorder.items_of(OUTBOX).remove(0)).unwrap();
    assert_eq!(row.envelope.tracestate.as_deref(), Some("vendor=1"));
    assert_eq!(recorder.sent()[0].envelope.tracestate.as_deref(), Some("vendor=1"));
}

#[tokio::test]
async fn only_an_unsampled_traceparent_suppresses_spans() {
    let parent = |flags| format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
    let x_ray = |sampled| format!("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled={sampled}");
    for (traceparent, x_ray, posts) in [
        (None, None, 1),
        (Some(parent("00")), None, 0),
        (Some(parent("01")), None, 1),
        (None, Some(x_ray("0")), 1),
        (None, Some(x_ray("1")), 1),
        (Some(parent("00")), Some(x_ray("1")), 0),
        (Some(parent("01")), Some(x_ray("0")), 1),
        (Some("nonsense".to_owned()), Some(x_ray("0")), 1),
    ] {
        let recorder = Arc::new(Recorder::default());
        let mut handler = post_note(&recorder);
        let settings = &mut Arc::get_mut(&mut handler.shared).unwrap().settings;
        settings.collector = Some("http://collector.example".to_owned());
        let mut event = request("hello");
        if let Some(traceparent) = &traceparent {
            event = with(event, "/headers/traceparent", traceparent.as_str());
        }
        let invocation = Invocation {
            invocation_id: "invocation-1".to_owned(),
            event: Bytes::from(event.to_string()),
            deadline: Deadline::after(Duration::from_secs(10)),
            x_ray: x_ray.clone(),
            cold_start: false,
        };
        handler.handle(invocation).await.deferred.unwrap().perform().await;
        let sent = recorder.exported.lock().unwrap().len();
        assert_eq!(sent, posts, "{traceparent:?} {x_ray:?}");
        let flags = if posts == 1 { "-01" } else { "-00" };
        let passed_on = recorder.sent()[0].envelope.traceparent.clone().unwrap();
        assert!(passed_on.ends_with(flags), "{traceparent:?} {x_ray:?}: {passed_on}");
    }
}

#[tokio::test]
async fn spans_are_sent_to_a_configured_collector_in_the_clients_trace() {
    let recorder = Arc::new(Recorder::default());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = with(request("hello"), "/headers/traceparent", parent);
    ask(&post_note(&recorder), &event).await.deferred.perform().await;
    assert!(recorder.exported.lock().unwrap().is_empty(), "no export without a collector");

    let mut handler = post_note(&recorder);
    let collected = Arc::get_mut(&mut handler.shared).unwrap();
    collected.settings.collector = Some("http://collector.example/".to_owned());
    collected.settings.collector_headers = vec![("key".to_owned(), "value".to_owned())];
    ask(&handler, &event).await.deferred.perform().await;
    let exported = recorder.exported.lock().unwrap();
    let [(url, headers, body)] = exported.as_slice() else { panic!("not exactly one export") };
    assert_eq!(url, "http://collector.example/v1/traces");
    assert_eq!(headers, &[("key".to_owned(), "value".to_owned())]);
    let body: Value = serde_json::from_slice(body).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    assert_eq!(spans[0]["name"], "POST /notes");
    assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
    assert!(spans.iter().all(|s| s["traceId"] == "0af7651916cd43dd8448eb211c80319c"));
    assert!(spans[1..].iter().all(|s| s["parentSpanId"] == spans[0]["spanId"]));
    assert!(spans.iter().any(|span| span["name"] == "retrieval"));
    // The event of the request is in the same trace.
    let traceparent = recorder.sent()[1].envelope.traceparent.clone().unwrap();
    assert!(traceparent.contains(spans[0]["spanId"].as_str().unwrap()));
}
