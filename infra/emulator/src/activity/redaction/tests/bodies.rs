//! Bodies, and bounds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::json;

use super::{JWT, redaction};
use crate::activity::redaction::{CUT, READ_BYTES_MAX, SHOWN_BYTES_MAX};

#[test]
fn a_body_is_pretty_printed_in_its_order_and_with_its_digits() {
    let body = br#"{"b":1.50,"a":{"password":"hush","list":[1,{"x":null}]},"empty":{},"n":12345678901234567890123}"#;
    let expected = r#"{
  "b": 1.50,
  "a": {
    "password": "•••",
    "list": [
      1,
      {
        "x": null
      }
    ]
  },
  "empty": {},
  "n": 12345678901234567890123
}"#;
    assert_eq!(redaction().body(Some("application/json"), body).as_deref(), Some(expected));
    assert_eq!(redaction().body(None, body).as_deref(), Some(expected));
}

#[test]
fn each_value_of_a_repeated_member_is_redacted_and_shown() {
    let shown = |body: &str| redaction().body(Some("application/json"), body.as_bytes()).unwrap();
    for body in [
        r#"{"x":{"password":"hush"},"x":1}"#,
        r#"{"x":["Bearer hush-hush"],"x":[-2]}"#,
        r#"{"y":"eyJhbGciOiJFZERTQSJ9.hush.hush","x":1,"y":2}"#,
        r#"{"password":"hush","password":""}"#,
        r#"{"credentials":{"x":"hush","x":null}}"#,
        r#"{"name":"x","name":"x-api-key","value":"hush"}"#,
        r#"{"body":"{\"password\":\"hush\",\"password\":\"\"}"}"#,
        // {"password":"hush","password":""}
        r#"{"body":"eyJwYXNzd29yZCI6Imh1c2giLCJwYXNzd29yZCI6IiJ9"}"#,
    ] {
        assert!(!shown(body).contains("hush"), "{}", shown(body));
    }
    let nested = r#"{"body":"{ \"b\": 18446744073709551617, \"pin\": 1234, \"a\": 2 }"}"#;
    let shown_nested = shown(nested);
    assert!(shown_nested.contains(r#"{ \"b\": 18446744073709551617, "#), "{shown_nested}");
    assert_eq!(shown(r#"{"x":"one","x":1.50}"#), "{\n  \"x\": \"one\",\n  \"x\": 1.50\n}");
}

#[test]
fn other_bodies_are_redacted_as_texts() {
    let body = |media_type: &str, body: &[u8]| redaction().body(Some(media_type), body);
    assert_eq!(body("text/plain", b""), None);
    assert_eq!(
        body("application/json", b"{\"password\":\"hush\",").as_deref(),
        Some("{\"password\":\"•••\",")
    );
    assert_eq!(body("application/problem+json", b"{\"a\":1}").as_deref(), Some("{\n  \"a\": 1\n}"));
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    assert_eq!(
        body(form, b"user=a%20b&pass%77ord=hush").as_deref(),
        Some("user=a%20b&pass%77ord=•••")
    );
    assert_eq!(body("image/png", &[0xff, 0xd8, 0]).as_deref(), Some("(3 bytes that are not text)"));
    assert_eq!(body("text/plain", "token: hush1".as_bytes()).as_deref(), Some("token: •••"));
}

#[test]
fn a_long_body_is_cut_without_showing_the_beginning_of_a_secret() {
    let before = "ü".repeat(SHOWN_BYTES_MAX / 2 - 10);
    let body = format!("{before} {JWT} {}", "x".repeat(READ_BYTES_MAX));
    let shown = redaction().body(Some("text/plain"), body.as_bytes()).unwrap();
    assert!(shown.ends_with(CUT) && shown.len() <= SHOWN_BYTES_MAX + CUT.len());
    assert!(!shown.contains("eyJ"));
    let long = format!("{{\"password\": \"{}\"}}", "hush ".repeat(READ_BYTES_MAX));
    let shown = redaction().body(Some("application/json"), long.as_bytes()).unwrap();
    assert!(!shown.contains("hush"), "{}", &shown[..100]);
}

/// Quadratic searches would take minutes for long texts of these.
const UNFORTUNATE: [&str; 34] = [
    "eyJ",
    "eyJ.",
    "eyJaaaaaaaaaa.",
    "Bearer ",
    "Bearer+",
    "basic+",
    "$2a$",
    "$",
    "-----BEGIN ",
    "://",
    "http://a/",
    "password",
    "password=",
    "token:\"",
    "token='",
    "tokenType=",
    "token=[",
    "\\\"token\\\":\\\"",
    "{\"token\":",
    "[[",
    "=",
    ":",
    "\"",
    "\\",
    "a=",
    "code='x",
    "token:Some(",
    "authorization:a ",
    "<",
    "<password",
    "<password>",
    "<password>a</",
    "form-data; name=\"password\"",
    "ey",
];

#[test]
fn unfortunate_long_texts_take_bounded_time() {
    let redaction = redaction();
    redaction.learn("eyJeyJeyJeyJ-secret");
    let next = AtomicUsize::new(0);
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(part) = UNFORTUNATE.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let text = part.repeat(READ_BYTES_MAX / 4 / part.len());
                    let begun = Instant::now();
                    let _ = redaction.body(Some("text/plain"), text.as_bytes());
                    assert!(begun.elapsed().as_secs() < 60, "{part}");
                }
            });
        }
    });
}

#[test]
fn deeply_nested_documents_are_redacted() {
    let mut text = json!({"token": "hush"}).to_string();
    for _ in 0..4 {
        text = json!({ "body": text }).to_string();
    }
    let shown = redaction().body(None, text.as_bytes()).unwrap();
    assert!(!shown.contains("hush"), "{shown}");
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    assert!(redaction().body(None, deep.as_bytes()).is_some());
}
