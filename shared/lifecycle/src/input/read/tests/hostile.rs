//! Hostile bodies: the limits of work and of responses.

use eserde::EDeserialize;
use proptest::prelude::*;

use super::*;

#[test]
fn only_the_50_field_errors_nearest_to_the_root_are_listed() {
    let items = vec!["{}"; 10_000].join(",");
    let body = format!(r#"{{"items":[{items}],"x":1}}"#);
    let field_errors = json::<Order>(body.as_bytes()).unwrap_err();
    let (details, more) = field_errors.into_details();
    assert!(more);
    assert_eq!(details.len(), 50);
    for field in ["/items", "/paymentMethod", "/x", "/items/0/productId"] {
        assert!(
            details.iter().any(|field_error| field_error.field == field),
            "{field}: {details:?}"
        );
    }
    let exactly = (0..50).map(|n| format!("\"x{n}\":{n}")).collect::<Vec<_>>().join(",");
    let body = RIGHT.replacen('{', &format!("{{{exactly},"), 1);
    let (details, more) = json::<Order>(body.as_bytes()).unwrap_err().into_details();
    assert_eq!((details.len(), more), (50, false));
}

/// The size of the response to a hostile body is limited.
#[test]
fn no_list_of_field_errors_exceeds_12_kib() {
    let long = "x".repeat(200_000);
    let controls = "\\u0001".repeat(20_000);
    let many =
        |name: &str| (0..2_000).map(|n| format!("\"{name}{n}\":0")).collect::<Vec<_>>().join(",");
    for body in [
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"{controls}":1}}"#),
        format!(r#"{{"paymentMethod":"{long}"}}"#),
        format!("{{{}}}", many("\\u0002\\u0003~/🦀".repeat(20).as_str())),
        format!("{{{}}}", many("\\\"")),
        format!(r#"{{"items":[{{{}}}]}}"#, many("a/b")),
        format!(r#"{{"{long}":1,"{long}":2}}"#),
    ] {
        let field_errors = json::<Order>(body.as_bytes()).unwrap_err();
        let failure = crate::error::RequestError::Invalid(field_errors);
        let answer = failure.response();
        let bytes = serde_json::to_string(&answer.details).unwrap().len();
        assert!(bytes <= 12 * 1024, "{bytes}: {}", &body[..60]);
        assert!((1..=50).contains(&answer.details.len()));
    }
}

/// The types limit the number of values that are read; the body does not.
#[test]
fn a_hostile_body_does_not_increase_the_number_of_values_read() {
    for count in [1_000, 64_000] {
        for element in ["{}", "[]", "0", "\"\\ud800\"", "{\"productId\":{}}"] {
            let body = format!(r#"{{"items":[{}]}}"#, vec![element; count].join(","));
            let text = Document::of_json(&body).unwrap();
            assert!(text.size() <= body.len(), "at most one node per byte");
            let (at, notes) = (Path::root(Place::Body), Notes::collecting());
            let _collecting = ErrorReporter::start_deserialization();
            let _ = Order::deserialize_for_errors(Value {
                document: &text,
                node: 0,
                at: &at,
                notes: &notes,
            });
            assert!(notes.values_met() <= 1 + 26 + 25 * 2, "{element}: {}", notes.values_met());
        }
    }
}

proptest! {
    /// A body that `serde_json` accepts is read with the same value. Every other body is refused
    /// with at least one field error, and never with too many.
    #[test]
    fn a_mutated_body_is_read_or_refused_with_field_errors(
        at: prop::sample::Index, cut in 0_usize..12, insert in "[\\]\\[{}\",:0-9a-z\\\\ ]{0,6}",
    ) {
        let mut body = RIGHT.to_owned();
        let at = at.index(body.len());
        body.replace_range(at..(at + cut).min(body.len()), &insert);
        match json::<Order>(body.as_bytes()) {
            Ok(order) => {
                let other = serde_json::from_str::<serde_json::Value>(&body).unwrap();
                prop_assert_eq!(other["items"].as_array().unwrap().len(), order.items.len());
            }
            Err(field_errors) => {
                let (details, more) = field_errors.into_details();
                prop_assert!(!details.is_empty() && !more);
                let is_json = serde_json::from_str::<serde_json::Value>(&body).is_ok();
                prop_assert_eq!(details.iter().any(|one| one.field.is_empty()), !is_json || !body.trim().starts_with('{'));
            }
        }
    }
}
