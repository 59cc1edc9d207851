//! Pretty-printing of a redacted JSON document in the order of the original.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of an object as they are written, repeated ones included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

/// The values of an array as they are written.
struct Values<'a>(Vec<&'a RawValue>);

/// Prints the redacted value of a document with two spaces per level. Members have the order, and
/// numbers the digits, of the original.
pub(super) fn pretty(original: &str, redacted: &Value) -> String {
    let mut shown = String::with_capacity(original.len());
    write(&mut shown, original, redacted, 0);
    shown
}

fn write(shown: &mut String, original: &str, redacted: &Value, level: usize) {
    match redacted {
        Value::Object(members) if !members.is_empty() => {
            let Ok(Members(written)) = serde_json::from_str(original) else {
                return shown.push_str(&redacted.to_string());
            };
            let mut separator = "{";
            for (name, raw) in written {
                // The name itself may have been redacted: the member is then not found.
                let Some(value) = members.get(&name) else { continue };
                shown.push_str(separator);
                separator = ",";
                new_line(shown, level + 1);
                shown.push_str(&Value::from(name).to_string());
                shown.push_str(": ");
                write(shown, raw.get(), value, level + 1);
            }
            if separator == "{" {
                shown.push('{');
            }
            new_line(shown, level);
            shown.push('}');
        }
        Value::Array(values) if !values.is_empty() => {
            let Ok(Values(written)) = serde_json::from_str(original) else {
                return shown.push_str(&redacted.to_string());
            };
            let mut separator = "[";
            for (raw, value) in written.into_iter().zip(values) {
                shown.push_str(separator);
                separator = ",";
                new_line(shown, level + 1);
                write(shown, raw.get(), value, level + 1);
            }
            new_line(shown, level);
            shown.push(']');
        }
        // A repeated member may be a number and, before that, a text: only the last one was redacted.
        Value::Number(_) if is_number(original) => shown.push_str(original.trim()),
        other => shown.push_str(&other.to_string()),
    }
}

/// Whether a JSON value is a number, by its first character.
fn is_number(json: &str) -> bool {
    json.trim_start().starts_with(|it: char| it == '-' || it.is_ascii_digit())
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
