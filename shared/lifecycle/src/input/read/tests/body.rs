//! Bodies, valid and invalid.

use serde_json::json;

use super::*;

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
fn all_field_errors_are_reported_together_with_their_pointers() {
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
fn a_repeated_field_is_a_field_error_in_every_spelling_and_at_every_depth() {
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
fn half_a_surrogate_pair_is_one_field_error_and_hides_no_others() {
    let body =
        r#"{"items":[{"productId":"\ud800","quantity":0}],"paymentMethod":"\udc00","\ud800":1}"#;
    let found = order(body);
    let fields: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["/items/0/productId", "/items/0/quantity", "/paymentMethod", "/\u{fffd}"]);
    assert!(found.iter().filter(|(_, message)| message.contains("surrogate")).count() == 3);
}

#[test]
fn a_value_that_is_nested_too_deeply_is_one_field_error_at_its_place() {
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
        ("/choice", "\"none\"", "{\"none\":1}"),
        ("/choice", "\"none\"", "{\"one\":1,\"none\":null}"),
        ("/choice/name", "\"none\"", "{\"named\":{\"name\":1}}"),
    ] {
        let text = kinds.to_string().replace(from, to);
        assert_eq!(fields(json::<Kinds>(text.as_bytes())), [pointer], "{text}");
    }
}

#[test]
fn a_value_of_any_type_keeps_its_type() {
    #[derive(Debug, eserde::Deserialize, JsonSchema)]
    struct Any {
        #[eserde(compat)]
        any: serde_json::Value,
    }
    for value in [
        json!(true),
        json!(false),
        json!(null),
        json!(7),
        json!(-7),
        json!(u64::MAX),
        json!(0.5),
        json!("t"),
        json!([1, "t", null]),
        json!({ "a": { "b": [] } }),
    ] {
        let body = json!({ "any": value }).to_string();
        assert_eq!(json::<Any>(body.as_bytes()).unwrap().any, value);
    }
    let beyond = json::<Any>(br#"{"any":1e30}"#).unwrap().any;
    assert_eq!(beyond.as_f64(), Some(1e30));
}

#[test]
fn a_bool_is_true_or_false() {
    #[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
    struct Switch {
        on: bool,
        nothing: (),
    }
    for on in [true, false] {
        let body = json!({ "on": on, "nothing": null }).to_string();
        assert_eq!(json::<Switch>(body.as_bytes()).unwrap(), Switch { on, nothing: () });
    }
    let body = r#"{"on":true,"nothing":0}"#;
    assert_eq!(fields(json::<Switch>(body.as_bytes())), ["/nothing"]);
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

/// The sentence about a body; `None` if it is read.
fn sentence<T: Readable>(body: &str) -> Option<String> {
    told(json::<T>(body.as_bytes())).pop().map(|(_, sentence)| sentence)
}

#[test]
fn a_number_that_no_table_can_hold_is_a_field_error() {
    let large = || Some("must be a number that is not too large".to_owned());
    for number in ["1e126", "-1e126", "1e400"] {
        assert_eq!(sentence::<f64>(number), large(), "{number}");
    }
    for number in ["1e39", "-1e39", "1e126"] {
        assert_eq!(sentence::<f32>(number), large(), "{number}");
    }
    let small = || Some("must be 0 or a number that is not too near to 0".to_owned());
    for number in ["1e-131", "-1e-200", "1e-400"] {
        assert_eq!(sentence::<f64>(number), small(), "{number}");
        assert_eq!(sentence::<f32>(number), small(), "{number}");
    }
    for number in ["0", "-0.0", "0e-400", "850.5", "1e125", "-9.99e125", "1e-130"] {
        assert_eq!(sentence::<f64>(number), None, "{number}");
    }
    for number in ["0", "-850.5", "3.4028235e38", "1e-30"] {
        assert_eq!(sentence::<f32>(number), None, "{number}");
    }
}

#[test]
fn a_whole_number_of_128_bits_has_at_most_38_digits() {
    let most = "9".repeat(38);
    let signed = || Some(format!("must be from -{most} to {most}"));
    let unsigned = || Some(format!("must be from 0 to {most}"));
    for number in ["1e400", "1e38", "170141183460469231731687303715884105728", "-1e400"] {
        assert_eq!(sentence::<i128>(number), signed(), "{number}");
        assert_eq!(sentence::<u128>(number), unsigned(), "{number}");
    }
    assert_eq!(sentence::<u128>("-1"), unsigned());
    for number in ["0", "7", "7e37", &most] {
        assert_eq!(sentence::<i128>(number), None, "{number}");
        assert_eq!(sentence::<u128>(number), None, "{number}");
    }
    assert_eq!(sentence::<i128>(&format!("-{most}")), None);
    assert_eq!(json::<i128>(b"-5.0").unwrap(), -5);
    assert_eq!(json::<u128>(most.as_bytes()).unwrap(), 10_u128.pow(38) - 1);
}

#[test]
fn an_array_in_place_of_an_object_is_a_field_error() {
    let body = r#"{"items":[["p",3]],"paymentMethod":"CARD"}"#;
    assert_eq!(order(body), [("/items/0".to_owned(), "must be an object".to_owned())]);
    assert_eq!(order_fields(r#"[null,[],"CARD"]"#), [""]);
}

#[test]
fn a_body_that_is_not_json_is_one_field_error_of_the_whole_body() {
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
fn a_too_long_array_is_one_field_error_and_read_up_to_its_maximum() {
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
