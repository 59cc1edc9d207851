//! `cargo xtask openapi`: the API's description, merged from what the binaries say of themselves,
//! the words that their files begin with, and the events and answers that are kept with the tests.

mod bodies;
mod components;
mod examples;
mod lint;
mod operation;
mod plain;
mod responses;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use local::template::Template;
use serde_json::{Map, Value, json};

use self::components::Components;
use self::examples::Examples;
pub(crate) use self::lint::lint;
use self::words::Words;
use crate::descriptions::{self, Error};

/// Where the description is kept.
pub(crate) fn path(workspace: &Path) -> PathBuf {
    workspace.join("infra/openapi.json")
}

/// Writes the description as it should be.
///
/// # Errors
///
/// Those of [`merged`], and when it cannot be written.
pub(crate) fn write(workspace: &Path) -> Result<(), Error> {
    Ok(fs_err::write(path(workspace), merged(workspace)?)?)
}

/// The description as it should be, in the form in which it is kept.
///
/// # Errors
///
/// When the binaries cannot be asked, two of them mean different things by one name, or an
/// endpoint has no words, event or recorded answer, or does not take what is valid.
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
        ("orders", "Orders, from their placing to their end."),
        ("articles", "Articles: drafted, approved, published and shared."),
        ("callback", "Objects that were seen, and whether they are online."),
        ("platform", "The system itself: its health, keys and rules."),
    ];
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The store's API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT or Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "contact": { "name": "Whoever runs this deployment" },
        },
        "servers": [
            { "url": "http://127.0.0.1:3000", "description": "The local platform." },
            {
                "url": "https://{apiId}.execute-api.{region}.amazonaws.com",
                "description": "A deployment; the stack's outputs name it.",
                "variables": {
                    "apiId": { "default": "a1b2c3d4e5", "description": "The HTTP API's id." },
                    "region": { "default": "eu-west-1", "description": "Where it is deployed." },
                },
            },
        ],
        "tags": tags.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": paths,
        "components": components.into_value(),
    })
}

const DESCRIPTION: &str = "\
Every answer is one JSON document: `{\"data\": …}`, or `{\"error\": {\"code\", \"message\", \
\"details\", \"traceId\"}}`, which clients that accept `application/problem+json` get as RFC 9457 \
problem details. What the gateway answers before or instead of a function is `{\"message\": …}`. \
Input is strict: unknown fields and numbers in quotes are refused, and all that is wrong with a \
request is told at once. Texts are kept in NFC, and names and titles without the blanks around them. \
The length of a text is that of its NFC form in code points; the least that a name or a title may have \
does not count the blanks around it. Passwords are compared in NFC; the commonest ones, and what is made \
of them, are refused.";

/// `GET /users/{userId}`
fn route(description: &Value) -> String {
    let route = &description["route"];
    format!("{} {}", text(&route["method"]), text(&route["path"]))
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
        let kept = fs_err::read_to_string(path(workspace())).unwrap();
        let merged = merged(workspace()).unwrap();
        assert!(kept == merged, "infra/openapi.json is out of date: run `cargo xtask openapi`");
    }

    #[test]
    fn every_reference_leads_somewhere() {
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
    fn every_error_has_a_named_schema_that_a_generated_client_has_a_class_for() {
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
    fn no_format_and_no_default_is_one_that_only_rust_knows() {
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
