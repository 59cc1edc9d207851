//! The records of a consumer for the local platform's console.

use std::collections::BTreeMap;

use super::*;
use crate::telemetry::inspector::captured::Captured;

#[tokio::test]
async fn each_settled_record_is_reported_with_its_outcome() {
    let recorder = Arc::new(Recorder::default());
    let messages = json!({ "Records": [
        message("m1", None, &said("e1", "one")),
        message("m2", None, &said("e1", "one")),
        message("m3", None, &said("e3", "refused")),
        message("m4", None, &said("e4", "")),
        message("m5", None, "not json"),
        message("m6", None, &said("e6", "broken")),
        message("m7", None, &said("e7", "panic in parsing")),
    ] });
    let mut shared = shared(&recorder);
    let (inspector, mut captured) = Captured::start();
    Arc::get_mut(&mut shared).unwrap().inspector = Some(inspector);

    handle(shared, Keep, &messages).await;

    let records = captured.records().into_iter();
    let records: BTreeMap<String, Value> =
        records.map(|record| (record["messageId"].as_str().unwrap().to_owned(), record)).collect();
    for (id, outcome, code, last) in [
        ("m1", "processed", Value::Null, "effects"),
        ("m2", "duplicate", Value::Null, "retrieval"),
        ("m3", "processed", json!("NO"), "effects"),
        ("m4", "deadLettered", Value::Null, "effects"),
        ("m5", "deadLettered", Value::Null, "effects"),
        ("m6", "failed", json!("INTERNAL_ERROR"), "retrieval"),
        ("m7", "failed", json!("INTERNAL_ERROR"), "validation"),
    ] {
        let record = &records[id];
        assert_eq!((&record["outcome"], &record["code"]), (&json!(outcome), &code), "{record}");
        let stages = record["stages"].as_array().unwrap();
        assert_eq!(stages.last().unwrap()[0], last, "{record}");
        assert_eq!((&record["source"], &record["deliveries"]), (&json!("readers"), &json!(1)));
        let is_plain = matches!(id, "m1" | "m2");
        assert_eq!(record["error"].is_null(), is_plain, "{record}");
    }
    assert_eq!(
        (&records["m1"]["recordId"], &records["m1"]["requestId"]),
        (&json!("e1"), &json!("req-1"))
    );
    assert_eq!(
        (&records["m1"]["input"], &records["m4"]["input"]),
        (&json!("\"one\""), &Value::Null)
    );
    assert_eq!(records["m4"]["error"], "/text is empty");
}

#[tokio::test]
async fn a_run_of_a_schedule_has_no_message() {
    let recorder = Arc::new(Recorder::default());
    let mut shared = shared(&recorder);
    let (inspector, mut captured) = Captured::start();
    Arc::get_mut(&mut shared).unwrap().inspector = Some(inspector);
    let event = json!({ "id": "run-1", "time": "2026-01-01T00:00:00Z" });

    handle(shared, schedules::Remind, &event).await;

    let record = captured.only("record");
    assert_eq!((&record["messageId"], &record["recordId"]), (&Value::Null, &json!("run-1")));
}
