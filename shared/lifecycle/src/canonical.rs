//! The canonical form of a JSON text: equal for two texts exactly if they have the same value.
//!
//! The order of members, whitespace, the spelling of numbers (`5`, `5.0`, `0.5e1`) and escapes in
//! strings do not matter. Numbers are compared exactly, digit by digit, never rounded.

use crate::input::{Document, Kind};

/// Returns the canonical form. `None` if the text is not JSON, is nested too deeply, or contains a
/// string that is not Unicode. Linear in the size of the text, except for sorting the members.
pub(crate) fn canonical(text: &[u8]) -> Option<Vec<u8>> {
    let document = Document::of_json(std::str::from_utf8(text).ok()?).ok()?;
    let mut form = Vec::with_capacity(text.len());
    write(&document, 0, &mut form)?;
    Some(form)
}

/// Writes a value. Each part begins with its kind and its length, so that different values have
/// different forms. The recursion is limited by the document's maximum depth.
fn write(document: &Document<'_>, node: usize, form: &mut Vec<u8>) -> Option<()> {
    let (mut at, end) = document.within(node);
    match document.kind(node) {
        Kind::Null => part(form, b'w', "null"),
        Kind::True => part(form, b'w', "true"),
        Kind::False => part(form, b'w', "false"),
        Kind::Number => part(form, b'w', &number(&document.text(node))?),
        Kind::Text => part(form, b't', &document.text(node)),
        Kind::Array => {
            let mut items = Vec::new();
            while at < end {
                items.push(at);
                at = document.behind(at);
            }
            count(form, b'l', items.len());
            for item in items {
                write(document, item, form)?;
            }
        }
        Kind::Object => {
            let mut members = Vec::new();
            while at < end {
                if document.kind(at) == Kind::Broken {
                    return None;
                }
                members.push((document.text(at), at + 1));
                at = document.behind(at + 1);
            }
            // Repeated names keep their order; such a body is always refused.
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            count(form, b'o', members.len());
            for (name, value) in members {
                part(form, b'n', &name);
                write(document, value, form)?;
            }
        }
        Kind::Broken | Kind::TooDeep | Kind::Word => return None,
    }
    Some(())
}

fn part(form: &mut Vec<u8>, kind: u8, text: &str) {
    count(form, kind, text.len());
    form.extend_from_slice(text.as_bytes());
}

fn count(form: &mut Vec<u8>, kind: u8, count: usize) {
    form.push(kind);
    form.extend_from_slice(&count.to_be_bytes());
}

/// Returns a number as its sign, its digits without leading and trailing zeros, and the power of
/// ten of the last digit: `-120` is `-12e1`. Zero is `0`, with either sign.
fn number(text: &str) -> Option<String> {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let moved = i128::try_from(zeros).ok()? - i128::try_from(fraction.len()).ok()?;
    // No reader supports a power beyond this; it keeps its spelling.
    match power.parse::<i64>() {
        Ok(power) => Some(format!("{sign}{significant}e{}", i128::from(power) + moved)),
        Err(_) => Some(format!("{sign}{mantissa}e{power}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Option<Vec<u8>> {
        canonical(text.as_bytes())
    }

    #[test]
    fn json_texts_with_equal_values_have_equal_forms() {
        for (one, other) in [
            (
                r#"{"a":1,"b":[2,{"c":3,"d":4}]}"#,
                "\n{ \"b\" : [2, {\"d\":4, \"c\":3} ] ,\t\"a\":1 }",
            ),
            (r#""\u0061\/\u00e4\ud83d\ude00\\\"""#, r#""a/ä😀\\\u0022""#),
            ("5", "5.0"),
            ("5", "5e0"),
            ("5", "0.5E+1"),
            ("5", "50e-1"),
            ("-120", "-1.2e2"),
            ("0", "-0.00e7"),
            ("9007199254740993", "9007199254740993.0"),
            ("100000000000000000000", "1e20"),
            ("[]", "[ ]"),
            ("{}", "{ }"),
            ("[true,false,null]", "[ true , false , null ]"),
        ] {
            assert_eq!(form(one), form(other), "{one} and {other}");
            assert!(form(one).is_some(), "{one}");
        }
    }

    #[test]
    fn json_texts_with_different_values_have_different_forms() {
        let texts = [
            "5",
            "-5",
            "50",
            "0.5",
            "5.5",
            "\"5\"",
            "[5]",
            "[[5]]",
            "[5,5]",
            "{}",
            "[]",
            "null",
            "true",
            "\"true\"",
            "\"\"",
            "9007199254740993",
            "9007199254740992",
            "1e400",
            "1e401",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"b":1}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":1,"b":1}"#,
            r#"["a",1]"#,
            r#"["a","1"]"#,
            r#"[1,"a"]"#,
            "\"a\"",
            "\"A\"",
            "\" a\"",
        ];
        for (place, one) in texts.iter().enumerate() {
            for other in &texts[place + 1..] {
                assert_ne!(form(one), form(other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn a_text_that_is_not_json_has_no_form() {
        for text in ["", "{", "[1,]", "{\"a\"}", "nul", "1 2", "\"\\x\"", "01", "+1", "1."] {
            assert_eq!(form(text), None, "{text}");
        }
        for text in ["\"\\ud800\"", "{\"\\ud800\":1}"] {
            assert_eq!(form(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_nested_too_deeply_has_no_form_at_any_depth() {
        let nested = |open: &str, close: &str, depth| {
            format!("{}0{}", open.repeat(depth), close.repeat(depth))
        };
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            assert!(form(&nested(open, close, 60)).is_some());
            for depth in [65, 200, 1_000_000] {
                assert_eq!(form(&nested(open, close, depth)), None, "{depth}");
            }
        }
    }

    #[test]
    fn a_large_text_takes_linear_time() {
        let items: Vec<String> = (0..60_000).rev().map(|n| format!("{{\"k{n}\":[]}}")).collect();
        let text = format!("[{}]", items.join(","));
        let began = tokio::time::Instant::now();
        assert!(form(&text).unwrap().len() > text.len());
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
