//! `cargo xtask openapi`: the API's description, merged from what the binaries say of themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use local::template::Template;
use serde_json::{Map, Value, json};

use crate::descriptions::{self, Error};

/// Where the description is kept.
pub(crate) fn path(workspace: &Path) -> PathBuf {
    workspace.join("infra/openapi.json")
}

/// The description as it should be, in the form in which it is kept.
///
/// # Errors
///
/// When the binaries cannot be asked, or two of them mean different things by one name.
pub(crate) fn merged(workspace: &Path) -> Result<String, Error> {
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    let raw = descriptions::raw(workspace, &template.binaries())?;
    let document = document(&raw)?;
    Ok(format!("{document:#}\n"))
}

fn document(descriptions: &BTreeMap<String, Value>) -> Result<Value, Error> {
    let mut paths = Map::new();
    let mut schemas = own_schemas();
    for (binary, description) in descriptions {
        if description["kind"] != "endpoint" {
            continue;
        }
        let operation = operation(binary, description, &mut schemas)?;
        let route = &description["route"];
        let (path, method) = (text(&route["path"]), text(&route["method"]).to_lowercase());
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation;
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": { "title": "The store's API", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    }))
}

fn operation(
    binary: &str,
    description: &Value,
    schemas: &mut Map<String, Value>,
) -> Result<Value, Error> {
    let input = &description["input"];
    let mut parameters = vec![json!({
        "name": "X-Request-ID", "in": "header",
        "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
    })];
    for (place, part) in [("path", "path"), ("query", "query"), ("header", "headers")] {
        parameters.extend(parameters_of(place, &input[part], schemas)?);
    }
    if description["idempotency"] != "none" {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "required": description["idempotency"] == "required",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        }));
    }
    if description["ifMatch"] == true {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "schema": { "type": "string" },
            "description": "The ETag of the version that is to be changed; 412 if it is not.",
        }));
    }
    let mut operation = json!({
        "operationId": binary,
        "parameters": parameters,
        "responses": responses(description, schemas)?,
        "security": match text(&description["signIn"]).as_str() {
            "required" => json!([{ "bearer": [] }]),
            "optional" => json!([{ "bearer": [] }, {}]),
            _ => json!([]),
        },
    });
    if !input["body"].is_null() {
        let schema = hoisted(input["body"].clone(), "Input", schemas)?;
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema } },
        });
    }
    Ok(operation)
}

fn parameters_of(
    place: &str,
    part: &Value,
    schemas: &mut Map<String, Value>,
) -> Result<Vec<Value>, Error> {
    let required = part["required"].as_array().cloned().unwrap_or_default();
    let part = hoisted(part.clone(), "Input", schemas)?;
    let properties = part["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, schema): (String, Value)| {
        json!({
            "name": name, "in": place,
            "required": place == "path" || required.contains(&json!(name)),
            "schema": schema,
        })
    };
    Ok(properties.into_iter().map(parameter).collect())
}

fn responses(description: &Value, schemas: &mut Map<String, Value>) -> Result<Value, Error> {
    let mut success = json!({ "description": "Success." });
    if !description["output"].is_null() {
        let schema = hoisted(description["output"].clone(), "", schemas)?;
        success["content"] = json!({ "application/json": { "schema": schema } });
    }
    let status = description["status"].to_string();
    Ok(json!({
        status: success,
        "default": {
            "description": "Any refusal or failure.",
            "content": {
                "application/json": { "schema": { "anyOf": [
                    { "$ref": "#/components/schemas/Error" },
                    { "$ref": "#/components/schemas/GatewayMessage" },
                ]}},
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
            },
        },
    }))
}

/// Moves a schema's definitions to the document's components. What is read is stricter than what
/// is answered, so it has names of its own: `PriceInput` beside `Price`.
fn hoisted(
    mut schema: Value,
    suffix: &str,
    schemas: &mut Map<String, Value>,
) -> Result<Value, Error> {
    let Some(object) = schema.as_object_mut() else { return Ok(schema) };
    object.remove("$schema");
    let definitions = object.remove("$defs");
    point_at_components(&mut schema, suffix);
    for (name, mut definition) in definitions.and_then(into_object).unwrap_or_default() {
        point_at_components(&mut definition, suffix);
        let name = format!("{name}{suffix}");
        let known = schemas.entry(name.clone()).or_insert_with(|| definition.clone());
        if *known != definition {
            return Err(format!("two binaries mean different things by {name}").into());
        }
    }
    Ok(schema)
}

fn point_at_components(schema: &mut Value, suffix: &str) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/components/schemas/{name}{suffix}");
            }
            object.values_mut().for_each(|value| point_at_components(value, suffix));
        }
        Value::Array(values) => {
            for value in values {
                point_at_components(value, suffix);
            }
        }
        _ => {}
    }
}

/// What every endpoint may answer besides its own.
fn own_schemas() -> Map<String, Value> {
    let violation = json!({ "$ref": "#/components/schemas/Violation" });
    let string = json!({ "type": "string" });
    let schemas = json!({
        "Violation": {
            "type": "object",
            "properties": {
                "field": {
                    "type": "string",
                    "description": "A JSON Pointer into the body, or path.…, query.…, header.….",
                },
                "message": string,
            },
            "required": ["field", "message"],
        },
        "Error": {
            "type": "object",
            "properties": { "error": {
                "type": "object",
                "properties": {
                    "code": { "type": "string", "pattern": "^[A-Z][A-Z0-9_]*$" },
                    "message": string,
                    "details": { "type": "array", "items": violation, "minItems": 1 },
                    "traceId": string,
                },
                "required": ["code", "message", "traceId"],
            }},
            "required": ["error"],
        },
        "Problem": {
            "type": "object",
            "description": "The same facts as RFC 9457 problem details, for those who ask.",
            "properties": {
                "type": string, "title": string, "status": { "type": "integer" },
                "detail": string, "instance": string, "code": string, "traceId": string,
                "errors": { "type": "array", "items": violation, "minItems": 1 },
            },
            "required": ["type", "title", "status", "detail", "instance", "code", "traceId"],
        },
        "GatewayMessage": {
            "type": "object",
            "description": "What API Gateway answers by itself, before or instead of a function.",
            "properties": { "message": string },
            "required": ["message"],
        },
    });
    into_object(schemas).unwrap_or_default()
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn the_description_that_is_kept_is_what_the_binaries_say() {
        let kept = std::fs::read_to_string(path(workspace())).unwrap();
        let merged = merged(workspace()).unwrap();
        assert!(kept == merged, "infra/openapi.json is out of date: run `cargo xtask openapi`");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let kept = std::fs::read_to_string(path(workspace())).unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        let mut references = Vec::new();
        collect(&kept, &mut references);
        assert!(references.len() > 20, "{references:?}");
        for reference in references {
            assert!(kept.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    #[test]
    fn two_meanings_of_one_name_are_found() {
        let mut schemas = Map::new();
        let schema = |kind| json!({ "$defs": { "Money": { "type": kind } } });
        assert!(hoisted(schema("object"), "", &mut schemas).is_ok());
        assert!(hoisted(schema("object"), "", &mut schemas).is_ok());
        assert!(hoisted(schema("string"), "", &mut schemas).is_err());
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                references.extend(object.get("$ref").map(text));
                object.values().for_each(|value| collect(value, references));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
            _ => {}
        }
    }
}
