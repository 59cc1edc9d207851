//! An API's description, which its responses must match.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use jsonschema::Validator;
use serde_json::Value;

use crate::response::ApiResponse;

/// An `OpenAPI` document of version 3.1, by which responses are checked.
///
/// ```
/// use http::{HeaderMap, Method};
/// use testkit::{ApiResponse, Description};
///
/// let description = Description::read(r#"{
///     "openapi": "3.1.0",
///     "paths": { "/notes/{noteId}": { "get": { "responses": { "204": {} } } } }
/// }"#).unwrap();
/// let response = |status| ApiResponse::new(status, HeaderMap::new(), "");
///
/// assert_eq!(description.complaint(&Method::GET, "/notes/1", &response(204)), None);
/// let complaint = description.complaint(&Method::GET, "/notes/1", &response(200));
/// assert_eq!(complaint.unwrap(), "the description has no status 200");
/// ```
pub struct Description {
    document: Value,
    /// By the text of their schema: compilation takes time.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Description {
    /// Reads a description in JSON.
    ///
    /// # Errors
    /// If it is not JSON. Its form is not checked.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { document: serde_json::from_str(json)?, validators: Mutex::default() })
    }

    /// The document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The operation that serves this path, which has no query. `None` if the API has none.
    pub fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let paths = self.document["paths"].as_object().expect("there are paths");
        let (_, item) = paths.iter().find(|(template, _)| fits(template, path))?;
        item.get(method.as_str().to_lowercase())
    }

    /// The target of a part that is a reference; any other part itself.
    pub fn resolved<'a>(&'a self, part: &'a Value) -> &'a Value {
        match part["$ref"].as_str() {
            Some(reference) => {
                let pointer = reference.trim_start_matches('#');
                self.document.pointer(pointer).expect("the reference has a target")
            }
            None => part,
        }
    }

    /// How a value violates a schema of the description; `None` if it does not. Formats, such as
    /// `uuid`, are checked too.
    pub fn violation(&self, schema: &Value, value: &Value) -> Option<String> {
        let validator = self.validator(schema);
        let errors = validator.iter_errors(value);
        let errors: Vec<_> =
            errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    /// How a response differs from the description: in its status, media type or body. `None` if it
    /// matches, or if the API has no such operation.
    pub fn complaint(&self, method: &Method, path: &str, response: &ApiResponse) -> Option<String> {
        let operation = self.operation(method, path)?;
        let described = &operation["responses"][response.status.to_string()];
        if described.is_null() {
            return Some(format!("the description has no status {}", response.status));
        }
        let content = &self.resolved(described)["content"];
        let media_type = response.header("content-type");
        match (content.is_null(), response.body.is_empty()) {
            (true, true) => None,
            (true, false) => Some("the description has no body".to_owned()),
            (false, true) => Some("the description has a body".to_owned()),
            (false, false) if content[media_type].is_null() => {
                Some(format!("the description has no {media_type}"))
            }
            (false, false) => match value_of(media_type, &response.body) {
                Ok(value) => self.violation(&content[media_type]["schema"], &value),
                Err(error) => Some(format!("the body is not JSON: {error}")),
            },
        }
    }

    /// Checks a response against the description.
    ///
    /// # Panics
    /// If there is a [complaint](Self::complaint).
    pub fn assert_describes(&self, method: &Method, path: &str, response: &ApiResponse) {
        assert_eq!(self.complaint(method, path, response), None, "{method} {path}: {response:?}");
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = known.entry(schema.to_string()).or_insert_with(|| {
            let mut schema = schema.clone();
            // References point to the components, so these must be in the same document.
            schema["components"] = self.document["components"].clone();
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&schema).expect("the description's schemas are valid"))
        });
        Arc::clone(validator)
    }
}

/// The body as a schema describes it: a JSON value, or else a text.
fn value_of(media_type: &str, body: &[u8]) -> serde_json::Result<Value> {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if media_type.ends_with("/json") || media_type.ends_with("+json") {
        return serde_json::from_slice(body);
    }
    Ok(String::from_utf8_lossy(body).into())
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
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_response_of_another_status_media_type_or_body_is_reported() {
        let description = notes();
        for (status, media_type, body, found) in [
            (200, "application/json", r#"{"text":"Bread"}"#, None),
            (200, "application/json", r#"{"text":1}"#, Some("is not of type \"string\"")),
            (200, "application/json", "{}", Some("is a required property")),
            (200, "application/json", "Bread", Some("is not JSON")),
            (200, "application/hal+json", r#"{"text":1}"#, Some("is not of type \"string\"")),
            (200, "text/plain", "Bread", None),
            (200, "text/plain", "1234567890", Some("is longer than 9 characters")),
            (200, "text/html", "<p>Bread</p>", Some("has no text/html")),
            (200, "application/json", "", Some("has a body")),
            (204, "", "", None),
            (204, "application/json", "{}", Some("has no body")),
            (418, "application/json", "{}", Some("has no status 418")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", HeaderValue::from_static(media_type));
            let response = ApiResponse::new(status, headers, body);

            let complaint = description.complaint(&Method::GET, "/notes/1", &response);

            assert_eq!(complaint.is_some(), found.is_some(), "{status} {body}: {complaint:?}");
            let complaint = complaint.unwrap_or_default();
            assert!(complaint.contains(found.unwrap_or_default()), "{complaint}");
        }
    }

    #[test]
    fn an_operation_is_found_by_method_and_path() {
        let description = notes();
        for (method, path, is_found) in [
            (Method::GET, "/notes/1", true),
            (Method::DELETE, "/notes/1", false),
            (Method::GET, "/notes/", false),
            (Method::GET, "/notes/1/lines", false),
        ] {
            let operation = description.operation(&method, path);
            assert_eq!(operation.is_some(), is_found, "{method} {path}");
        }
    }

    fn notes() -> Description {
        let note = json!({ "$ref": "#/components/schemas/Note" });
        let found = json!({ "content": {
            "application/json": { "schema": note },
            "application/hal+json": { "schema": note },
            "text/plain": { "schema": { "type": "string", "maxLength": 9 } },
        } });
        let document = json!({
            "openapi": "3.1.0",
            "paths": { "/notes/{noteId}": { "get": { "responses": {
                "200": { "$ref": "#/components/responses/Found" }, "204": {},
            } } } },
            "components": {
                "responses": { "Found": found },
                "schemas": { "Note": {
                    "type": "object",
                    "properties": { "text": { "type": "string" } },
                    "required": ["text"],
                } },
            },
        });
        Description::read(&document.to_string()).unwrap()
    }
}
