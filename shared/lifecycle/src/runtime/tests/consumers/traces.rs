//! The traces and ids of records.

use super::*;

#[tokio::test]
async fn the_spans_of_a_record_are_children_of_the_span_that_caused_it() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    for (flags, sampled) in [("01", true), ("00", false)] {
        let recorder = Arc::new(Recorder::default());
        let mut body: Value = serde_json::from_str(&said("e1", "x")).unwrap();
        body["traceparent"] = format!("00-{trace}-b7ad6b7169203331-{flags}").into();
        let event = json!({ "Records": [message("m1", None, &body.to_string())] });
        let spans = spans_of(&recorder, Keep, &event).await;
        assert_eq!(!spans.is_empty(), sampled, "{flags}");
        let Some(root) = spans.first() else { continue };
        assert_eq!((&root["name"], &root["kind"]), (&json!("process readers"), &json!(5)));
        assert_eq!(root["parentSpanId"], "b7ad6b7169203331");
        assert!(spans.iter().all(|span| span["traceId"] == trace));
        let children: Vec<_> =
            spans[1..].iter().map(|span| span["name"].as_str().unwrap()).collect();
        let stages = ["validation", "inbox", "retrieval", "rules", "mail", "post", "commit"];
        assert_eq!(children, stages);
        assert!(spans[1..].iter().all(|span| span["parentSpanId"] == root["spanId"]));
    }
}

#[tokio::test]
async fn a_record_without_a_trace_starts_one_and_a_failed_span_has_status_2() {
    let recorder = Arc::new(Recorder::default());
    let event = json!({ "Records": [message("m1", None, &said("e1", "broken"))] });
    let spans = spans_of(&recorder, Keep, &event).await;
    assert_eq!(spans[0]["status"]["code"], 2);
    assert!(spans[0].get("parentSpanId").is_none());
}

#[tokio::test]
async fn the_messages_of_a_record_have_its_tracestate() {
    let recorder = Arc::new(Recorder::default());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut body: Value = serde_json::from_str(&said("e1", "x")).unwrap();
    body["traceparent"] = format!("00-{trace}-b7ad6b7169203331-01").into();
    for (state, carried) in [(json!("vendor=1"), Some("vendor=1")), (json!("?"), None)] {
        body["tracestate"] = state;
        let event = json!({ "Records": [message("m1", None, &body.to_string())] });
        assert!(invoke(&recorder, Answering, &event).await.is_ok());
        let envelope = recorder.sent().pop().unwrap().envelope;
        assert!(envelope.traceparent.unwrap().contains(trace));
        assert_eq!(envelope.tracestate.as_deref(), carried);
    }
}

/// Sends a message for each message that it receives.
struct Answering;

impl Consumer for Answering {
    const SOURCE: Source = Source::Queue(READERS);
    const INBOX: Inbox = Inbox::None;
    const RESOURCES: Resources = &[Resource::Queue(READERS)];

    type Input = Envelope<Value>;
    type Command = Envelope<Value>;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &Envelope<Value>) -> Retrieved<()> {
        Ok(())
    }

    fn decide(_: &Moment, _: &Envelope<Value>, (): ()) -> Result<Effects, DomainError> {
        Ok(Effects::none().message(Message::new(READERS, Event::about("1", &Reminder))))
    }
}

#[tokio::test]
async fn metrics_and_spans_of_a_record_have_the_id_of_its_request() {
    let recorder = Arc::new(Recorder::default());
    let event = json!({ "Records": [message("m1", None, &said("e1", "x"))] });
    let spans = spans_of(&recorder, Keep, &event).await;
    let named = json!({ "key": "request.id", "value": { "stringValue": "req-1" } });
    for span in &spans {
        assert!(span["attributes"].as_array().unwrap().contains(&named), "{span}");
    }
    let handled = handle(shared(&recorder), Keep, &event).await;
    for line in handled.deferred.unwrap().lines {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["requestId"], "req-1", "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_spans_of_a_record_that_ran_out_of_time_are_exported() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().collector_slow = Duration::from_millis(100);
    let event = json!({ "Records": [message("m1", None, &said("e1", "endless"))] });
    let spans = spans_of(&recorder, Keep, &event).await;
    assert_eq!(spans[0]["status"]["code"], 2);
}
