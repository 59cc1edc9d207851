//! The API description, which every response in every test must match.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::Method;
use jsonschema::Validator;
use serde_json::Value;

/// The committed description.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../infra/openapi.json")).expect("it is JSON")
});

/// How a value violates a schema of the description; `None` if it does not.
pub(crate) fn violation(schema: &Value, value: &Value) -> Option<String> {
    static VALIDATORS: Mutex<Option<HashMap<String, Arc<Validator>>>> = Mutex::new(None);
    let validator = {
        let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        Arc::clone(known.entry(schema.to_string()).or_insert_with(|| {
            let mut schema = schema.clone();
            // References point to the components, so these must be in the same document.
            schema["components"] = DOCUMENT["components"].clone();
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&schema).expect("the description's schemas are valid"))
        }))
    };
    let errors = validator.iter_errors(value);
    let errors: Vec<_> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty()).then(|| errors.join("; "))
}

/// The target of a part that is a reference; any other part itself.
pub(crate) fn resolved(part: &Value) -> &Value {
    match part["$ref"].as_str() {
        Some(reference) => {
            DOCUMENT.pointer(reference.trim_start_matches('#')).expect("the reference has a target")
        }
        None => part,
    }
}

/// The operation that serves this path; `None` if the API has none.
pub(super) fn operation(method: &Method, path: &str) -> Option<&'static Value> {
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
