//! The API's description, which every answer in every test has to agree with.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::Method;
use jsonschema::Validator;
use serde_json::Value;

use super::Answer;

/// The description that is kept.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../infra/openapi.json")).expect("it is JSON")
});

/// What is wrong with an answer by the description: its status, its media type or its body.
/// Nothing where the API has no such operation.
pub(crate) fn complaint(method: &Method, path: &str, answer: &Answer) -> Option<String> {
    let operation = operation(method, path)?;
    let response = &operation["responses"][answer.status.to_string()];
    if response.is_null() {
        return Some(format!("the description knows no status {}", answer.status));
    }
    let content = &resolved(response)["content"];
    let media_type = answer.header("content-type");
    match (content.is_null(), answer.body.is_empty()) {
        (true, true) => None,
        (true, false) => Some("the description knows no body".to_owned()),
        (false, true) => Some("the description knows a body".to_owned()),
        (false, false) if content[media_type].is_null() => {
            Some(format!("the description knows no {media_type}"))
        }
        (false, false) => violation(&content[media_type]["schema"], &answer.json()),
    }
}

/// What is wrong with a value by a schema of the description.
pub(crate) fn violation(schema: &Value, value: &Value) -> Option<String> {
    static VALIDATORS: Mutex<Option<HashMap<String, Arc<Validator>>>> = Mutex::new(None);
    let validator = {
        let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        Arc::clone(known.entry(schema.to_string()).or_insert_with(|| {
            let mut schema = schema.clone();
            // References lead to the components, so these have to be in the same document.
            schema["components"] = DOCUMENT["components"].clone();
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&schema).expect("the description's schemas are schemas"))
        }))
    };
    let errors = validator.iter_errors(value);
    let errors: Vec<_> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty()).then(|| errors.join("; "))
}

/// What a part of the description refers to, if it only refers to something.
pub(crate) fn resolved(part: &Value) -> &Value {
    match part["$ref"].as_str() {
        Some(reference) => {
            DOCUMENT.pointer(reference.trim_start_matches('#')).expect("references lead somewhere")
        }
        None => part,
    }
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().expect("there are paths");
    let (_, item) = paths.iter().find(|(template, _)| fits(template, path))?;
    item.get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given) = (template.split('/'), path.split('/'));
    let same = |(wanted, given): (&str, &str)| {
        wanted == given || (wanted.starts_with('{') && !given.is_empty())
    };
    wanted.clone().count() == given.clone().count() && wanted.zip(given).all(same)
}
