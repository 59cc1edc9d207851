//! The canonical form of a JSON text: two texts have the same one where they hold the same value.
//!
//! The order of members, blanks, the spelling of numbers (`5`, `5.0`, `0.5e1`) and escapes in
//! strings do not matter. Numbers are compared as they are written, digit by digit, never rounded.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The canonical form; `None` where the text is no JSON. Takes time in proportion to the text, but
/// for the sorting of members.
pub(crate) fn canonical(text: &[u8]) -> Option<Vec<u8>> {
    // Bounds the depth, too: serde_json stops at 128.
    serde_json::from_slice::<IgnoredAny>(text).ok()?;
    let mut rest = text;
    let value = Value::next(&mut rest)?;
    let mut form = Vec::with_capacity(text.len());
    value.write(&mut form);
    Some(form)
}

/// A value of a text that is known to be JSON.
enum Value<'a> {
    /// `true`, `false`, `null`, or a number in its canonical form.
    Word(Cow<'a, str>),
    Text(String),
    List(Vec<Value<'a>>),
    /// Sorted by name. Repeated names stay in their order; no body with one is accepted.
    Object(Vec<(String, Value<'a>)>),
}

impl<'a> Value<'a> {
    fn next(rest: &mut &'a [u8]) -> Option<Self> {
        match *rest.trim_ascii_start().first()? {
            b'{' => {
                let mut members = Vec::new();
                let mut more = opens(rest, b'}')?;
                while more {
                    let name = string(rest)?;
                    skip(rest, b':')?;
                    members.push((name, Self::next(rest)?));
                    more = goes_on(rest)?;
                }
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Some(Self::Object(members))
            }
            b'[' => {
                let mut items = Vec::new();
                let mut more = opens(rest, b']')?;
                while more {
                    items.push(Self::next(rest)?);
                    more = goes_on(rest)?;
                }
                Some(Self::List(items))
            }
            b'"' => Some(Self::Text(string(rest)?)),
            _ => {
                let text = rest.trim_ascii_start();
                let part_of_word =
                    |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                let end = text.iter().position(|byte| !part_of_word(byte)).unwrap_or(text.len());
                let (word, after) = text.split_at(end);
                *rest = after;
                let word = std::str::from_utf8(word).ok()?;
                Some(Self::Word(if word.ends_with(|last: char| last.is_ascii_digit()) {
                    Cow::Owned(number(word)?)
                } else {
                    Cow::Borrowed(word)
                }))
            }
        }
    }

    /// Each part begins with its kind and its length, so that no two values look the same.
    fn write(&self, form: &mut Vec<u8>) {
        match self {
            Self::Word(word) => part(form, b'w', word),
            Self::Text(text) => part(form, b't', text),
            Self::List(items) => {
                count(form, b'l', items.len());
                for item in items {
                    item.write(form);
                }
            }
            Self::Object(members) => {
                count(form, b'o', members.len());
                for (name, value) in members {
                    part(form, b'n', name);
                    value.write(form);
                }
            }
        }
    }
}

fn part(form: &mut Vec<u8>, kind: u8, text: &str) {
    count(form, kind, text.len());
    form.extend_from_slice(text.as_bytes());
}

fn count(form: &mut Vec<u8>, kind: u8, count: usize) {
    form.push(kind);
    form.extend_from_slice(&count.to_be_bytes());
}

/// Steps into a list or an object; whether there is anything in it.
fn opens(rest: &mut &[u8], end: u8) -> Option<bool> {
    let inside = rest.trim_ascii_start().get(1..)?.trim_ascii_start();
    let empty = *inside.first()? == end;
    *rest = if empty { &inside[1..] } else { inside };
    Some(!empty)
}

/// Steps behind an item; whether there is another.
fn goes_on(rest: &mut &[u8]) -> Option<bool> {
    let (first, after) = rest.trim_ascii_start().split_first()?;
    *rest = after;
    Some(*first == b',')
}

fn skip(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.trim_ascii_start().strip_prefix(&[byte])?;
    Some(())
}

/// The string that the text begins with, without its escapes.
fn string(rest: &mut &[u8]) -> Option<String> {
    let text = rest.trim_ascii_start();
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| match byte {
        b'"' if !escaped => true,
        b'\\' => {
            escaped = !escaped;
            false
        }
        _ => {
            escaped = false;
            false
        }
    })?;
    let (quoted, after) = text.split_at_checked(end + 2)?;
    *rest = after;
    serde_json::from_slice(quoted).ok()
}

/// A number as its sign, its digits without zeros around them, and the power of ten that the last
/// of them counts: `-120` is `-12e1`. Zero is `0`, whatever its sign.
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
    // A power beyond this is no number that anything reads; it stays as it is written.
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
    fn texts_of_one_value_have_one_form() {
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
    fn texts_of_different_values_have_different_forms() {
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
    fn what_is_no_json_has_no_form() {
        let deep = "[".repeat(200);
        for text in
            ["", "{", "[1,]", "{\"a\"}", "nul", "1 2", "\"\\x\"", "01", "+1", "1.", deep.as_str()]
        {
            assert_eq!(form(text), None, "{text}");
        }
    }

    #[test]
    fn a_large_text_takes_time_in_proportion_to_its_size() {
        let items: Vec<String> = (0..60_000).rev().map(|n| format!("{{\"k{n}\":[]}}")).collect();
        let text = format!("[{}]", items.join(","));
        let began = std::time::Instant::now();
        assert!(form(&text).unwrap().len() > text.len());
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
