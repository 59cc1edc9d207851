//! The parts of a request that a model asks for, as bounded text.

use serde::Serialize;

use super::inputs::Part;
use crate::activity::view::{LogView, Pair, RequestDetail};
use crate::text;

/// The maximum number of characters of one tool's result.
const RESULT_CHARS_MAX: usize = 20_000;
/// The maximum number of characters of a body, an input, or the JSON of an entry.
const TEXT_CHARS_MAX: usize = 2_000;
/// The maximum number of entries of a list.
const ENTRIES_MAX: usize = 40;

/// A part with its title.
pub(super) fn part(detail: &RequestDetail, part: Part) -> String {
    match part {
        Part::Received => {
            let received = &detail.received;
            let body = body(received.body.as_deref(), received.body_bytes);
            format!("request headers\n{}request body\n{body}", pairs(&received.headers))
        }
        Part::Input => {
            let input = detail.input.as_deref().unwrap_or("(none was parsed)");
            format!("input\n{}\n", cut(input, TEXT_CHARS_MAX))
        }
        Part::Answer => match &detail.answer {
            Some(answer) => {
                let body = body(answer.body.as_deref(), answer.body_bytes);
                let headers = pairs(&answer.headers);
                format!("response by the {}\nheaders\n{headers}body\n{body}", answer.by)
            }
            None => "response\n(none yet)\n".to_owned(),
        },
        Part::Writes => {
            let attempts = detail.commit.iter().flat_map(|commit| &commit.attempts);
            let writes: Vec<_> = attempts.flat_map(|attempt| &attempt.writes).collect();
            entries("writes", &writes)
        }
        Part::Logs => {
            let lines: Vec<_> = detail.logs.iter().map(log).collect();
            listed("logs", &lines)
        }
        Part::Calls => entries("calls", &detail.calls),
        Part::Permissions => entries("permissions", &detail.permissions),
    }
}

/// A result within its limit; its end names the number of characters left out.
pub(super) fn bounded(text: &str) -> String {
    cut(text, RESULT_CHARS_MAX)
}

/// JSON within the limit of a result. Long texts in it are cut, so that its structure stays.
pub(super) fn json(value: &serde_json::Value) -> String {
    bounded(&format!("{:#}", shortened(value)))
}

fn shortened(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(cut(text, TEXT_CHARS_MAX)),
        Value::Array(items) => Value::Array(items.iter().map(shortened).collect()),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shortened(value))).collect()
        }
        other => other.clone(),
    }
}

fn pairs(pairs: &[Pair]) -> String {
    let shown = pairs.iter().take(ENTRIES_MAX);
    let mut lines: Vec<String> = shown.map(|(name, value)| format!("{name}: {value}\n")).collect();
    lines.push(left_out(pairs.len()));
    lines.concat()
}

fn body(body: Option<&str>, bytes: usize) -> String {
    match body {
        Some(body) => format!("{}\n", cut(body, TEXT_CHARS_MAX)),
        None if bytes > 0 => format!("({bytes} bytes, which are no longer in memory or no text)\n"),
        None => "(none)\n".to_owned(),
    }
}

fn log(line: &LogView) -> String {
    let fields = match serde_json::to_string(&line.fields) {
        Ok(fields) if !line.fields.is_empty() => format!(" {fields}"),
        _ => String::new(),
    };
    format!("{} {} {}{fields}", line.at, line.level, line.message)
}

/// A list of values as JSON, one a line.
fn entries<T: Serialize>(title: &str, entries: &[T]) -> String {
    let lines: Vec<_> =
        entries.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default()).collect();
    listed(title, &lines)
}

fn listed(title: &str, lines: &[String]) -> String {
    let mut text = format!("{title}\n");
    if lines.is_empty() {
        text.push_str("(none)\n");
    }
    for line in lines.iter().take(ENTRIES_MAX) {
        text.push_str(&cut(line, TEXT_CHARS_MAX));
        text.push('\n');
    }
    text.push_str(&left_out(lines.len()));
    text
}

fn left_out(all: usize) -> String {
    match all.saturating_sub(ENTRIES_MAX) {
        0 => String::new(),
        more => format!("({more} more were left out)\n"),
    }
}

/// At most that many characters, with a note about the others.
fn cut(text: &str, chars: usize) -> String {
    let more = text::split(text, chars).1.chars().count();
    text::cut(text, chars, &format!("… ({more} more characters were left out)"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_long_text_is_cut_and_the_rest_is_counted() {
        assert_eq!(cut("äbc", 3), "äbc");
        assert_eq!(cut("äbcd", 3), "äbc… (1 more characters were left out)");
    }

    #[test]
    fn cut_json_is_still_json() {
        let value = json!({"messages": [{"body": "x".repeat(3_000)}]});
        let shown: Value = serde_json::from_str(&json(&value)).unwrap();
        let body = shown["messages"][0]["body"].as_str().unwrap();
        assert!(body.ends_with("… (1000 more characters were left out)"), "{body}");
    }

    #[test]
    fn entries_over_the_maximum_are_counted() {
        let lines = vec!["line".to_owned(); 43];
        let text = listed("logs", &lines);
        assert_eq!(text.lines().count(), 1 + 40 + 1);
        assert!(text.ends_with("(3 more were left out)\n"), "{text}");
    }
}
