//! Prints the functions' logs: one short line for a person, or the original JSON.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::sync::LazyLock;

use jiff::Zoned;
use serde_json::{Map, Value, json};

use crate::functions::{LogLine, LogSource};
use crate::options::Logs;
use crate::text;

/// Fields that appear elsewhere in the line, or add no information.
const NOT_REPEATED: &[&str] = &["_aws", "function", "level", "message", "requestId", "timestamp"];

/// The maximum number of characters of a field's value.
const FIELD_CHARACTERS_MAX: usize = 200;

/// The maximum number of characters of an error. Its last cause is at its end.
const ERROR_CHARACTERS_MAX: usize = 2_000;

/// Whether lines have colours: on a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
static COLOURED: LazyLock<bool> = LazyLock::new(|| {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !refused
});

/// How bad the event of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Normal,
    Warning,
    Error,
}

impl Severity {
    /// Of a level such as `WARN`.
    fn of_level(level: &str) -> Self {
        match level {
            "ERROR" => Self::Error,
            "WARN" => Self::Warning,
            _ => Self::Normal,
        }
    }

    /// The line in this severity's colour.
    fn paint(self, line: &str) -> String {
        let colour = match self {
            Self::Normal => return line.to_owned(),
            Self::Warning => 33,
            Self::Error => 31,
        };
        format!("\u{1b}[{colour}m{line}\u{1b}[0m")
    }
}

/// A line of a function's log as it is shown, by its fields; `None` if it is not shown.
pub(crate) fn shown(
    logs: Logs,
    line: &LogLine<'_>,
    fields: Option<&Map<String, Value>>,
) -> Option<String> {
    match logs {
        Logs::Quiet => None,
        Logs::Json if line.source == LogSource::Platform => {
            let (function, message) = (line.function, line.text);
            Some(json!({"level": "INFO", "function": function, "message": message}).to_string())
        }
        Logs::Json => Some(line.text.to_owned()),
        Logs::Readable => readable(line, fields)
            .map(|(severity, text)| if *COLOURED { severity.paint(&text) } else { text }),
    }
}

/// Writes a line to standard output.
pub(crate) fn print(line: &str) {
    // Ignore errors of a closed terminal.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes the platform's own message about a function.
pub(crate) fn say(logs: Logs, function: &str, sentence: &str) {
    let source = LogSource::Platform;
    let line = LogLine { function, environment: "", source, text: sentence };
    if let Some(shown) = shown(logs, &line, None) {
        print(&shown);
    }
}

/// The short line, or `None` for a line that carries only metrics.
fn readable(line: &LogLine<'_>, fields: Option<&Map<String, Value>>) -> Option<(Severity, String)> {
    let (severity, said) = match fields {
        Some(fields) if line.source == LogSource::Stdout => say_fields(fields)?,
        _ => (Severity::Normal, line.text.to_owned()),
    };
    // A program may colour the lines that it prints. Texts in JSON and in errors are foreign.
    let is_as_printed = fields.is_none() && line.source != LogSource::Platform;
    let said = if is_as_printed { said } else { clean(&said) };
    let time = Zoned::now().strftime("%H:%M:%S%.3f").to_string();
    let function = line.function.strip_suffix("Function").unwrap_or(line.function);
    Some((severity, format!("{time}  {function:<14}  {said}")))
}

/// The text without the characters that no terminal may get. Lines and tabs stay.
fn clean(text: &str) -> String {
    let is_hidden = |it: char| text::is_unshown(it) && !matches!(it, '\n' | '\t');
    text.chars().map(|it| if is_hidden(it) { '\u{fffd}' } else { it }).collect()
}

fn say_fields(fields: &Map<String, Value>) -> Option<(Severity, String)> {
    let message = fields.get("message").and_then(Value::as_str)?;
    if message == "request" {
        Some(say_request(fields))
    } else {
        Some(say_message(message, fields))
    }
}

/// `POST /orders 201 in 12.3 ms, cold start (requestId)`; a 5xx with its error.
fn say_request(fields: &Map<String, Value>) -> (Severity, String) {
    let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("-");
    let mut said = format!("{} {} {}", word("method"), word("path"), word("status"));
    if let Some(code) = fields.get("code").and_then(Value::as_str) {
        append(&mut said, format_args!(" {code}"));
    }
    if let Some(seconds) = fields.get("http_request_duration_seconds").and_then(Value::as_f64) {
        append(&mut said, format_args!(" in {:.1} ms", seconds * 1000.0));
    }
    if fields.get("coldStart").and_then(Value::as_bool) == Some(true) {
        said.push_str(", cold start");
    }
    append(&mut said, format_args!(" ({})", word("requestId")));
    if let Some(error) = fields.get("error").and_then(Value::as_str) {
        append(&mut said, format_args!(": {}", text::split(error, ERROR_CHARACTERS_MAX).0));
    }
    let is_failure = word("status").starts_with('5');
    (if is_failure { Severity::Error } else { Severity::Normal }, said)
}

/// `WARN message name=value … (requestId)`.
fn say_message(message: &str, fields: &Map<String, Value>) -> (Severity, String) {
    let level = fields.get("level").and_then(Value::as_str).unwrap_or("info").to_uppercase();
    let mut said = format!("{level} {message}");
    for (name, value) in fields.iter().filter(|(name, _)| !NOT_REPEATED.contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let max = if name == "error" { ERROR_CHARACTERS_MAX } else { FIELD_CHARACTERS_MAX };
        append(&mut said, format_args!(" {name}={}", text::split(&value, max).0));
    }
    if let Some(request_id) = fields.get("requestId").and_then(Value::as_str) {
        append(&mut said, format_args!(" ({request_id})"));
    }
    (Severity::of_level(&level), said)
}

fn append(text: &mut String, piece: std::fmt::Arguments<'_>) {
    text.write_fmt(piece).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        shown_with_severity(text).map(|(_, said)| said)
    }

    fn shown_with_severity(text: &str) -> Option<(Severity, String)> {
        let source = LogSource::Stdout;
        let line = LogLine { function: "CreateOrderFunction", environment: "e", source, text };
        readable(&line, line.fields().as_ref()).map(|(severity, line)| {
            (severity, line.split_once("CreateOrder").unwrap().1.trim().to_owned())
        })
    }

    #[test]
    fn the_canonical_request_line_is_shortened() {
        let line = r#"{"level":"info","message":"request","requestId":"r1","method":"POST",
            "path":"/orders","status":"422","code":"OUT_OF_STOCK",
            "http_request_duration_seconds":0.01234,"coldStart":true,"stages":{"parse":0.1}}"#;

        assert_eq!(
            shown(line).unwrap(),
            "POST /orders 422 OUT_OF_STOCK in 12.3 ms, cold start (r1)"
        );
    }

    #[test]
    fn a_request_that_failed_shows_its_error_and_is_red() {
        let line = |status: u16, error: &str| {
            json!({"level": "info", "message": "request", "requestId": "r1", "method": "GET",
                "path": "/orders", "status": status.to_string(), "code": "INTERNAL_ERROR",
                "error": error})
            .to_string()
        };
        let (severity, said) = shown_with_severity(&line(500, "PutItem: AccessDenied")).unwrap();
        assert_eq!(said, "GET /orders 500 INTERNAL_ERROR (r1): PutItem: AccessDenied");
        assert_eq!(severity, Severity::Error);
        assert_eq!(severity.paint("line"), "\u{1b}[31mline\u{1b}[0m");
        let (_, said) = shown_with_severity(&line(503, &"ü".repeat(3_000))).unwrap();
        assert!(said.ends_with(&"ü".repeat(2_000)) && !said.ends_with(&"ü".repeat(2_001)));
    }

    #[test]
    fn the_level_of_a_line_is_its_colour() {
        let severity = |level: &str| {
            shown_with_severity(&json!({"level": level, "message": "m"}).to_string()).unwrap().0
        };
        assert_eq!(severity("error"), Severity::Error);
        assert_eq!(severity("WARN"), Severity::Warning);
        assert_eq!(severity("info"), Severity::Normal);
        assert_eq!(Severity::Normal.paint("line"), "line");
    }

    #[test]
    fn a_field_with_an_escape_sequence_does_not_reach_the_terminal() {
        let line = r#"{"level":"warn","message":"no \u001b[2Jfile","name":"a\rb\nc"}"#;
        assert_eq!(shown(line).unwrap(), "WARN no \u{fffd}[2Jfile name=a\u{fffd}b\nc");
        assert_eq!(shown("\u{1b}[32mas printed").unwrap(), "\u{1b}[32mas printed");
        let (source, text) = (LogSource::Platform, "failed: \u{1b}[2J");
        let line = LogLine { function: "F", environment: "e", source, text };
        let (_, said) = readable(&line, None).unwrap();
        assert!(said.ends_with("failed: \u{fffd}[2J"), "{said}");
    }

    #[test]
    fn other_lines_keep_their_level_and_fields() {
        let line = r#"{"level":"warn","message":"slow","requestId":"r1","table":"users","ms":3}"#;

        assert_eq!(shown(line).unwrap(), "WARN slow ms=3 table=users (r1)");
        assert_eq!(shown("plain words").unwrap(), "plain words");
        assert_eq!(shown(r#"{"_aws":{},"cache_hits_total":1}"#), None);
    }
}
