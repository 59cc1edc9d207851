//! Documents, compared with `serde_json`.

use proptest::prelude::*;
use serde_json::Value;

use super::parser::DEPTH_MAX;
use super::*;

/// The value for comparison with `serde_json`. Numbers are compared by their spelling.
fn value(document: &Document<'_>, node: usize) -> Value {
    let (mut at, end) = document.within(node);
    match document.kind(node) {
        Kind::Null => Value::Null,
        Kind::True => true.into(),
        Kind::False => false.into(),
        Kind::Number => serde_json::from_str(&document.text(node)).unwrap(),
        Kind::Text | Kind::Broken | Kind::Word => document.text(node).into(),
        Kind::TooDeep => "too deep".into(),
        Kind::Array => {
            let mut items = Vec::new();
            while at < end {
                items.push(value(document, at));
                at = document.behind(at);
            }
            items.into()
        }
        Kind::Object => {
            let mut members = serde_json::Map::new();
            while at < end {
                members.insert(document.text(at).into_owned(), value(document, at + 1));
                at = document.behind(at + 1);
            }
            members.into()
        }
    }
}

fn parsed(text: &str) -> Option<Value> {
    Document::of_json(text).ok().map(|document| value(&document, 0))
}

#[test]
fn texts_are_accepted_and_refused_like_in_serde_json() {
    for text in [
        "{}",
        "[]",
        " [ 1 , 2 ] ",
        "{\"a\":{\"b\":[{},[],null,true,false]}}",
        "\"\"",
        "0",
        "-0.0e-0",
        "1E+5",
        "\"\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83e\\udd80\"",
        "\"\u{7f}\u{2028}\"",
        // None of these is JSON.
        "",
        " ",
        "{",
        "[",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "[,1]",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "--1",
        "0x1",
        "NaN",
        "Infinity",
        "nul",
        "nulll",
        "True",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\t\"",
        "{} {}",
        "[]]",
        "[1]x",
        "\u{feff}{}",
        "\u{a0}1",
        "// x\n1",
        "[1}",
    ] {
        assert_eq!(parsed(text), serde_json::from_str(text).ok(), "{text}");
    }
}

#[test]
fn a_syntax_error_is_reported_with_its_line_and_column() {
    for (text, told) in [
        ("", "a value is expected at line 1, column 1"),
        ("{\"a\":1 \"b\":2}", "`,` or `}` is expected at line 1, column 8"),
        ("{\n  \"a\": tru\n}", "a value is expected at line 2, column 8"),
        ("[1,\n 2", "`,` or `]` is expected at line 2, column 3"),
        ("{} {}", "the end of the body is expected at line 1, column 4"),
    ] {
        assert_eq!(Document::of_json(text).unwrap_err().to_string(), told, "{text}");
    }
}

#[test]
fn half_a_surrogate_pair_is_a_broken_text_and_parsing_continues() {
    for text in ["\\ud800", "\\udc00", "\\udc00\\ud800", "x\\ud83ey", "\\ud800\\ud800"] {
        let text = format!("[\"{text}\", 7]");
        let document = Document::of_json(&text).unwrap();
        assert_eq!(document.kind(1), Kind::Broken, "{text}");
        assert!(document.text(1).contains('\u{fffd}'), "{text}");
        assert_eq!(document.kind(2), Kind::Number);
    }
}

#[test]
fn a_value_that_is_nested_too_deeply_is_skipped_at_any_depth() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let document = Document::of_json(&nested(DEPTH_MAX)).unwrap().nodes.len();
    assert_eq!(document, DEPTH_MAX);
    for depth in [DEPTH_MAX + 1, DEPTH_MAX + 2, 1_000_000] {
        let text = nested(depth);
        let document = Document::of_json(&text).unwrap();
        assert_eq!(document.nodes.len(), DEPTH_MAX + 1, "{depth}");
        assert_eq!(document.kind(DEPTH_MAX), Kind::TooDeep);
    }
    assert!(Document::of_json(&"[".repeat(1_000_000)).is_err());
}

/// Any JSON with little nesting, and with unusual spellings of numbers.
fn json() -> impl Strategy<Value = String> {
    let text = any::<String>().prop_map(|text| Value::from(text).to_string());
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9])?",
        text.clone(),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let members = prop::collection::vec((text.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|all| format!("[{}]", all.join(" ,"))),
            members.prop_map(|all| {
                let all: Vec<_> = all.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn values_are_the_same_as_in_serde_json(text in json()) {
        prop_assert_eq!(parsed(&text), serde_json::from_str(&text).ok());
    }

    #[test]
    fn a_text_with_an_inserted_character_is_treated_like_in_serde_json(
        text in json(), at: prop::sample::Index, odd in "[\\]\\[{}\",:0e.\\\\u \\x00-]",
    ) {
        let at = at.index(text.len() + 1);
        prop_assume!(text.is_char_boundary(at));
        let text = format!("{}{odd}{}", &text[..at], &text[at..]);
        let other = serde_json::from_str::<Value>(&text);
        // Two errors of `serde_json` are values here.
        let refused = other.as_ref().is_err_and(|error| {
            let message = error.to_string();
            message.contains("number out of range") || message.contains("surrogate")
                || message.contains("unexpected end of hex escape")
        });
        if !refused {
            prop_assert_eq!(parsed(&text), other.ok(), "{}", text);
        }
    }
}
