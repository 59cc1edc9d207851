//! Rewrites schemas for generators of clients.
//!
//! The binaries' schemas are exact, but generators make poor code of some parts. A default of
//! `null` makes a field required in TypeScript. Rust's own formats are unknown elsewhere. An
//! enumeration that is repeated at each use becomes several types.

use serde_json::{Map, Value, json};

use super::values::{reference, text};

/// The place where a schema is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// In the body of a request.
    Body,
    /// In the path, the query string, a header, a cookie or a form of a request: these have no
    /// `null`.
    Parameter,
    /// In the body of a response: an optional field without a value is left out.
    Answer,
}

impl Side {
    /// The suffix of a schema's name. Requests are read more strictly than responses are written,
    /// so their schemas have other names: `PriceInput` and `Price`.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Body | Self::Parameter => "Input",
            Self::Answer => "",
        }
    }
}

/// A named enumeration.
pub(super) type Enumeration = (String, Value);

/// Rewrites a schema, and returns the enumerations that it replaced by references.
pub(super) fn rewrite(schema: &mut Value, side: Side) -> Vec<Enumeration> {
    let mut enumerations = Vec::new();
    rewrite_all(schema, side, &mut enumerations);
    enumerations
}

/// The references of a schema to its own root: at the root of a body, and in the data of a response.
const ROOTS: [&str; 2] = ["#", "#/properties/data"];

/// Names the root of a schema that contains itself: it becomes a component with its title, and a
/// reference to the root becomes one to this component.
pub(super) fn name_root(schema: &mut Value) {
    let title = [&schema["title"], &schema["properties"]["data"]["title"]].map(text);
    if let Some(title) = title.into_iter().find(|title| !title.is_empty()) {
        replace_roots(schema, &path_of(&title));
    }
}

fn replace_roots(schema: &mut Value, path: &str) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && ROOTS.contains(&reference.as_str())
            {
                path.clone_into(reference);
            }
            object.values_mut().for_each(|value| replace_roots(value, path));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace_roots(value, path)),
        _ => {}
    }
}

/// Whether a schema has a reference to this component.
pub(super) fn refers_to(schema: &Value, name: &str) -> bool {
    match schema {
        Value::Object(object) => {
            object.get("$ref").is_some_and(|reference| *reference == path_of(name))
                || object.values().any(|value| refers_to(value, name))
        }
        Value::Array(values) => values.iter().any(|value| refers_to(value, name)),
        _ => false,
    }
}

fn path_of(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

fn rewrite_all(schema: &mut Value, side: Side, enumerations: &mut Vec<Enumeration>) {
    match schema {
        Value::Object(object) => {
            rewrite_object(object, side);
            for value in object.values_mut() {
                rewrite_all(value, side, enumerations);
            }
            // A property may be named `title`; only the title of a schema is a string.
            if object.get("title").is_some_and(Value::is_string)
                && let Some(Value::String(name)) = object.remove("title")
                && object.contains_key("enum")
            {
                enumerations.push((name.clone(), refer(object, &name)));
            }
        }
        Value::Array(values) => {
            for value in values {
                rewrite_all(value, side, enumerations);
            }
        }
        _ => {}
    }
}

fn rewrite_object(object: &mut Map<String, Value>, side: Side) {
    // The document declares the dialect.
    object.remove("$schema");
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    if let Some(Value::String(reference)) = object.get_mut("$ref")
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        *reference = path_of(&format!("{name}{}", side.suffix()));
    }
    if let Some(Value::String(description)) = object.get_mut("description") {
        // A link between Rust types has no target outside rustdoc.
        *description = description.replace("[`", "`").replace("`]", "`");
    }
    if let Some(Value::String(format)) = object.get_mut("format") {
        *format = registered(format).to_owned();
    }
    if side == Side::Body {
        return;
    }
    let required = object.get("required").cloned().unwrap_or_else(|| json!([]));
    let is_required = |name: &str| required.as_array().is_some_and(|r| r.contains(&json!(name)));
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (_, property) in properties.iter_mut().filter(|(name, _)| !is_required(name)) {
            if let Some(property) = property.as_object_mut() {
                refuse_null(property);
            }
        }
    }
}

/// The registered `OpenAPI` format that can hold all values of a Rust format.
fn registered(format: &str) -> &str {
    match format {
        "int8" | "uint8" | "int16" | "uint16" => "int32",
        "int" | "uint" | "uint32" | "uint64" => "int64",
        other => other,
    }
}

/// Removes `null` from the allowed values. Returns whether it was allowed.
fn refuse_null(schema: &mut Map<String, Value>) -> bool {
    let mut found = false;
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        found |= kinds.contains(&json!("null"));
        kinds.retain(|kind| kind != "null");
        if let [kind] = &kinds[..] {
            let kind = kind.clone();
            schema.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        let null = json!({ "type": "null" });
        found |= choices.contains(&null);
        choices.retain(|choice| *choice != null);
        if let [Value::Object(only)] = &mut choices[..] {
            let only = std::mem::take(only);
            schema.remove("anyOf");
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
    }
    found
}

/// Replaces an enumeration by a reference, keeping the description of its use.
fn refer(place: &mut Map<String, Value>, name: &str) -> Value {
    let words = place.remove("description");
    let is_nullable = refuse_null(place);
    let enumeration = Value::Object(std::mem::take(place));
    if is_nullable {
        place.insert("anyOf".to_owned(), json!([reference("schemas", name), { "type": "null" }]));
    } else if let Value::Object(reference) = reference("schemas", name) {
        *place = reference;
    }
    place.extend(words.map(|words| ("description".to_owned(), words)));
    enumeration
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(mut schema: Value, side: Side) -> Value {
        rewrite(&mut schema, side);
        schema
    }

    #[test]
    fn only_a_default_of_null_is_removed() {
        let fields = json!({ "properties": {
            "orderId": { "type": ["string", "null"], "default": null },
            "limit": { "type": "integer", "default": 20 },
        }});
        let expected = json!({ "properties": {
            "orderId": { "type": ["string", "null"] },
            "limit": { "type": "integer", "default": 20 },
        }});
        assert_eq!(rewritten(fields, Side::Body), expected);
    }

    #[test]
    fn null_is_removed_only_in_parameters_and_optional_response_fields() {
        let schema = json!({
            "properties": {
                "always": { "type": ["integer", "null"] },
                "text": { "type": ["string", "null"] },
                "choice": { "anyOf": [{ "$ref": "#/$defs/Price" }, { "type": "null" }] },
            },
            "required": ["always"],
        });
        let answer = rewritten(schema.clone(), Side::Answer);
        assert_eq!(answer["properties"]["always"]["type"], json!(["integer", "null"]));
        assert_eq!(answer["properties"]["text"]["type"], "string");
        let price = json!({ "$ref": "#/components/schemas/Price" });
        assert_eq!(answer["properties"]["choice"], price);
        let body = rewritten(schema.clone(), Side::Body);
        assert_eq!(body["properties"]["text"]["type"], json!(["string", "null"]));
        let parameters = rewritten(schema, Side::Parameter);
        assert_eq!(parameters["properties"]["text"]["type"], "string");
    }

    #[test]
    fn a_titled_enumeration_becomes_a_reference_with_its_description() {
        let status =
            |kind: Value, words: Value| json!({ "title": "Status", "type": kind, "enum": words });
        let mut schema = json!({ "properties": {
            "status": status(json!("string"), json!(["A", "B"])),
            "before": status(json!(["string", "null"]), json!(["A", "B", null])),
        }});
        schema["properties"]["status"]["description"] = json!("How it is.");
        let enumerations = rewrite(&mut schema, Side::Body);
        let status = json!({ "type": "string", "enum": ["A", "B"] });
        let status = ("Status".to_owned(), status);
        assert_eq!(enumerations, [status.clone(), status]);
        let reference = json!("#/components/schemas/Status");
        let place = json!({ "$ref": reference, "description": "How it is." });
        assert_eq!(schema["properties"]["status"], place);
        let nullable = json!({ "anyOf": [{ "$ref": reference }, { "type": "null" }] });
        assert_eq!(schema["properties"]["before"], nullable);
    }

    #[test]
    fn a_rust_format_becomes_a_registered_format_of_wider_range() {
        for (format, registered) in [("uint8", "int32"), ("uint32", "int64"), ("uuid", "uuid")] {
            let schema = json!({ "type": "integer", "format": format });
            assert_eq!(rewritten(schema, Side::Answer)["format"], registered);
        }
    }
}
