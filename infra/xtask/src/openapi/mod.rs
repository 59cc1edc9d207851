//! `cargo xtask openapi`: builds the `OpenAPI` document from the binaries' descriptions, the first
//! comments of their files, and the tests' events and recorded responses.

mod bodies;
mod components;
mod examples;
mod lint;
mod operation;
mod plain;
mod responses;
mod values;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sam_template::Template;
use serde_json::{Map, Value, json};
use tooling::{Error, descriptions};

use self::components::Components;
use self::examples::Examples;
pub(crate) use self::lint::lint;
use self::values::text;
use self::words::Words;

/// The path of the document.
pub(crate) fn path(workspace: &Path) -> PathBuf {
    workspace.join("infra/openapi.json")
}

/// Writes the current document.
///
/// # Errors
///
/// Those of [`merged`], or if it cannot be written.
pub(crate) fn write(workspace: &Path) -> Result<(), Error> {
    Ok(fs_err::write(path(workspace), merged(workspace)?)?)
}

/// The current document, as it is recorded.
///
/// # Errors
///
/// If the binaries cannot be described, or two of them define one name differently. If an endpoint
/// has no comment, event or recorded response, or its limit is below its largest valid body.
pub(crate) fn merged(workspace: &Path) -> Result<String, Error> {
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    let mut paths = Map::new();
    let mut components = Components::own();
    for (binary, description) in descriptions::raw(workspace, &template.binaries())? {
        if description["kind"] != "endpoint" {
            continue;
        }
        let words = Words::of(workspace, &binary, &route(&description))?;
        let examples = Examples::of(workspace, &binary)?;
        let operation = operation::of(&binary, &description, &words, &examples, &mut components)?;
        let (path, method) =
            (text(&description["route"]["path"]), text(&description["route"]["method"]));
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if description["head"] == true {
            item["head"] = operation::head(&binary, &operation, &components);
        }
        item[method.to_lowercase()] = operation;
    }
    let document = document(paths, components);
    Ok(format!("{document:#}\n"))
}

fn document(paths: Map<String, Value>, components: Components) -> Value {
    let tags = [
        ("people", "Accounts, sessions and addresses."),
        ("catalogue", "Products, our own and a partner's."),
        ("orders", "Orders, from placement to completion."),
        ("articles", "Articles: drafted, approved, published and shared."),
        ("callback", "Reported objects, and whether they are online."),
        ("platform", "The system itself: its health, keys and rules."),
    ];
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The store's API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT or Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "contact": { "name": "The operator of this deployment" },
        },
        "servers": [
            { "url": "http://127.0.0.1:3000", "description": "The local platform." },
            {
                "url": "https://{apiId}.execute-api.{region}.amazonaws.com",
                "description": "A deployment; its URL is in the stack's outputs.",
                "variables": {
                    "apiId": { "default": "a1b2c3d4e5", "description": "The HTTP API's id." },
                    "region": { "default": "eu-west-1", "description": "The region of the deployment." },
                },
            },
        ],
        "tags": tags.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": paths,
        "components": components.into_value(),
    })
}

const DESCRIPTION: &str = "\
Every response is one JSON document: `{\"data\": …}`, or `{\"error\": {\"code\", \"message\", \
\"details\", \"traceId\"}}`, which clients that accept `application/problem+json` get as RFC 9457 \
problem details. The gateway's own error responses are `{\"message\": …}`. \
Input is strict: unknown fields and numbers in quotes are rejected, and a response reports all \
errors of a request at once. Texts are stored in NFC, and names and titles without surrounding \
whitespace. The length of a text is that of its NFC form in code points; the minimum length of a \
name or a title does not count surrounding whitespace. Passwords are compared in NFC; the most \
common passwords and their variants are rejected.";

/// `GET /users/{userId}`
fn route(description: &Value) -> String {
    let route = &description["route"];
    format!("{} {}", text(&route["method"]), text(&route["path"]))
}

#[cfg(test)]
mod tests {
    use tooling::workspace;

    use super::*;

    #[test]
    fn the_recorded_document_matches_the_binaries() {
        let kept = fs_err::read_to_string(path(workspace())).unwrap();
        let merged = merged(workspace()).unwrap();
        assert!(kept == merged, "infra/openapi.json is out of date: run `cargo xtask openapi`");
    }

    #[test]
    fn every_reference_has_a_target() {
        let kept = fs_err::read_to_string(path(workspace())).unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        let mut references = Vec::new();
        collect(&kept, &mut references);
        assert!(references.len() > 20, "{references:?}");
        for reference in references {
            assert!(kept.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_error_has_a_named_schema_for_generated_clients() {
        let kept = fs_err::read_to_string(path(workspace())).unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        let own = kept["paths"].as_object().unwrap().values();
        let own = own.flat_map(|item| item.as_object().unwrap().values());
        let own = own.flat_map(|operation| operation["responses"].as_object().unwrap());
        let shared = kept["components"]["responses"].as_object().unwrap();
        let schemas = own.chain(shared).filter_map(|(status, response)| {
            let schema = response.pointer("/content/application~1json/schema")?;
            (!status.starts_with('2')).then_some((status, schema))
        });
        for (status, schema) in schemas {
            let choices = schema["anyOf"].as_array().cloned();
            for choice in choices.unwrap_or_else(|| vec![schema.clone()]) {
                assert!(choice["$ref"].is_string(), "{status}: {choice}");
            }
        }
    }

    #[test]
    fn no_format_or_default_is_specific_to_rust() {
        let kept = fs_err::read_to_string(path(workspace())).unwrap();
        for unknown in ["\"default\": null", "\"uint", "\"format\": \"int8\"", "[`"] {
            assert!(!kept.contains(unknown), "{unknown}");
        }
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
