//! Deserialisation of input, and the sentences of its violations.

use eserde::EDeserialize;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde_json::json;

use super::super::{Given, List};
use super::*;

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default)]
    order_id: Option<String>,
    items: List<Item, 1, 25>,
    payment_method: Method,
    #[serde(default)]
    note: Given<String>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Item {
    product_id: String,
    quantity: Quantity,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Card,
    Cash,
}

#[derive(Debug, PartialEq)]
struct Quantity(u8);

impl TryFrom<u8> for Quantity {
    type Error = &'static str;

    fn try_from(raw: u8) -> Result<Self, Self::Error> {
        if (1..=99).contains(&raw) { Ok(Self(raw)) } else { Err("must be from 1 to 99") }
    }
}

crate::checked!(Quantity, u8, { "type": "integer", "minimum": 1, "maximum": 99 });

/// Every kind of value in a body.
#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Kinds {
    truth: bool,
    text: String,
    small: u8,
    large: i64,
    real: f64,
    list: Vec<i64>,
    object: Inner,
    choice: Choice,
    #[eserde(compat)]
    map: std::collections::BTreeMap<String, i64>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
struct Inner {
    #[serde(default)]
    inner: Option<Box<Inner>>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Choice {
    None,
    One(u8),
    Named { name: String },
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_size: u8,
    #[serde(default)]
    order: Option<Direction>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Asc,
    Desc,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Mandatory {
    x_partner_id: String,
    #[serde(default)]
    if_match: Option<u8>,
}

const RIGHT: &str = r#"{"items":[{"productId":"p","quantity":3}],"paymentMethod":"CARD"}"#;

fn told<T>(read: Result<T, FieldErrors>) -> Vec<(String, String)> {
    let Err(violations) = read else { return Vec::new() };
    let (details, _) = violations.into_details();
    details.into_iter().map(|violation| (violation.field, violation.message)).collect()
}

fn fields<T>(read: Result<T, FieldErrors>) -> Vec<String> {
    told(read).into_iter().map(|(field, _)| field).collect()
}

fn order(body: &str) -> Vec<(String, String)> {
    told(json::<Order>(body.as_bytes()))
}

fn order_fields(body: &str) -> Vec<String> {
    fields(json::<Order>(body.as_bytes()))
}

#[test]
fn a_valid_body_is_read() {
    let order = json::<Order>(RIGHT.as_bytes()).unwrap();
    assert_eq!((order.order_id, order.items[0].quantity.0), (None, 3));
    assert_eq!((order.items[0].product_id.as_str(), order.payment_method), ("p", Method::Card));
    let escaped = r#"{"\u0069tems":[{"product\u0049d":"\ud83e\udd80\n","quantity":3}],
        "paymentMethod":"C\u0041SH"}"#;
    let order = json::<Order>(escaped.as_bytes()).unwrap();
    assert_eq!(order.items[0].product_id, "🦀\n");
    assert_eq!(order.payment_method, Method::Cash);
}

#[test]
fn all_violations_are_reported_together_with_their_pointers() {
    let body = r#"{"items":[{"productId":7,"quantity":"3","a/b":1},{"quantity":100}],
        "paymentMethod":"GOLD","extra":null,"note":null}"#;
    let expected = [
        ("/extra", "is not a known field"),
        ("/items/0/a~1b", "is not a known field"),
        ("/items/0/productId", "must be a text"),
        ("/items/0/quantity", "must be a whole number"),
        ("/items/1/productId", "is required"),
        ("/items/1/quantity", "must be from 1 to 99"),
        ("/note", "must be a text"),
        ("/paymentMethod", "must be one of CARD, CASH"),
    ];
    let found = order(body);
    assert!(found.iter().map(|(f, m)| (f.as_str(), m.as_str())).eq(expected), "{found:?}");
}

#[test]
fn a_missing_field_is_reported_by_its_name_on_the_wire() {
    let expected = [("/items", "is required"), ("/paymentMethod", "is required")];
    let found = order("{}");
    assert!(found.iter().map(|(f, m)| (f.as_str(), m.as_str())).eq(expected), "{found:?}");
}

#[test]
fn a_repeated_field_is_a_violation_in_every_spelling_and_at_every_depth() {
    let item = r#"{"productId":"p","quantity":1}"#;
    for (body, expected) in [
        (
            format!(r#"{{"items":[{item}],"items":[{item}],"paymentMethod":"CARD"}}"#),
            vec!["/items"],
        ),
        (
            format!(r#"{{"items":[{item}],"\u0069tems":3,"paymentMethod":7}}"#),
            vec!["/items", "/paymentMethod"],
        ),
        (
            r#"{"items":[{"productId":"p","quantity":0,"product\u0049d":"p"},{"x":1,"x":2}]}"#
                .to_owned(),
            vec![
                "/items/0/productId",
                "/items/0/quantity",
                "/items/1/productId",
                "/items/1/quantity",
                "/items/1/x",
                "/paymentMethod",
            ],
        ),
        (
            format!(r#"{{"orderId":null,"orderId":null,"items":[{item}],"paymentMethod":"CARD"}}"#),
            vec!["/orderId"],
        ),
    ] {
        assert_eq!(order_fields(&body), expected, "{body}");
    }
    let repeated = order(&format!(r#"{{"items":[{item}],"items":1,"paymentMethod":"CARD"}}"#));
    assert_eq!(repeated[0].1, "must not be repeated");
}

#[test]
fn half_a_surrogate_pair_is_one_violation_and_hides_no_others() {
    let body =
        r#"{"items":[{"productId":"\ud800","quantity":0}],"paymentMethod":"\udc00","\ud800":1}"#;
    let found = order(body);
    let fields: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["/items/0/productId", "/items/0/quantity", "/paymentMethod", "/\u{fffd}"]);
    assert!(found.iter().filter(|(_, message)| message.contains("surrogate")).count() == 3);
}

#[test]
fn a_value_that_is_nested_too_deeply_is_one_violation_at_its_place() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"items":[{{"productId":{deep},"quantity":1}}],"paymentMethod":"X"}}"#);
    assert_eq!(order_fields(&body), ["/items/0/productId", "/paymentMethod"]);
    let nested = format!("{}null{}", r#"{"inner":"#.repeat(10_000), "}".repeat(10_000));
    let found = told(json::<Inner>(nested.as_bytes()));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, "is nested too deeply");
}

#[test]
fn a_value_of_another_type_is_reported_with_the_expected_type() {
    let kinds = json!({
        "truth": true, "text": "t", "small": 1, "large": -5, "real": 0.5, "list": [1],
        "object": {}, "choice": "none", "map": { "a": 1 },
    });
    assert!(json::<Kinds>(kinds.to_string().as_bytes()).is_ok());
    let cases = [
        ("truth", "1", "must be true or false"),
        ("text", "1", "must be a text"),
        ("text", "null", "must be a text"),
        ("text", "{}", "must be a text"),
        ("small", "\"1\"", "must be a whole number"),
        ("small", "1.5", "must be a whole number"),
        ("small", "256", "must be from 0 to 255"),
        ("small", "-1e400", "must be from 0 to 255"),
        (
            "large",
            "9223372036854775808",
            "must be from -9223372036854775808 to 9223372036854775807",
        ),
        ("large", "[]", "must be a whole number"),
        ("real", "\"x\"", "must be a number that is not too large"),
        ("real", "1e400", "must be a number that is not too large"),
        ("list", "{}", "must be an array"),
        ("object", "[]", "must be an object"),
        ("object", "7", "must be an object"),
        ("choice", "7", "must be a text"),
        ("choice", "\"two\"", "must be one of none, one, named"),
        ("choice", "{}", "must have one field"),
        ("map", "[]", "must be an object"),
    ];
    for (name, value, sentence) in cases {
        let mut text = kinds.clone();
        text[name] = json!("PLACE");
        let text = text.to_string().replace("\"PLACE\"", value);
        let expected = [(format!("/{name}"), sentence.to_owned())];
        assert_eq!(told(json::<Kinds>(text.as_bytes())), expected, "{text}");
    }
    for (pointer, from, to) in [
        ("/list/1", "[1]", "[1,null]"),
        ("/map/b", "{\"a\":1}", "{\"a\":1,\"b\":\"1\"}"),
        ("/map/a", "{\"a\":1}", "{\"a\":1,\"\\u0061\":1}"),
        ("/object/inner", "\"object\":{}", "\"object\":{\"inner\":[]}"),
        ("/choice", "\"none\"", "{\"one\":\"1\"}"),
        ("/choice/name", "\"none\"", "{\"named\":{\"name\":1}}"),
    ] {
        let text = kinds.to_string().replace(from, to);
        assert_eq!(fields(json::<Kinds>(text.as_bytes())), [pointer], "{text}");
    }
}

#[test]
fn a_variant_may_have_content() {
    let of = |choice| {
        let kinds = json!({
            "truth": true, "text": "t", "small": 1, "large": 1, "real": 1, "list": [],
            "object": { "inner": {} }, "choice": choice, "map": {},
        });
        json::<Kinds>(kinds.to_string().as_bytes()).unwrap().choice
    };
    assert_eq!(of(json!({ "one": 5.0 })), Choice::One(5));
    assert_eq!(of(json!({ "named": { "name": "n" } })), Choice::Named { name: "n".to_owned() });
    assert_eq!(of(json!({ "none": null })), Choice::None);
}

#[test]
fn a_whole_number_is_read_in_every_spelling() {
    for (spelling, read) in [
        ("3", true),
        ("3.0", true),
        ("3e0", true),
        ("0.3e1", true),
        ("300E-2", true),
        ("3.5", false),
        ("1e400", false),
        ("99999999999999999999", false),
        ("1e1000000000", false),
        ("-0", false),
        ("\"3\"", false),
    ] {
        let body = RIGHT.replace(":3", &format!(":{spelling}"));
        let order = json::<Order>(body.as_bytes());
        assert_eq!(order.is_ok_and(|order| order.items[0].quantity == Quantity(3)), read, "{body}");
    }
}

#[test]
fn an_array_in_place_of_an_object_is_a_violation() {
    let body = r#"{"items":[["p",3]],"paymentMethod":"CARD"}"#;
    assert_eq!(order(body), [("/items/0".to_owned(), "must be an object".to_owned())]);
    assert_eq!(order_fields(r#"[null,[],"CARD"]"#), [""]);
}

#[test]
fn a_body_that_is_not_json_is_one_violation_of_the_whole_body() {
    for body in
        ["", "{", "[1,2", "{} {}", "\u{feff}{}", "nul", "{\"items\":[}", "{\"a\":\"\u{1}\"}"]
    {
        let found = order(body);
        assert_eq!(found.len(), 1, "{body}: {found:?}");
        assert_eq!(found[0].0, "", "{body}");
    }
    for body in ["[]", "[1]", "null", "7", "\"text\""] {
        assert_eq!(order_fields(body), [""], "{body}");
    }
    let cut = &"{\"text\":\"€".as_bytes()[..10];
    let found = told(json::<Order>(cut));
    assert_eq!(found[0], (String::new(), "the body is not UTF-8 from byte 9 on".to_owned()));
}

#[test]
fn a_too_long_array_is_one_violation_and_read_up_to_its_maximum() {
    let body = |items: &str| format!(r#"{{"items":[{items}],"paymentMethod":"CARD"}}"#);
    let right = vec![r#"{"productId":"p","quantity":1}"#; 26].join(",");
    let expected = [("/items".to_owned(), "must have 1 to 25 items".to_owned())];
    assert_eq!(order(&body(&right)), expected);
    assert_eq!(order(&body("")), expected);
    // Errors beyond the maximum are not reported.
    assert_eq!(order(&body(&format!("{right},3,{{}}"))), expected);
    let found = order_fields(&body(&vec!["7"; 5_000].join(",")));
    assert_eq!((found.len(), found[0].as_str(), found[25].as_str()), (26, "/items", "/items/9"));
}

#[test]
fn only_the_50_violations_nearest_to_the_root_are_listed() {
    let items = vec!["{}"; 10_000].join(",");
    let body = format!(r#"{{"items":[{items}],"x":1}}"#);
    let violations = json::<Order>(body.as_bytes()).unwrap_err();
    let (details, more) = violations.into_details();
    assert!(more);
    assert_eq!(details.len(), 50);
    for field in ["/items", "/paymentMethod", "/x", "/items/0/productId"] {
        assert!(details.iter().any(|violation| violation.field == field), "{field}: {details:?}");
    }
    let exactly = (0..50).map(|n| format!("\"x{n}\":{n}")).collect::<Vec<_>>().join(",");
    let body = RIGHT.replacen('{', &format!("{{{exactly},"), 1);
    let (details, more) = json::<Order>(body.as_bytes()).unwrap_err().into_details();
    assert_eq!((details.len(), more), (50, false));
}

#[test]
fn query_parameters_are_as_strictly_typed_as_a_body() {
    let page =
        |of: &[(&str, &str)]| pairs::<Page>(Place::Query, of.iter().map(|(k, v)| (*k, Some(*v))));
    let read = page(&[("pageSize", "20"), ("order", "desc")]).unwrap();
    assert_eq!((read.page_size, read.order), (20, Some(Direction::Desc)));
    assert_eq!(page(&[("pageSize", "1")]).unwrap().order, None);

    for (given, expected) in [
        (
            &[("pageSize", "many"), ("order", "1; DROP TABLE"), ("offset", "3")][..],
            &["query.offset", "query.order", "query.pageSize"][..],
        ),
        (&[], &["query.pageSize"]),
        (&[("pageSize", "1"), ("pageSize", "2")], &["query.pageSize"]),
        (
            &[("pageSize", "1"), ("order", "x"), ("pageSize", "1"), ("y", ""), ("y", "")],
            &["query.order", "query.pageSize", "query.y"],
        ),
        (&[("pageSize", "+5")], &["query.pageSize"]),
        (&[("pageSize", "05")], &["query.pageSize"]),
        (&[("pageSize", "5.0")], &["query.pageSize"]),
        (&[("pageSize", "")], &["query.pageSize"]),
        (&[("pageSize", "256")], &["query.pageSize"]),
    ] {
        assert_eq!(fields(page(given)), expected, "{given:?}");
    }
}

#[test]
fn unknown_headers_are_ignored_and_known_ones_reported_in_title_case() {
    let read = |of: &[(&str, &str)]| {
        pairs::<Mandatory>(Place::Headers, of.iter().map(|(k, v)| (*k, Some(*v))))
    };
    let given = [("accept", "x"), ("x-partner-id", "acme"), ("accept", "y"), ("if-match", "7")];
    let mandatory = read(&given).unwrap();
    assert_eq!((mandatory.x_partner_id.as_str(), mandatory.if_match), ("acme", Some(7)));
    let twice = [("x-partner-id", "a"), ("x-partner-id", "b"), ("if-match", "x")];
    assert_eq!(fields(read(&twice)), ["header.If-Match", "header.X-Partner-Id"]);
    assert_eq!(fields(read(&[])), ["header.X-Partner-Id"]);
}

#[test]
fn a_value_that_is_not_text_is_reported_as_such_and_not_as_missing() {
    for (place, field, message) in [
        (Place::Headers, "header.X-Partner-Id", "must be visible ASCII characters"),
        (Place::Query, "query.x-partner-id", "must be UTF-8"),
    ] {
        let read = pairs::<Mandatory>(place, [("x-partner-id", None)].into_iter());
        assert_eq!(told(read), [(field.to_owned(), message.to_owned())]);
    }
}

/// The size of the response to a hostile body is limited.
#[test]
fn no_list_of_violations_exceeds_12_kib() {
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
        let violations = json::<Order>(body.as_bytes()).unwrap_err();
        let failure = crate::error::RequestError::Invalid(violations);
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
    /// with at least one violation, and never with too many.
    #[test]
    fn a_mutated_body_is_read_or_refused_with_violations(
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
            Err(violations) => {
                let (details, more) = violations.into_details();
                prop_assert!(!details.is_empty() && !more);
                let is_json = serde_json::from_str::<serde_json::Value>(&body).is_ok();
                prop_assert_eq!(details.iter().any(|one| one.field.is_empty()), !is_json || !body.trim().starts_with('{'));
            }
        }
    }
}
