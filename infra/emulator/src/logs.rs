//! Prints the functions' logs: one short line for a person, or the original JSON.

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Zoned;
use serde_json::{Map, Value, json};

use crate::functions::{LogLine, LogSource};
use crate::options::Logs;

/// Fields that appear elsewhere in the line, or add no information.
const NOT_REPEATED: &[&str] = &["_aws", "function", "level", "message", "requestId", "timestamp"];

/// The maximum number of characters of a field's value.
const FIELD_CHARACTERS_MAX: usize = 200;

/// Writes a line of a function's log to standard output.
pub(crate) fn show(logs: Logs, line: &LogLine<'_>) {
    let text = match logs {
        Logs::Quiet => return,
        Logs::Json if line.source == LogSource::Platform => {
            let (function, message) = (line.function, line.text);
            Some(json!({"level": "INFO", "function": function, "message": message}).to_string())
        }
        Logs::Json => Some(line.text.to_owned()),
        Logs::Readable => readable(line),
    };
    if let Some(text) = text {
        // Ignore errors of a closed terminal.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
}

/// Writes the platform's own message about a function.
pub(crate) fn say(logs: Logs, function: &str, sentence: &str) {
    show(logs, &LogLine { function, environment: "", source: LogSource::Platform, text: sentence });
}

/// The short line, or `None` for a line that carries only metrics.
fn readable(line: &LogLine<'_>) -> Option<String> {
    let time = Zoned::now().strftime("%H:%M:%S%.3f").to_string();
    let function = line.function.strip_suffix("Function").unwrap_or(line.function);
    let said = match serde_json::from_str::<Value>(line.text) {
        Ok(Value::Object(fields)) if line.source == LogSource::Stdout => say_fields(&fields)?,
        _ => line.text.to_owned(),
    };
    Some(format!("{time}  {function:<14}  {said}"))
}

fn say_fields(fields: &Map<String, Value>) -> Option<String> {
    let message = fields.get("message").and_then(Value::as_str)?;
    if message == "request" {
        Some(say_request(fields))
    } else {
        Some(say_message(message, fields))
    }
}

/// `POST /orders 201 in 12.3 ms, cold start (requestId)`.
fn say_request(fields: &Map<String, Value>) -> String {
    let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("-");
    let mut said = format!("{} {} {}", word("method"), word("path"), word("status"));
    if let Some(code) = fields.get("code").and_then(Value::as_str) {
        append(&mut said, format_args!(" {code}"));
    }
    if let Some(duration_ms) = fields.get("durationMs").and_then(Value::as_f64) {
        append(&mut said, format_args!(" in {duration_ms:.1} ms"));
    }
    if fields.get("coldStart").and_then(Value::as_bool) == Some(true) {
        said.push_str(", cold start");
    }
    append(&mut said, format_args!(" ({})", word("requestId")));
    said
}

/// `WARN message name=value … (requestId)`.
fn say_message(message: &str, fields: &Map<String, Value>) -> String {
    let level = fields.get("level").and_then(Value::as_str).unwrap_or("info").to_uppercase();
    let mut said = format!("{level} {message}");
    for (name, value) in fields.iter().filter(|(name, _)| !NOT_REPEATED.contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let value: String = value.chars().take(FIELD_CHARACTERS_MAX).collect();
        append(&mut said, format_args!(" {name}={value}"));
    }
    if let Some(request_id) = fields.get("requestId").and_then(Value::as_str) {
        append(&mut said, format_args!(" ({request_id})"));
    }
    said
}

fn append(text: &mut String, piece: std::fmt::Arguments<'_>) {
    text.write_fmt(piece).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let source = LogSource::Stdout;
        let line = LogLine { function: "CreateOrderFunction", environment: "e", source, text };
        readable(&line).map(|line| line.split_once("CreateOrder").unwrap().1.trim().to_owned())
    }

    #[test]
    fn the_canonical_request_line_is_shortened() {
        let line = r#"{"level":"info","message":"request","requestId":"r1","method":"POST",
            "path":"/orders","status":"422","code":"OUT_OF_STOCK","durationMs":12.34,
            "coldStart":true,"stages":{"parse":0.1}}"#;

        assert_eq!(
            shown(line).unwrap(),
            "POST /orders 422 OUT_OF_STOCK in 12.3 ms, cold start (r1)"
        );
    }

    #[test]
    fn other_lines_keep_their_level_and_fields() {
        let line = r#"{"level":"warn","message":"slow","requestId":"r1","table":"users","ms":3}"#;

        assert_eq!(shown(line).unwrap(), "WARN slow ms=3 table=users (r1)");
        assert_eq!(shown("plain words").unwrap(), "plain words");
        assert_eq!(shown(r#"{"_aws":{},"cache_hits_total":1}"#), None);
    }
}
