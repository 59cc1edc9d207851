//! The examples that several operations share, from the service's own endpoints.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::values::text;

/// The place of an id in an example.
const ID: &str = "00000000";

/// A path and an invalid field of a service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sample {
    path: String,
    /// A JSON Pointer into a body, and the sentence about it.
    field: Option<(String, String)>,
}

impl Sample {
    /// The first path of these endpoints, if possible one without parameters, and the first whole
    /// number with a maximum in their bodies, or else the first required field.
    pub(super) fn of(descriptions: &BTreeMap<String, Value>) -> Self {
        let endpoints = descriptions.values().filter(|it| it["kind"] == "endpoint");
        let paths: Vec<String> = endpoints.clone().map(|it| text(&it["route"]["path"])).collect();
        let path = paths.iter().find(|path| !path.contains('{')).or(paths.first());
        let bodies: Vec<&Value> = endpoints.map(|it| &it["input"]["body"]).collect();
        let number = bodies.iter().find_map(|body| bounded(body, body, String::new()));
        let required = || {
            let field = bodies.iter().find_map(|body| body["required"][0].as_str())?;
            Some((format!("/{field}"), "is required".to_owned()))
        };
        Self {
            path: path.map_or("/".to_owned(), |path| filled(path)),
            field: number.or_else(required),
        }
    }

    /// The path of a request.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a new resource.
    pub(super) fn location(&self) -> String {
        if self.path.ends_with(ID) {
            self.path.clone()
        } else {
            format!("{}/{ID}", self.path.trim_end_matches('/'))
        }
    }

    /// The field errors of a request.
    pub(super) fn field_errors(&self) -> Value {
        let (field, message) = match &self.field {
            Some((field, message)) => (field.as_str(), message.as_str()),
            None => ("query.x", "is not a known parameter"),
        };
        json!([{ "field": field, "message": message }])
    }
}

/// The path with an id in the place of each parameter.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { ID } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The first whole number with a maximum in a schema, as a JSON Pointer, and its error.
fn bounded(root: &Value, schema: &Value, at: String) -> Option<(String, String)> {
    if let Some(path) = schema["$ref"].as_str() {
        // A definition may contain itself.
        let is_nested = at.matches('/').count() > NESTED_MAX;
        let definition = root.pointer(path.trim_start_matches('#'))?;
        return if is_nested { None } else { bounded(root, definition, at) };
    }
    if schema["type"] == "integer" && schema["maximum"].is_u64() {
        return Some((at, format!("must be at most {}", schema["maximum"])));
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut members = properties.map(|(name, member)| (format!("{at}/{name}"), member));
    let found = members.find_map(|(at, member)| bounded(root, member, at));
    let items = || bounded(root, schema.get("items")?, format!("{at}/0"));
    found.or_else(items)
}

/// The depth of fields beyond which none is an example.
const NESTED_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(path: &str, body: &Value) -> Value {
        json!({ "kind": "endpoint", "route": { "path": path }, "input": { "body": body } })
    }

    fn sample<const N: usize>(endpoints: [Value; N]) -> Sample {
        let names = (0..).map(|number: u8| number.to_string());
        Sample::of(&names.zip(endpoints).collect())
    }

    #[test]
    fn the_examples_are_the_first_path_and_the_first_bounded_number_of_a_body() {
        let body = json!({
            "properties": {
                "due": { "type": "string" },
                "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } },
            },
            "required": ["due"],
            "$defs": { "Line": { "properties": {
                "book": { "type": "string" },
                "copies": { "type": "integer", "maximum": 3 },
                "rest": { "$ref": "#/$defs/Line" },
            } } },
        });
        let found = sample([
            endpoint("/books/{bookId}", &Value::Null),
            endpoint("/loans", &json!({ "required": ["reader"] })),
            endpoint("/returns", &body),
        ]);
        assert_eq!((found.path(), found.location().as_str()), ("/loans", "/loans/00000000"));
        let expected = json!([{ "field": "/lines/0/copies", "message": "must be at most 3" }]);
        assert_eq!(found.field_errors(), expected);
    }

    #[test]
    fn without_a_number_a_required_field_is_missing_and_without_a_body_a_parameter_is_unknown() {
        let found = sample([endpoint("/books/{bookId}", &json!({ "required": ["title"] }))]);
        assert_eq!(
            (found.path(), found.location().as_str()),
            ("/books/00000000", "/books/00000000")
        );
        assert_eq!(found.field_errors(), json!([{ "field": "/title", "message": "is required" }]));
        let recursive = json!({
            "$ref": "#/$defs/Tree",
            "$defs": { "Tree": { "properties": { "left": { "$ref": "#/$defs/Tree" } } } },
        });
        for body in [recursive, Value::Null] {
            let found = sample([endpoint("/books/{bookId}", &body)]);
            assert_eq!(found.field_errors()[0]["field"], "query.x");
        }
        assert_eq!(sample([]).path(), "/");
    }
}
