//! The shared parts of operations: schemas, headers, parameters and responses.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tooling::Error;

use super::plain::{self, Side};
use super::sample::Sample;
use super::values::{reference, text};

/// The maximum number of field errors in a response: the lifecycle's. It is written again here,
/// since this program does not link the functions' runtime.
const FIELD_ERRORS_MAX: usize = 50;

/// The description of the bearer token, unless the settings have one.
const TOKEN: &str = "An access token.";

/// The request's id in examples.
pub(super) const REQUEST_ID: &str = "request-1";

/// The components of the document.
pub(super) struct Components {
    schemas: Map<String, Value>,
    /// The binary that is described.
    binary: String,
    /// The binary that defined each schema first.
    definers: BTreeMap<String, String>,
    responses: Map<String, Value>,
    /// Where clients get their bearer token.
    token: String,
    /// The examples of errors.
    sample: Sample,
}

impl Components {
    /// The components of every endpoint. The sentence describes the bearer token.
    pub(super) fn own(token: Option<&str>, sample: Sample) -> Self {
        let token = token.unwrap_or(TOKEN).to_owned();
        Self {
            schemas: into_object(own_schemas()),
            binary: String::new(),
            definers: BTreeMap::new(),
            responses: Map::new(),
            token,
            sample,
        }
    }

    /// Names the binary whose schemas are added from here on.
    pub(super) fn begin(&mut self, binary: &str) {
        binary.clone_into(&mut self.binary);
    }

    /// The examples of errors.
    pub(super) fn sample(&self) -> &Sample {
        &self.sample
    }

    /// Moves a schema's definitions and enumerations to the components, and the schema itself if it
    /// is an object with a title or contains itself.
    pub(super) fn hoist(&mut self, mut schema: Value, side: Side) -> Result<Value, Error> {
        let Some(object) = schema.as_object_mut() else { return Ok(schema) };
        let definitions = object.remove("$defs").map(into_object).unwrap_or_default();
        for (name, definition) in definitions {
            self.add_rewritten(&format!("{name}{}", side.suffix()), definition, side)?;
        }
        let title = text(&schema["title"]);
        let is_object = schema["type"] == "object";
        if !title.is_empty() && (is_object || plain::refers_to(&schema, &title)) {
            return self.add_rewritten(&title, schema, side);
        }
        self.rewrite(&mut schema, side)?;
        Ok(schema)
    }

    fn add_rewritten(&mut self, name: &str, mut schema: Value, side: Side) -> Result<Value, Error> {
        // Without the title, an enumeration does not become a reference to itself.
        schema.as_object_mut().and_then(|schema| schema.remove("title"));
        self.rewrite(&mut schema, side)?;
        self.schema(name, schema)
    }

    fn rewrite(&mut self, schema: &mut Value, side: Side) -> Result<(), Error> {
        for (name, enumeration) in plain::rewrite(schema, side) {
            self.schema(&name, enumeration)?;
        }
        Ok(())
    }

    /// Adds a schema by name, and returns a reference to it.
    ///
    /// # Errors
    ///
    /// If another schema has the name.
    pub(super) fn schema(&mut self, name: &str, schema: Value) -> Result<Value, Error> {
        let is_known = self.schemas.contains_key(name);
        if !add(&mut self.schemas, name, schema) {
            let first = self.definers.get(name).map_or("the library", String::as_str);
            return Err(format!(
                "{first} and {} define {name} differently: rename the type of one of them",
                self.binary
            )
            .into());
        }
        if !is_known {
            self.definers.insert(name.to_owned(), self.binary.clone());
        }
        Ok(reference("schemas", name))
    }

    /// Adds a response that operations may share, and returns a reference. If another response has
    /// the name, it returns the response itself.
    pub(super) fn response(&mut self, name: &str, response: Value) -> Value {
        if add(&mut self.responses, name, response.clone()) {
            reference("responses", name)
        } else {
            response
        }
    }

    /// The target of a response that is a reference, or else the response.
    pub(super) fn resolved<'a>(&'a self, response: &'a Value) -> &'a Value {
        let name = response["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.responses.get(name)).unwrap_or(response)
    }

    pub(super) fn into_value(self) -> Value {
        json!({
            "schemas": self.schemas,
            "responses": self.responses,
            "parameters": parameters(),
            "headers": headers(&self.sample),
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer",
                "description": self.token,
            }},
        })
    }
}

/// Adds a value, unless another one has the name. Returns whether the name has this value.
fn add(known: &mut Map<String, Value>, name: &str, what: Value) -> bool {
    *known.entry(name).or_insert_with(|| what.clone()) == what
}

/// The schema of the list of field errors in an error.
pub(super) fn field_errors() -> Value {
    json!({
        "type": "array", "items": reference("schemas", "FieldError"), "minItems": 1,
        "maxItems": FIELD_ERRORS_MAX,
    })
}

fn own_schemas() -> Value {
    let string = json!({ "type": "string" });
    json!({
        "FieldError": {
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
        "Problem": {
            "type": "object",
            "description": "The same facts as RFC 9457 problem details, for clients that request them.",
            "properties": {
                "type": string, "title": string, "status": { "type": "integer" },
                "detail": string, "instance": string, "code": string, "traceId": string,
                "errors": field_errors(),
            },
            "required": ["type", "title", "status", "detail", "instance", "code", "traceId"],
        },
        "GatewayMessage": {
            "type": "object",
            "description": "A response of API Gateway itself, before or instead of a function.",
            "properties": { "message": string },
            "required": ["message"],
        },
    })
}

/// `*`, or entity tags separated by commas, or nothing (RFC 9110, 13.1).
const TAGS: &str = r#"^(\*|((W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)?)$"#;

fn parameters() -> Value {
    let key = |required: bool| {
        let schema =
            json!({ "type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": 255 });
        let parameter = json!({
            "name": "Idempotency-Key", "in": "header", "required": required, "schema": schema,
            "description": "The same request with the same key gets the same response, for 24 hours. \
                            The same request is the same method, path, query, caller and JSON \
                            value: whitespace, the order of members and the spelling of numbers do \
                            not matter. Another request with the key is 422; for callers who \
                            are not signed in, it is another key.",
        });
        with_example(parameter, Some("5a0f8a43-1".into()))
    };
    let optional = |name: &str, description: &str, example: &str| {
        let parameter = json!({
            "name": name, "in": "header", "schema": { "type": "string" },
            "description": description,
        });
        with_example(parameter, Some(example.into()))
    };
    let condition = |name: &str, example: &str, description: &str| {
        let parameter = json!({
            "name": name, "in": "header",
            "schema": { "type": "string", "pattern": TAGS }, "description": description,
        });
        with_example(parameter, Some(example.into()))
    };
    json!({
        "RequestId": optional(
            "X-Request-ID",
            "1 to 128 visible ASCII characters, used as the request's id. By default, one is generated.",
            REQUEST_ID,
        ),
        "IdempotencyKeyAccepted": key(false),
        "IdempotencyKeyRequired": key(true),
        "IfMatch": condition("If-Match", "\"1\"",
            "The ETag of the version to change; 412 if the current version is another."),
        "IfNoneMatchAny": condition("If-None-Match", "\"0\"",
            "The ETag of a version that must not be changed, or `*` for any: 412 if it is current."),
        "IfNoneMatchNew": condition("If-None-Match", "*",
            "`*`: 412 instead of 409 if the id that the client supplies is in use."),
        "IfMatchShown": condition("If-Match", "*",
            "The ETag of the requested version; 412 if the current version is another."),
        "IfNoneMatch": condition("If-None-Match", "\"1\"",
            "The ETag of the client's version; 304 if it is still current."),
    })
}

/// Adds an example to a parameter. Pages that send requests fill in a parameter's example, so an
/// optional one has it in its schema instead.
pub(super) fn with_example(mut parameter: Value, example: Option<Value>) -> Value {
    match example {
        Some(example) if parameter["required"] == true => parameter["example"] = example,
        Some(example) if parameter["schema"].get("$ref").is_none() => {
            parameter["schema"]["examples"] = json!([example]);
        }
        _ => {}
    }
    parameter
}

fn headers(sample: &Sample) -> Value {
    let string = |description: &str, example: &str| json!({ "schema": { "type": "string" }, "description": description, "example": example });
    let seconds = |description: &str| {
        json!({
            "schema": { "type": "integer", "minimum": 0 },
            "description": description, "example": 1,
        })
    };
    json!({
        "apigw-requestid": string("The gateway's id of the request.", "JKJaXmPLvHcESHA="),
        "x-request-id": string("The request's id.", REQUEST_ID),
        "x-content-type-options": string("Always `nosniff`.", "nosniff"),
        "cache-control": string("Which caches may store the response, and for how long.", "no-store"),
        "ratelimit": string("The remaining requests, and the seconds until the reset.",
            "\"default\";r=599;t=60"),
        "ratelimit-policy": string("The quota of requests, and its window in seconds.",
            "\"default\";q=600;w=60"),
        "vary": string("The request headers that the response depends on.", "Origin, Accept"),
        "etag": string("The version of the resource in the body.", "\"1\""),
        "location": string("The path of the created resource.", &sample.location()),
        "www-authenticate": string("How to sign in, by RFC 6750; with an error if the token is not valid.",
            "Bearer realm=\"api\", error=\"invalid_token\""),
        "accept": string("The supported media types of a body.", "application/json"),
        "accept-patch": string("The supported media types of a `PATCH` body.",
            "application/json, application/merge-patch+json"),
        "accept-encoding": string("The supported content codings of a body.", "identity"),
        "idempotency-replayed": string("`true` if this is a stored response.", "true"),
        "content-length": seconds("The length in bytes of the body of the response to `GET`."),
        "age": seconds("The seconds that the response has been in a cache."),
        "retry-after": seconds("The seconds after which to retry."),
    })
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maximum_of_field_errors_is_that_of_the_lifecycle() {
        assert_eq!(FIELD_ERRORS_MAX, lifecycle::FieldErrors::LISTED_MAX);
    }

    #[test]
    fn two_definitions_of_one_name_are_an_error_with_both_binaries() {
        let mut components = Components::own(None, Sample::of(&BTreeMap::new()));
        let schema = |kind| json!({ "$defs": { "Money": { "type": kind } } });
        components.begin("get_price");
        assert!(components.hoist(schema("object"), Side::Answer).is_ok());
        components.begin("get_order");
        assert!(components.hoist(schema("object"), Side::Answer).is_ok());
        let refused = components.hoist(schema("string"), Side::Answer).unwrap_err().to_string();
        let expected = "get_price and get_order define Money differently";
        assert!(refused.starts_with(expected), "{refused}");
    }

    #[test]
    fn a_schema_with_a_title_is_a_component_of_that_name() {
        let mut components = Components::own(None, Sample::of(&BTreeMap::new()));
        let order = json!({ "type": "object", "title": "Order" });
        assert_eq!(components.hoist(order, Side::Answer).unwrap(), reference("schemas", "Order"));
        assert_eq!(components.into_value()["schemas"]["Order"], json!({ "type": "object" }));
    }
}
