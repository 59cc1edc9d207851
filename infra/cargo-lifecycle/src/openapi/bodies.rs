//! Compares the largest valid body of an endpoint with its declared limit.

use serde_json::Value;
use tooling::Error;

use super::values::text;

/// The media type of an HTML form.
const FORM: &str = "application/x-www-form-urlencoded";

/// The longest encoding of one code point: two escapes in JSON, such as `\ud83d\ude00`, or four
/// bytes in a form, such as `%F0%9F%98%80`.
const ESCAPED_BYTES: usize = 12;

/// The longest number that clients write.
const NUMBER_BYTES: usize = 25;

/// The length of a UUID or a date-time with its quotes.
const FORMAT_BYTES: usize = 40;

/// Checks that the largest valid body of an endpoint is within its limit.
///
/// # Errors
///
/// If the body can be larger, or the schema has a text, array or object without a bound. The
/// message names the endpoint, the place in the body, and the sizes.
pub(super) fn check(binary: &str, description: &Value) -> Result<(), Error> {
    let body = &description["input"]["body"];
    let media_type = &description["input"]["bodyType"];
    // A body without fields has no other bound than its limit.
    if body.is_null() || !(media_type.is_null() || media_type == FORM) {
        return Ok(());
    }
    let limit = description["bodyBytesMax"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.ok_or_else(|| format!("{binary} declares no limit for its body"))?;
    let schema = Bounded { root: body, path: "#", outer: None };
    let largest =
        schema.bytes_max(body, "").map_err(|unbounded| format!("{binary}: {unbounded}"))?;
    if largest > limit {
        let sizes = format!("{largest} bytes, and its limit is {limit}");
        return Err(format!("{binary}: the largest valid body has {sizes}").into());
    }
    Ok(())
}

/// A schema with its own definitions, at the reference that led to it.
struct Bounded<'a> {
    root: &'a Value,
    path: &'a str,
    /// The schema that has the reference.
    outer: Option<&'a Bounded<'a>>,
}

impl Bounded<'_> {
    fn is_within(&self, path: &str) -> bool {
        self.path == path || self.outer.is_some_and(|outer| outer.is_within(path))
    }

    /// The size of the largest JSON text that the schema allows, without whitespace.
    fn bytes_max(&self, schema: &Value, at: &str) -> Result<usize, String> {
        if let Some(path) = schema["$ref"].as_str() {
            let definition = self.root.pointer(path.trim_start_matches('#'));
            let definition = definition.ok_or_else(|| format!("{at}: {path} has no target"))?;
            if self.is_within(path) {
                return Err(format!("{at}: {path} contains itself, so it has no largest size"));
            }
            let inner = Bounded { root: self.root, path, outer: Some(self) };
            return inner.bytes_max(definition, at);
        }
        if let Some(value) = schema.get("const") {
            return Ok(value.to_string().len());
        }
        if let Some(values) = schema["enum"].as_array() {
            return Ok(largest(values.iter().map(|value| value.to_string().len())));
        }
        for choices in ["anyOf", "oneOf"] {
            if let Some(choices) = schema[choices].as_array() {
                let sizes = choices.iter().map(|choice| self.bytes_max(choice, at));
                return Ok(largest(sizes.collect::<Result<Vec<_>, _>>()?.into_iter()));
            }
        }
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().map(text).collect(),
            one => vec![text(one)],
        };
        let sizes = types.iter().map(|kind| self.bytes_max_of(kind, schema, at));
        Ok(largest(sizes.collect::<Result<Vec<_>, _>>()?.into_iter()))
    }

    fn bytes_max_of(&self, kind: &str, schema: &Value, at: &str) -> Result<usize, String> {
        let bound = |name: &str| {
            let bound = schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
            bound.ok_or_else(|| format!("{at} has no {name}"))
        };
        match kind {
            "null" | "boolean" => Ok("false".len()),
            "integer" | "number" => Ok(NUMBER_BYTES),
            "string" => match schema["format"].as_str() {
                Some("uuid" | "date-time" | "date") => Ok(FORMAT_BYTES),
                // ASCII, which clients do not escape.
                Some("email") => Ok(bound("maxLength")? + 2),
                _ => Ok(bound("maxLength")? * ESCAPED_BYTES + 2),
            },
            "array" => {
                let item = self.bytes_max(&schema["items"], &format!("{at}/-"))?;
                Ok(bound("maxItems")? * (item + 1) + 2)
            }
            "object" if schema["additionalProperties"] == false => {
                let mut bytes = 2;
                for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                    let value = self.bytes_max(property, &format!("{at}/{name}"))?;
                    bytes += name.len() + r#""":,"#.len() + value;
                }
                Ok(bytes)
            }
            "object" => Err(format!("{at} allows members that it does not name")),
            other => Err(format!("{at} has the type {other:?}, whose size is not known")),
        }
    }
}

fn largest(sizes: impl Iterator<Item = usize>) -> usize {
    sizes.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_valid_body_over_the_limit_is_an_error_with_both_sizes() {
        assert!(
            check("post_note", &endpoint(&json!({ "type": "string", "maxLength": 10 }))).is_ok()
        );
        let error = check("post_note", &endpoint(&json!({ "type": "string", "maxLength": 20 })));
        let expected = "post_note: the largest valid body has 252 bytes, and its limit is 200";
        assert_eq!(error.unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_form_is_checked_like_json_and_a_body_without_fields_is_not() {
        let mut described = endpoint(&json!({ "type": "string" }));
        described["input"]["bodyType"] = json!(FORM);
        let error = check("post_note", &described).unwrap_err().to_string();
        assert_eq!(error, "post_note: /text has no maxLength");
        described["input"]["bodyType"] = json!("*/*");
        assert!(check("post_note", &described).is_ok());
    }

    #[test]
    fn an_unbounded_text_array_or_object_is_an_error_with_its_place() {
        for (field, expected) in [
            (json!({ "type": "string" }), "post_note: /text has no maxLength"),
            (json!({ "type": ["string", "null"] }), "post_note: /text has no maxLength"),
            (
                json!({ "type": "array", "items": { "type": "integer" } }),
                "post_note: /text has no maxItems",
            ),
            (
                json!({ "type": "array", "maxItems": 2, "items": { "type": "string" } }),
                "post_note: /text/- has no maxLength",
            ),
            (
                json!({ "$ref": "#/$defs/Open" }),
                "post_note: /text allows members that it does not name",
            ),
        ] {
            assert_eq!(check("post_note", &endpoint(&field)).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_body_that_contains_itself_is_an_error() {
        for (reference, at) in [("#", "/text"), ("#/$defs/Tree", "/text/leaf")] {
            let described = endpoint(&json!({ "$ref": reference }));
            let error = check("post_note", &described).unwrap_err().to_string();
            let expected = format!("post_note: {at}: {reference} contains itself");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    /// An endpoint whose body has this field, with a limit of 200 bytes.
    fn endpoint(field: &Value) -> Value {
        let body = json!({
            "type": "object",
            "properties": { "text": field },
            "additionalProperties": false,
            "$defs": {
                "Open": { "type": "object" },
                "Tree": {
                    "type": "object", "properties": { "leaf": { "$ref": "#/$defs/Tree" } },
                    "additionalProperties": false,
                },
            },
        });
        json!({ "bodyBytesMax": 200, "input": { "body": body } })
    }
}
