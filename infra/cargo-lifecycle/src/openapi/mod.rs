//! `cargo lifecycle openapi`: builds the `OpenAPI` document from the binaries' descriptions, the first
//! comments of their files, and the tests' events and recorded responses.

mod bodies;
mod components;
mod examples;
mod operation;
mod plain;
mod responses;
mod sample;
mod values;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tooling::Error;

use self::components::Components;
use self::examples::Examples;
use self::sample::Sample;
use self::values::text;
use self::words::Words;
use crate::file;
use crate::service::Service;
use crate::settings::Tag;

/// The document's path: the given one, or else that of the settings.
///
/// # Errors
///
/// If there is none.
pub fn place(service: &Service, given: Option<PathBuf>) -> Result<PathBuf, Error> {
    let set = || service.settings().openapi.document.as_ref().map(|path| service.path(path));
    given.or_else(set).ok_or_else(|| {
        "there is no place for the document: set openapi.document in \
         [package.metadata.lifecycle], or name a file with --document"
            .into()
    })
}

/// Writes the current document.
///
/// # Errors
///
/// Those of [`document`], or if the functions cannot be built or it cannot be written.
pub fn write(service: &Service, place: &Path) -> Result<(), Error> {
    file::replace(place, &current(service)?)
}

/// A sentence if the document is not the current one.
///
/// # Errors
///
/// Those of [`document`], or if the functions cannot be built or it cannot be read.
pub fn complaints(service: &Service, place: &Path) -> Result<Vec<String>, Error> {
    if is_same(&fs_err::read_to_string(place)?, &current(service)?) {
        return Ok(Vec::new());
    }
    let name = service.name_of(place);
    Ok(vec![format!("{name} is out of date: run `cargo lifecycle openapi`")])
}

/// Whether a recorded document is this one. A checkout may have put `\r\n` at the ends of its lines.
fn is_same(recorded: &str, current: &str) -> bool {
    recorded.replace("\r\n", "\n") == current
}

fn current(service: &Service) -> Result<String, Error> {
    let binaries = service.binaries_in(&service.template_of_package()?)?;
    document(service, service.printed(&binaries)?)
}

/// The document of the endpoints with these descriptions, as it is recorded.
///
/// # Errors
///
/// If two of them define one name differently. If an endpoint has no comment, or its limit is below
/// its largest valid body. If the settings name a folder of events or of recorded responses, and an
/// endpoint has none there. If the settings describe a tag that no endpoint has.
pub fn document(service: &Service, descriptions: BTreeMap<String, Value>) -> Result<String, Error> {
    let mut paths = Map::new();
    let token = service.settings().openapi.token.as_deref();
    let bodies = sentences_on_bodies(&descriptions);
    let mut components = Components::own(token, Sample::of(&descriptions));
    for (binary, description) in descriptions {
        if description["kind"] != "endpoint" {
            continue;
        }
        components.begin(&binary);
        let words = Words::of(service, &binary, &route(&description))?;
        let examples = Examples::of(service, &binary)?;
        let operation = operation::of(&binary, &description, &words, &examples, &mut components)?;
        let (path, method) =
            (text(&description["route"]["path"]), text(&description["route"]["method"]));
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if description["head"] == true {
            item["head"] = operation::head(&binary, &operation, &components);
        }
        item[method.to_lowercase()] = operation;
    }
    refuse_unused_tags(service, &paths)?;
    let document = whole(service, &bodies, paths, components);
    Ok(format!("{document:#}\n"))
}

/// Refuses a tag of the settings that no endpoint has.
fn refuse_unused_tags(service: &Service, paths: &Map<String, Value>) -> Result<(), Error> {
    let operations = paths.values().filter_map(Value::as_object).flatten();
    let used: Vec<&str> = operations.filter_map(|(_, it)| it["tags"][0].as_str()).collect();
    let tags = &service.settings().openapi.tags;
    match tags.iter().find(|tag| !used.contains(&tag.name.as_str())) {
        Some(Tag { name, .. }) => {
            Err(format!("openapi.tags has {name}, but no endpoint is in such a folder").into())
        }
        None => Ok(()),
    }
}

fn whole(
    service: &Service,
    bodies: &str,
    paths: Map<String, Value>,
    components: Components,
) -> Value {
    let tags = service.settings().openapi.tags.iter();
    let tags = tags.map(|tag| json!({ "name": tag.name, "description": tag.description }));
    json!({
        "openapi": "3.1.0",
        "info": info(service, bodies),
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
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": components.into_value(),
    })
}

/// The `info` of the settings, with its defaults, and the sentences that hold for every service.
fn info(service: &Service, bodies: &str) -> Value {
    let own = &service.settings().openapi.info;
    let mut info = json!({ "title": service.package(), "version": service.version() });
    for (name, value) in own {
        info[name] = value.clone();
    }
    let own = own.get("description").and_then(Value::as_str);
    let sentences = [bodies, DESCRIPTION].into_iter().chain(own).collect::<Vec<_>>();
    info["description"] = json!(sentences.join(" "));
    info
}

/// The sentences on the bodies of responses, by the media types and the shapes of all endpoints.
fn sentences_on_bodies(descriptions: &BTreeMap<String, Value>) -> String {
    let mut endpoints = descriptions.values().filter(|it| it["kind"] == "endpoint");
    let all_have_json = endpoints.clone().all(|it| it["outputType"].is_null());
    let all_have_our_errors = endpoints.all(|it| it["errorBody"].is_null());
    let error = "`{\"error\": {\"code\", \"message\", \"details\", \"traceId\"}}`";
    let start = match (all_have_json, all_have_our_errors) {
        (true, true) => {
            format!("Every response is one JSON document: `{{\"data\": …}}`, or {error}")
        }
        (false, true) => {
            format!("Each operation names the media type of its response. An error is {error}")
        }
        (true, false) => {
            "Every response is one JSON document. Each operation names the shape of its errors"
                .to_owned()
        }
        (false, false) => "Each operation names the media type of its response, and the shape of \
                           its errors"
            .to_owned(),
    };
    format!(
        "{start}, which clients that accept `application/problem+json` get as RFC 9457 problem \
         details."
    )
}

const DESCRIPTION: &str = "\
The gateway's own error responses are `{\"message\": …}`. \
Input is strict: unknown fields and numbers in quotes are rejected, and a response reports all \
errors of a request at once.";

/// `GET /users/{userId}`
fn route(description: &Value) -> String {
    let route = &description["route"];
    format!("{} {}", text(&route["method"]), text(&route["path"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{ours, ours_built};

    /// The text of the recorded document.
    fn kept() -> String {
        let service = ours();
        fs_err::read_to_string(place(&service, None).unwrap()).unwrap()
    }

    #[test]
    fn the_recorded_document_matches_the_binaries() {
        let service = ours_built();
        let place = place(&service, None).unwrap();
        assert_eq!(complaints(&service, &place).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_document_with_carriage_returns_is_the_same() {
        assert!(is_same("{\r\n}\r\n", "{\n}\n"));
        assert!(!is_same("{\r\n}\r\n", "{}\n"));
    }

    #[test]
    fn every_reference_has_a_target() {
        let kept: Value = serde_json::from_str(&kept()).unwrap();
        let mut references = Vec::new();
        collect(&kept, &mut references);
        assert!(references.len() > 20, "{references:?}");
        for reference in references {
            assert!(kept.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_error_has_a_named_schema_for_generated_clients() {
        let kept: Value = serde_json::from_str(&kept()).unwrap();
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
        let kept = kept();
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
