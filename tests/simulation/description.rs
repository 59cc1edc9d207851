//! The API's description, which every answer of the store must match.
//!
//! The test kit has a checker of the same kind, but depends on the emulator: a mistake would have to
//! build all of that again.

use std::collections::HashMap;
use std::ptr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::Value;

/// The committed description.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../infra/openapi.json");
    serde_json::from_str(text).expect("the description is JSON")
});

/// Compiled schemas by their addresses in the document: compilation takes time.
static VALIDATORS: Mutex<Option<HashMap<usize, Arc<Validator>>>> = Mutex::new(None);

/// An answer to check.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's path, with its query.
    pub path: &'a str,
    /// The status.
    pub status: u16,
    /// The media type.
    pub media_type: &'a str,
    /// The body.
    pub body: &'a str,
    /// Whether a function made it.
    pub by_function: bool,
}

/// How an answer differs from the description. `None` if it matches.
pub fn complaint(answer: &Answer<'_>) -> Option<String> {
    if answer.body.is_empty() {
        return described(answer).and_then(|content| match content {
            Ok(content) if !content.is_null() && answer.method != "HEAD" => {
                Some("the description has a body".to_owned())
            }
            Ok(_) => None,
            Err(complaint) => Some(complaint),
        });
    }
    let Ok(body) = serde_json::from_str::<Value>(answer.body) else {
        return Some("the body is not JSON".to_owned());
    };
    if !answer.by_function {
        let has_message = body["message"].is_string();
        return (!has_message).then(|| "the gateway's answer has no message".to_owned());
    }
    if answer.status >= 400 && !is_error(&body) && !is_health(answer, &body) {
        return Some("the error has not the shape of an error".to_owned());
    }
    match described(answer)? {
        Err(complaint) => Some(complaint),
        Ok(content) if content.is_null() => Some("the description has no body".to_owned()),
        Ok(content) if content[answer.media_type].is_null() => {
            Some(format!("the description has no {}", answer.media_type))
        }
        Ok(content) => violation(answer, &content[answer.media_type]["schema"], &body),
    }
}

/// An error in our own shape, or as problem details.
fn is_error(body: &Value) -> bool {
    let ours = body["error"]["code"].is_string() && body["error"]["traceId"].is_string();
    ours || (body["code"].is_string() && body["traceId"].is_string())
}

/// The report of the health check, which the schema checks.
fn is_health(answer: &Answer<'_>, body: &Value) -> bool {
    fits("/healthcheck", answer.path) && body["unavailable"].is_array()
}

/// The content of the answer's status. `None` if the API has no such operation.
fn described(answer: &Answer<'_>) -> Option<Result<&'static Value, String>> {
    let path = answer.path.split('?').next().unwrap_or_default();
    let paths = DOCUMENT["paths"].as_object()?;
    let (_, item) = paths.iter().find(|(template, _)| fits(template, path))?;
    let operation = item.get(answer.method.to_lowercase())?;
    let response = &operation["responses"][answer.status.to_string()];
    if response.is_null() && !answer.by_function {
        return None;
    }
    if response.is_null() {
        return Some(Err(format!("the description has no status {}", answer.status)));
    }
    Some(Ok(&resolved(response)["content"]))
}

fn resolved(part: &'static Value) -> &'static Value {
    let reference = part["$ref"].as_str();
    let target = reference.and_then(|it| DOCUMENT.pointer(it.trim_start_matches('#')));
    target.unwrap_or(part)
}

fn violation(answer: &Answer<'_>, schema: &'static Value, body: &Value) -> Option<String> {
    let validator = validator(schema);
    let errors = validator.iter_errors(body);
    let errors: Vec<String> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty())
        .then(|| format!("{} {}: {}", answer.method, answer.path, errors.join("; ")))
}

fn validator(schema: &'static Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_with(HashMap::new);
    let validator = known.entry(ptr::from_ref(schema).addr()).or_insert_with(|| {
        let mut schema = schema.clone();
        // References point to the components, so these must be in the same document.
        schema["components"] = DOCUMENT["components"].clone();
        let options = jsonschema::options().should_validate_formats(true);
        Arc::new(options.build(&schema).expect("the description's schemas are valid"))
    });
    Arc::clone(validator)
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given) = (template.split('/'), path.split('/'));
    let same = |(wanted, given): (&str, &str)| {
        wanted == given || (wanted.starts_with('{') && !given.is_empty())
    };
    wanted.clone().count() == given.clone().count() && wanted.zip(given).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_status_shape_or_body_is_found() {
        let problem = r#"{"error":{"code":"NOT_FOUND","message":"No.","traceId":"t"}}"#;
        let token = r#"{"data":{"accessToken":"a","tokenType":"Bearer","expiresIn":900}}"#;
        let without = r#"{"data":{"accessToken":"a","tokenType":"Bearer"}}"#;
        let unhealthy = r#"{"status":"UNAVAILABLE","unavailable":["table"]}"#;
        let json = "application/json";
        for (method, path, status, body, by_function, found) in [
            ("POST", "/sessions", 200, token, true, None),
            ("POST", "/sessions", 200, without, true, Some("expiresIn")),
            ("POST", "/sessions", 200, "", true, Some("has a body")),
            ("POST", "/sessions", 200, "{", true, Some("is not JSON")),
            ("POST", "/sessions", 418, problem, true, Some("no status 418")),
            ("POST", "/sessions", 404, r#"{"no":1}"#, true, Some("shape of an error")),
            ("GET", "/healthcheck", 503, unhealthy, true, None),
            ("GET", "/healthcheck", 503, r#"{"no":1}"#, true, Some("shape of an error")),
            ("GET", "/nowhere", 404, problem, true, None),
            ("GET", "/nowhere", 404, r#"{"message":"Not Found"}"#, false, None),
            ("GET", "/nowhere", 404, r#"{"text":"Not Found"}"#, false, Some("no message")),
        ] {
            let answer = Answer { method, path, status, media_type: json, body, by_function };
            let complaint = complaint(&answer);
            assert_eq!(complaint.is_some(), found.is_some(), "{answer:?}: {complaint:?}");
            let complaint = complaint.unwrap_or_default();
            assert!(complaint.contains(found.unwrap_or_default()), "{answer:?}: {complaint}");
        }
    }
}
