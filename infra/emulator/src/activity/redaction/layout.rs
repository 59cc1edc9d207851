//! JSON documents as they are written: with the order of members, repeated members, and all digits.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The digits that a binary fraction keeps.
const DIGITS_MAX: usize = 15;

/// The members of an object as they are written, repeated ones included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

/// The values of an array as they are written.
struct Values<'a>(Vec<&'a RawValue>);

/// The value of a document; `None` if the text is not JSON. The values of a repeated member are an
/// array in its place, so that each of them is redacted by its name.
pub(crate) fn read(text: &str) -> Option<Value> {
    // This limits the depth.
    let value = serde_json::from_str(text).ok()?;
    Some(if has_repeated(text) { read_all(text) } else { value })
}

/// Whether a [`Value`] has everything of a document: no member is repeated, and no number is cut.
pub(crate) fn is_exact(text: &str) -> bool {
    match first(text) {
        Some(b'{') => members(text).iter().all(|(_, raw)| is_exact(raw.get())) && is_unique(text),
        Some(b'[') => values(text).iter().all(|raw| is_exact(raw.get())),
        _ => {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let is_cut = |value: Value| value.is_f64() && digits > DIGITS_MAX;
            !serde_json::from_str(text).is_ok_and(is_cut)
        }
    }
}

/// Prints the redacted value of a document, which is from [`read`], with two spaces per level.
/// Members have the order, and numbers the digits, of the original.
pub(super) fn pretty(original: &str, redacted: &Value) -> String {
    let mut shown = String::with_capacity(original.len());
    write(&mut shown, original, redacted, 0);
    shown
}

/// The text of a document, with those values of `value` that differ from its own. All else is
/// unchanged. `value` is from [`read`]; `None` if the name of a member differs.
pub(crate) fn replaced(original: &str, value: &Value) -> Option<String> {
    let mut shown = String::with_capacity(original.len());
    replace(&mut shown, original, value)?;
    Some(shown)
}

fn has_repeated(text: &str) -> bool {
    match first(text) {
        Some(b'{') => {
            !is_unique(text) || members(text).iter().any(|(_, raw)| has_repeated(raw.get()))
        }
        Some(b'[') => values(text).iter().any(|raw| has_repeated(raw.get())),
        _ => false,
    }
}

/// Whether each member of an object has a name without other members.
fn is_unique(object: &str) -> bool {
    counts(&members(object)).into_values().all(|count| count == 1)
}

/// The number of members by their name.
fn counts<'a>(members: &'a [(String, &RawValue)]) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for (name, _) in members {
        *counts.entry(name.as_str()).or_default() += 1;
    }
    counts
}

fn read_all(text: &str) -> Value {
    match first(text) {
        Some(b'{') => {
            let written = members(text);
            let counts = counts(&written);
            let mut read: Map<String, Value> = Map::new();
            for (name, raw) in &written {
                let value = read_all(raw.get());
                match read.get_mut(name) {
                    Some(Value::Array(all)) => all.push(value),
                    _ if counts[name.as_str()] > 1 => {
                        read.insert(name.clone(), Value::Array(vec![value]));
                    }
                    _ => {
                        read.insert(name.clone(), value);
                    }
                }
            }
            Value::Object(read)
        }
        Some(b'[') => values(text).into_iter().map(|raw| read_all(raw.get())).collect(),
        _ => serde_json::from_str(text).unwrap_or_default(),
    }
}

/// The members of an object as they are written, each with its value in the object from [`read`].
fn paired<'a, 'v>(
    original: &'a str,
    object: &'v Map<String, Value>,
) -> Vec<(String, &'a str, Option<&'v Value>)> {
    let written = members(original);
    let counts = counts(&written);
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut paired = Vec::with_capacity(written.len());
    for (name, raw) in &written {
        let value = object.get(name);
        let value = if counts[name.as_str()] > 1 {
            let turn = turns.entry(name.as_str()).or_default();
            *turn += 1;
            value.and_then(|all| all.get(*turn - 1))
        } else {
            value
        };
        paired.push((name.clone(), raw.get(), value));
    }
    paired
}

fn write(shown: &mut String, original: &str, redacted: &Value, level: usize) {
    match redacted {
        Value::Object(object) if !object.is_empty() => {
            let mut separator = "{";
            for (name, raw, value) in paired(original, object) {
                // The name itself may have been redacted: the member is then not found.
                let Some(value) = value else { continue };
                shown.push_str(separator);
                separator = ",";
                new_line(shown, level + 1);
                shown.push_str(&Value::from(name).to_string());
                shown.push_str(": ");
                write(shown, raw, value, level + 1);
            }
            if separator == "{" {
                shown.push('{');
            }
            new_line(shown, level);
            shown.push('}');
        }
        Value::Array(redacted) if !redacted.is_empty() => {
            let mut separator = "[";
            for (raw, value) in values(original).into_iter().zip(redacted) {
                shown.push_str(separator);
                separator = ",";
                new_line(shown, level + 1);
                write(shown, raw.get(), value, level + 1);
            }
            new_line(shown, level);
            shown.push(']');
        }
        Value::Number(_) => shown.push_str(original.trim()),
        other => shown.push_str(&other.to_string()),
    }
}

fn replace(shown: &mut String, original: &str, value: &Value) -> Option<()> {
    let parts: Vec<(&str, &Value)> = match value {
        Value::Object(object) => {
            let members = paired(original, object).into_iter();
            members.map(|(_, raw, value)| Some((raw, value?))).collect::<Option<_>>()?
        }
        Value::Array(all) => values(original).into_iter().map(RawValue::get).zip(all).collect(),
        other if serde_json::from_str::<Value>(original).is_ok_and(|it| it == *other) => Vec::new(),
        other => {
            shown.push_str(&other.to_string());
            return Some(());
        }
    };
    let mut rest = original;
    for (raw, value) in parts {
        // Both are parts of the original: the value is behind the start of the rest.
        let (before, from) = rest.split_at_checked(raw.as_ptr().addr() - rest.as_ptr().addr())?;
        shown.push_str(before);
        replace(shown, raw, value)?;
        rest = &from[raw.len()..];
    }
    shown.push_str(rest);
    Some(())
}

fn members(object: &str) -> Vec<(String, &RawValue)> {
    serde_json::from_str(object).map(|Members(members)| members).unwrap_or_default()
}

fn values(array: &str) -> Vec<&RawValue> {
    serde_json::from_str(array).map(|Values(values)| values).unwrap_or_default()
}

/// The first character of a JSON value: its kind.
fn first(json: &str) -> Option<u8> {
    json.trim_start().bytes().next()
}

fn new_line(shown: &mut String, level: usize) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", level));
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Values<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Values<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Values<'de>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }

        deserializer.deserialize_seq(Read)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_repeated_member_is_an_array_of_its_values() {
        let read = |text: &str| read(text).unwrap();
        let expected = json!({"a": [1, [2]], "b": {"c": [[], "x"]}});
        assert_eq!(read(r#"{"a":1,"b":{"c":[],"c":"x"},"a":[2]}"#), expected);
        assert_eq!(read(r#"{"a":[1,2]}"#), json!({"a": [1, 2]}));
        assert_eq!(super::read("{"), None);
    }

    #[test]
    fn only_a_document_without_repeated_members_and_long_numbers_is_exact() {
        for (text, exact) in [
            (r#"{"a": [1.50, -18446744073709551615e0], "b": 18446744073709551615}"#, false),
            (r#"{"a": [1.50, 1e300], "b": 18446744073709551615}"#, true),
            (r#"[{"a": 18446744073709551616}]"#, false),
            (r#"[{"a": "18446744073709551616"}]"#, true),
            (r#"[{"a": 1, "a": 1}]"#, false),
        ] {
            assert_eq!(is_exact(text), exact, "{text}");
        }
    }

    #[test]
    fn only_values_that_differ_are_replaced() {
        let text = " {\"b\" : 1.50, \"a\":[ \"x\", {} ],\"b\":12345678901234567890123 }\n";
        let mut value = read(text).unwrap();
        assert_eq!(replaced(text, &value).as_deref(), Some(text));
        value["a"][0] = json!("y\"");
        value["b"][0] = json!("z");
        let expected = text.replace("\"x\"", "\"y\\\"\"").replace("1.50", "\"z\"");
        assert_eq!(replaced(text, &value), Some(expected));
        assert_eq!(replaced(r#"{"a":1}"#, &json!({"b": 1})), None);
    }
}
