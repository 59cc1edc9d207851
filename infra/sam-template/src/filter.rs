//! `FilterCriteria`: the records of a source that reach the function.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A pattern of Lambda's event filtering and of `EventBridge`'s rules. Only fields with lists of
/// values are supported; other features, such as prefixes, are errors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Fields);

type Fields = Vec<(String, Expected)>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    /// An object whose fields match.
    Object(Fields),
    /// One of these values.
    OneOf(Vec<Value>),
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// If the pattern is invalid or not supported.
    pub fn of(pattern: Value) -> Result<Self, String> {
        match pattern {
            Value::Object(object) => Ok(Self(fields(object)?)),
            other => Err(format!("a filter's pattern is a JSON object, not {other}")),
        }
    }

    /// Whether an event matches.
    pub fn fits(&self, event: &Value) -> bool {
        fits(&self.0, event)
    }
}

fn fits(fields: &Fields, event: &Value) -> bool {
    fields.iter().all(|(name, expected)| match (expected, event.get(name)) {
        (_, None) => false,
        (Expected::Object(inner), Some(found)) => fits(inner, found),
        // A list matches if one of its values does.
        (Expected::OneOf(values), Some(Value::Array(found))) => {
            found.iter().any(|found| values.contains(found))
        }
        (Expected::OneOf(values), Some(found)) => values.contains(found),
    })
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        let pattern = serde_json::from_str(&pattern);
        Self::of(pattern.map_err(|error| format!("a filter's pattern is JSON: {error}"))?)
    }
}

fn fields(object: Map<String, Value>) -> Result<Fields, String> {
    object.into_iter().map(|(name, value)| Ok((name, expected(value)?))).collect()
}

fn expected(value: Value) -> Result<Expected, String> {
    match value {
        Value::Object(object) => Ok(Expected::Object(fields(object)?)),
        Value::Array(values) if !values.is_empty() && values.iter().all(is_scalar) => {
            Ok(Expected::OneOf(values))
        }
        other => Err(format!("a field of a filter has a list of values, not {other}")),
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_matches_if_every_field_has_one_of_the_values() {
        let text = r#"{"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": {"status": {"S": ["NEW"]}}}}"#;
        let pattern = Pattern::try_from(text.to_owned()).unwrap();
        let event = |name: &str, status: &str| json!({ "eventName": name, "dynamodb": { "NewImage": { "status": { "S": status } } } });
        assert!(pattern.fits(&event("INSERT", "NEW")));
        assert!(!pattern.fits(&event("REMOVE", "NEW")));
        assert!(!pattern.fits(&event("MODIFY", "OLD")));
        assert!(!pattern.fits(&json!({ "eventName": "INSERT" })));
    }

    #[test]
    fn a_list_in_an_event_matches_if_one_of_its_values_does() {
        let pattern = Pattern::of(json!({ "tags": ["a", "b"] })).unwrap();
        assert!(pattern.fits(&json!({ "tags": ["c", "b"] })));
        assert!(!pattern.fits(&json!({ "tags": ["c"] })) && !pattern.fits(&json!({ "tags": [] })));
    }

    #[test]
    fn an_unsupported_pattern_is_an_error() {
        for text in [
            "",
            "[]",
            r#"{"eventName": "INSERT"}"#,
            r#"{"eventName": []}"#,
            r#"{"eventName": [{"prefix": "INS"}]}"#,
        ] {
            assert!(Pattern::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
