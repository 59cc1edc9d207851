//! Fields and metrics of a service.

use std::panic::catch_unwind;

use serde_json::{Value, json};

use super::*;
use crate::Timestamp;
use crate::telemetry::Document;
use crate::telemetry::line::lines_of;
use crate::telemetry::observations::{Noted, Observations, mark_own, observed, restore_own};

const SHELF: LogField = LogField::new("shelf");
const LOANS: Metric<1> = Metric::count("loans_total").by(["kind"]);

async fn noted(record: impl FnOnce()) -> Noted {
    let observations = Observations::of("req-1".to_owned(), None);
    observed(std::sync::Arc::clone(&observations), async { record() }).await;
    observations.take_noted()
}

/// The lines about a request with the status 200.
fn lines(noted: &Noted) -> Vec<Value> {
    let mut first = Document::new("library");
    first.member("status", "200");
    let lines = lines_of(first, Timestamp::from_millis(0), ("requestId", "req-1"), noted);
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn fields_are_in_the_line_once_each_and_texts_are_cut() {
    let noted = noted(|| {
        SHELF.set("first");
        SHELF.set("x".repeat(10_000));
        LogField::new("isNew").set(true);
        LogField::new("copies").set(3);
    })
    .await;
    let shelf = format!("{}…", "x".repeat(200));
    let fields = json!({ "shelf": shelf, "isNew": true, "copies": 3 });
    assert_eq!(lines(&noted), [json!({ "status": "200", "fields": fields })]);
    assert_eq!(lines(&Noted::default()), [json!({ "status": "200" })], "no fields, no object");
}

#[tokio::test]
async fn at_most_16_fields_and_100_values_are_kept() {
    let names: Vec<&'static str> = (0..40).map(|n| &*format!("field{n}").leak()).collect();
    let noted = noted(|| {
        for name in &names {
            LogField::new(name).set(1);
        }
        (0..200).for_each(|_| LOANS.record(1.0, ["book"]));
    })
    .await;
    assert_eq!((noted.fields.len(), noted.values.len()), (16, 100));
}

#[tokio::test]
async fn values_of_one_metric_with_equal_labels_share_a_line_with_dimensions() {
    let noted = noted(|| {
        LOANS.record(1.0, ["book"]);
        LOANS.record(2.0, ["book"]);
        LOANS.record(1.0, ["map"]);
        Metric::seconds("valuation_seconds").record(f64::NAN, []);
    })
    .await;
    let [request, books, maps] = lines(&noted).try_into().unwrap();
    assert_eq!(request, json!({ "status": "200" }), "a label is no field of the request");
    assert_eq!((&books["loans_total"], &books["kind"]), (&json!([1.0, 2.0]), &json!("book")));
    let directive = &books["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Dimensions"], json!([["kind"]]));
    assert_eq!(directive["Metrics"], json!([{ "Name": "loans_total", "Unit": "Count" }]));
    assert_eq!((&maps["kind"], &maps["requestId"]), (&json!("map"), &json!("req-1")));
}

#[tokio::test]
async fn the_values_of_a_discarded_run_are_discarded() {
    let noted = noted(|| {
        LogField::new("before").set(1);
        mark_own();
        SHELF.set(1);
        LOANS.record(1.0, ["book"]);
        restore_own();
        LOANS.record(1.0, ["map"]);
    })
    .await;
    let fields: Vec<_> = noted.fields.iter().map(|(name, _)| *name).collect();
    assert_eq!((fields, noted.values.len()), (vec!["before"], 1));
}

#[tokio::test]
async fn a_field_that_is_set_again_after_the_mark_is_in_the_line_once() {
    for (again, expected) in [(None, "before"), (Some("after"), "after")] {
        let noted = noted(|| {
            SHELF.set("before");
            mark_own();
            SHELF.set("discarded");
            restore_own();
            if let Some(again) = again {
                SHELF.set(again);
            }
        })
        .await;
        assert_eq!(noted.fields, [("shelf", FieldValue::from(expected))]);
    }
}

#[tokio::test]
async fn a_known_field_is_replaced_after_the_mark_even_if_there_are_16() {
    let names: Vec<&'static str> = (0..16).map(|n| &*format!("field{n}").leak()).collect();
    let noted = noted(|| {
        for name in &names {
            LogField::new(name).set(1);
        }
        mark_own();
        for name in &names {
            LogField::new(name).set(2);
        }
    })
    .await;
    assert!(noted.fields.iter().all(|(_, value)| *value == FieldValue::Whole(2)));
    assert_eq!((noted.fields.len(), noted.has_dropped), (16, false));
}

#[test]
fn a_name_of_another_form_or_of_a_secret_or_of_the_lifecycle_is_refused() {
    for name in ["", "Shelf", "shelf_no", "userPassword", "sessionToken", &"x".repeat(41)] {
        let name: &'static str = name.to_owned().leak();
        assert!(catch_unwind(|| LogField::new(name)).is_err(), "{name}");
    }
    for name in ["", "loansTotal", "errors_total", "records_total", &"x".repeat(61)] {
        let name: &'static str = name.to_owned().leak();
        assert!(catch_unwind(|| Metric::count(name)).is_err(), "{name}");
    }
    assert_eq!(Metric::count("other_errors_total").name, "other_errors_total");
}

#[test]
fn labels_of_one_name_or_with_the_name_of_the_metric_are_refused() {
    const LENT: Metric<0> = Metric::count("lent_total");
    assert!(catch_unwind(|| LENT.by(["kind", "shelf", "kind"])).is_err());
    assert!(catch_unwind(|| LENT.by(["kind", "lent_total"])).is_err());
    assert_eq!(LENT.by(["kind", "kind_of_reader"]).labels, ["kind", "kind_of_reader"]);
}
