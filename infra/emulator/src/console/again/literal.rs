//! JSON and texts as Rust source.

use std::fmt::Write as _;

use serde_json::Value;

use super::shown::{Part, Shown, parts};

/// Words of the language that a secret may be named by, and names that the test uses.
const TAKEN: [&str; 12] =
    ["api", "response", "type", "ref", "box", "match", "move", "use", "in", "fn", "self", "static"];

/// The name of the variable with a secret: `token_2` for `TOKEN_2`.
pub(super) fn variable(secret: &str) -> String {
    let name = secret.to_ascii_lowercase();
    if TAKEN.contains(&&*name) { format!("{name}_value") } else { name }
}

/// A text as an expression of type `&str`: a literal, the variable of a secret, or both formatted.
pub(super) fn text(shown: &Shown, text: &str) -> String {
    let parts = parts(text);
    match &parts[..] {
        [] => "\"\"".to_owned(),
        [Part::Text(text)] => format!("{text:?}"),
        [Part::Secret(number)] => name(shown, *number),
        _ => {
            let format = parts.iter().map(|part| match part {
                Part::Text(text) => {
                    // Before escapes are made, whose braces are not doubled: `\u{7f}`.
                    let quoted = format!("{:?}", text.replace('{', "{{").replace('}', "}}"));
                    quoted[1..quoted.len() - 1].to_owned()
                }
                Part::Secret(number) => format!("{{{}}}", name(shown, *number)),
            });
            format!("&format!(\"{}\")", format.collect::<String>())
        }
    }
}

/// A document as the argument of `json!`, indented by so many spaces.
pub(super) fn json(shown: &Shown, value: &Value, indent: usize) -> String {
    let mut source = String::new();
    write(&mut source, shown, value, indent);
    source
}

/// The number of values in a document. `json!` is recursive, and the compiler limits its depth.
pub(super) fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(count).sum(),
        Value::Array(values) => values.iter().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// A text in a raw literal: `r#"…"#`, with as many signs as it needs.
pub(super) fn raw(text: &str) -> String {
    let mut signs = "#".to_owned();
    while text.contains(&format!("\"{signs}")) {
        signs.push('#');
    }
    if text.contains('\r') { format!("{text:?}") } else { format!("r{signs}\"{text}\"{signs}") }
}

fn write(source: &mut String, shown: &Shown, value: &Value, indent: usize) {
    let line = |source: &mut String, indent: usize| {
        source.push('\n');
        source.extend(std::iter::repeat_n(' ', indent));
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            source.push('{');
            for (name, value) in members {
                line(source, indent + 4);
                write!(source, "{name:?}: ").expect("writing to a string does not fail");
                write_value(source, shown, value, indent + 4);
            }
            line(source, indent);
            source.push('}');
        }
        Value::Array(values) if !values.is_empty() => {
            source.push('[');
            for value in values {
                line(source, indent + 4);
                write_value(source, shown, value, indent + 4);
            }
            line(source, indent);
            source.push(']');
        }
        Value::String(content) => source.push_str(&text(shown, content)),
        // A literal without a suffix is an `i32`.
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) if i32::try_from(value).is_ok() => source.push_str(&value.to_string()),
            (Some(value), _) => source.extend([&value.to_string(), "_i64"]),
            (None, Some(value)) => source.extend([&value.to_string(), "_u64"]),
            (None, None) => source.push_str(&number.to_string()),
        },
        other => source.push_str(&other.to_string()),
    }
}

fn write_value(source: &mut String, shown: &Shown, value: &Value, indent: usize) {
    write(source, shown, value, indent);
    source.push(',');
}

fn name(shown: &Shown, number: usize) -> String {
    shown.secrets.get(number).map_or_else(|| "secret".to_owned(), |secret| variable(secret))
}
