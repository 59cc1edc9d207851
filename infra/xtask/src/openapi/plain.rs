//! Schemas in the form that generators of clients understand.
//!
//! What the binaries say is exact, and more than a generator makes good code of: a default of `null`
//! makes a field required in TypeScript, a format of Rust's own is unknown elsewhere, and an
//! enumeration that is written out at each of its uses becomes as many types.

use serde_json::{Map, Value, json};

use super::components::reference;

/// Where a schema is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// In the body of a request.
    Body,
    /// In the path, the query string or a header of a request: there is no `null` in them.
    Parameter,
    /// In the body of an answer: an optional field is left out where it has no value.
    Answer,
}

impl Side {
    /// What a schema's name ends with. Requests are read more strictly than answers are written, so
    /// their schemas have names of their own: `PriceInput` beside `Price`.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Body | Self::Parameter => "Input",
            Self::Answer => "",
        }
    }
}

/// An enumeration that has a name.
pub(super) type Enumeration = (String, Value);

/// Rewrites a schema, and returns the enumerations whose places now hold a reference.
pub(super) fn rewrite(schema: &mut Value, side: Side) -> Vec<Enumeration> {
    let mut enumerations = Vec::new();
    rewrite_all(schema, side, &mut enumerations);
    enumerations
}

fn rewrite_all(schema: &mut Value, side: Side, enumerations: &mut Vec<Enumeration>) {
    match schema {
        Value::Object(object) => {
            rewrite_object(object, side);
            for value in object.values_mut() {
                rewrite_all(value, side, enumerations);
            }
            // A property may be named `title`; the title of a schema is a text.
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
    // The dialect is the document's.
    object.remove("$schema");
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    if let Some(Value::String(reference)) = object.get_mut("$ref")
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        *reference = format!("#/components/schemas/{name}{}", side.suffix());
    }
    if let Some(Value::String(description)) = object.get_mut("description") {
        // A link between types leads nowhere outside of rustdoc.
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

/// The format in the `OpenAPI` registry that holds all values of one of Rust's own.
fn registered(format: &str) -> &str {
    match format {
        "int8" | "uint8" | "int16" | "uint16" => "int32",
        "int" | "uint" | "uint32" | "uint64" => "int64",
        other => other,
    }
}

/// Takes `null` out of what a value may be. Returns whether it was there.
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

/// Takes an enumeration out of its place, where it leaves a reference and the words about its use.
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
    fn a_default_of_null_is_removed_and_another_stays() {
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
    fn null_is_refused_in_parameters_and_optional_fields_of_answers_only() {
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
    fn an_enumeration_with_a_title_becomes_a_reference_with_the_words_of_its_place() {
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
    fn a_format_of_rust_alone_becomes_a_registered_one_that_holds_its_values() {
        for (format, registered) in [("uint8", "int32"), ("uint32", "int64"), ("uuid", "uuid")] {
            let schema = json!({ "type": "integer", "format": format });
            assert_eq!(rewritten(schema, Side::Answer)["format"], registered);
        }
    }
}
