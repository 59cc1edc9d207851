//! Reasons of errors, in a form that is safe for the log.

use std::any::Any;
use std::fmt::Display;

/// The longest reason in a log line, in characters.
const CHARS_MAX: usize = 200;
/// The longest chain of causes in a log line, in characters.
const CAUSE_CHARS_MAX: usize = 2_000;
/// The longest message of a panic in a log line, in characters.
const PANIC_CHARS_MAX: usize = 1_000;

/// Shortens a deserialisation error and removes the values that were read.
///
/// `serde` puts the value in quotes or backticks; the expected type follows it.
///
/// ```
/// use lifecycle::telemetry::without_values;
/// let error = r#"invalid type: string "ada@example.com", expected u32 at line 1 column 40"#;
/// assert_eq!(without_values(error), "invalid type: string …, expected u32 at line 1 column 40");
/// assert_eq!(without_values("missing field `price`"), "missing field `price`");
/// ```
pub fn without_values(error: &str) -> String {
    let named_by_type = ["missing field `", "duplicate field `"];
    let begins = named_by_type.iter().any(|names| error.starts_with(names));
    let reason = match error.find(['"', '`']).filter(|_| !begins) {
        None => error.to_owned(),
        Some(value) => {
            let rest = &error[value..];
            let expected = rest.rfind(", expected").map_or("", |at| &rest[at..]);
            format!("{}…{expected}", &error[..value])
        }
    };
    shortened(reason)
}

/// Shortens a reason to the length of a log line.
pub(crate) fn shortened(reason: String) -> String {
    shortened_to(CHARS_MAX, reason)
}

/// Shortens the causes of an error to the length that a log line has for them. A line of more than
/// 256 KB would lose its metrics, and a cause may contain the response of another service.
pub(crate) fn shortened_cause(cause: impl Display) -> String {
    shortened_to(CAUSE_CHARS_MAX, cause.to_string())
}

/// Shortens a text to a number of characters, and marks the cut.
pub(super) fn shortened_to(chars_max: usize, text: String) -> String {
    match text.char_indices().nth(chars_max) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Returns the message of a panic from its payload, shortened.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    shortened_to(PANIC_CHARS_MAX, text.unwrap_or_else(|| "no message".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "the test only deserialises it")]
    struct Read {
        number: u8,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    enum Kind {
        One,
        Two,
    }

    #[test]
    fn a_reason_names_the_error_of_serde_without_its_value() {
        for (json, told) in [
            (r#"{"number":"hunter2"}"#, "invalid type: string …, expected u8"),
            (r#"{"number":"hunter2\", expected `x"}"#, "invalid type: string …, expected u8"),
            (r#"{"number":4711}"#, "invalid value: integer …, expected u8"),
            (r#"{"number":1,"kind":"hunter2"}"#, "unknown variant …, expected `One` or `Two`"),
            (r#"{"number":1,"kind":"hunter2`4711"}"#, "unknown variant …, expected `One` or `Two`"),
            (r#"{"hunter2":1}"#, "unknown field …, expected `number` or `kind`"),
            (r#"{"kind":"One"}"#, "missing field `number`"),
            (r#"{"number":1"#, "EOF while parsing an object"),
        ] {
            let error = serde_json::from_str::<Read>(json).unwrap_err().to_string();
            let reason = without_values(&error);
            assert!(reason.starts_with(told), "{json}: {reason}");
            assert!(!reason.contains("hunter2") && !reason.contains("4711"), "{json}: {reason}");
        }
    }

    #[test]
    fn the_message_of_a_panic_is_its_text_with_at_most_1000_characters() {
        let owned: Box<dyn Any + Send> = Box::new("ä".repeat(2_000));
        assert_eq!(panic_message(&*owned).chars().count(), PANIC_CHARS_MAX + 1);
        assert_eq!(panic_message(&"short"), "short");
        assert_eq!(panic_message(&7), "no message");
    }

    #[test]
    fn a_reason_is_at_most_200_characters_long() {
        assert_eq!(without_values(&"ä".repeat(10_000)).chars().count(), CHARS_MAX + 1);
    }
}
