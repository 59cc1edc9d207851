//! What operations have in common: schemas, headers, parameters and responses, each said once.

use lifecycle::Violations;
use serde_json::{Map, Value, json};

use super::text;
use crate::descriptions::Error;

/// The components of the description.
pub(super) struct Components {
    schemas: Map<String, Value>,
    responses: Map<String, Value>,
}

impl Components {
    /// What every endpoint may answer besides its own.
    pub(super) fn own() -> Self {
        Self { schemas: into_object(own_schemas()), responses: Map::new() }
    }

    /// Moves a schema's definitions here, and the schema itself if it is an object with a title.
    /// What is read is stricter than what is answered, so it has names of its own: `PriceInput`
    /// beside `Price`.
    pub(super) fn hoist(&mut self, mut schema: Value, suffix: &str) -> Result<Value, Error> {
        let Some(object) = schema.as_object_mut() else { return Ok(schema) };
        let definitions = object.remove("$defs").map(into_object).unwrap_or_default();
        for (name, definition) in definitions {
            self.add_schema(&format!("{name}{suffix}"), definition, suffix)?;
        }
        let title = text(&schema["title"]);
        if schema["type"] == "object" && !title.is_empty() {
            self.add_schema(&title, schema, suffix)?;
            return Ok(reference("schemas", &title));
        }
        tidy(&mut schema, suffix);
        Ok(schema)
    }

    fn add_schema(&mut self, name: &str, mut schema: Value, suffix: &str) -> Result<(), Error> {
        tidy(&mut schema, suffix);
        add(&mut self.schemas, name, schema)
    }

    /// A response that several operations may share, by a name that says what it is; one that
    /// differs from what has the name is left where it is.
    pub(super) fn response(&mut self, name: &str, response: Value) -> Value {
        match add(&mut self.responses, name, response.clone()) {
            Ok(()) => reference("responses", name),
            Err(_) => response,
        }
    }

    /// What a response refers to, if it only refers to something.
    pub(super) fn resolved<'a>(&'a self, response: &'a Value) -> &'a Value {
        let name = response["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.responses.get(name)).unwrap_or(response)
    }

    pub(super) fn into_value(self) -> Value {
        json!({
            "schemas": self.schemas,
            "responses": self.responses,
            "parameters": parameters(),
            "headers": headers(),
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The `accessToken` that `POST /sessions` gives.",
            }},
        })
    }
}

pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn add(known: &mut Map<String, Value>, name: &str, what: Value) -> Result<(), Error> {
    if *known.entry(name).or_insert_with(|| what.clone()) == what {
        Ok(())
    } else {
        Err(format!("two binaries mean different things by {name}").into())
    }
}

/// References lead to the components; the dialect is the document's, and a title is a name.
fn tidy(schema: &mut Value, suffix: &str) {
    match schema {
        Value::Object(object) => {
            object.remove("$schema");
            if object.get("title").is_some_and(Value::is_string) {
                object.remove("title");
            }
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/components/schemas/{name}{suffix}");
            }
            object.values_mut().for_each(|value| tidy(value, suffix));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| tidy(value, suffix)),
        _ => {}
    }
}

fn own_schemas() -> Value {
    let violations = json!({
        "type": "array", "items": reference("schemas", "Violation"), "minItems": 1,
        "maxItems": Violations::LISTED_MAX,
    });
    let string = json!({ "type": "string" });
    json!({
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
                    "details": violations,
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
                "errors": violations,
            },
            "required": ["type", "title", "status", "detail", "instance", "code", "traceId"],
        },
        "GatewayMessage": {
            "type": "object",
            "description": "What API Gateway answers by itself, before or instead of a function.",
            "properties": { "message": string },
            "required": ["message"],
        },
    })
}

/// `*`, or entity tags with commas between them (RFC 9110, 13.1).
const TAGS: &str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

fn parameters() -> Value {
    let key = |required: bool| {
        json!({
            "name": "Idempotency-Key", "in": "header", "required": required,
            "schema": { "type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": 255 },
            "description": "The same request with the same key gets the same answer, for 24 hours. \
                            The same request is the same method, path, query, caller and JSON \
                            value: blanks, the order of members and the spelling of numbers do \
                            not matter. Another request with the key is 422; for callers who \
                            are not signed in, it is another key.",
            "example": "5a0f8a43-order",
        })
    };
    let condition = |name: &str, example: &str, description: &str| {
        json!({
            "name": name, "in": "header",
            "schema": { "type": "string", "pattern": TAGS },
            "description": description, "example": example,
        })
    };
    json!({
        "RequestId": {
            "name": "X-Request-ID", "in": "header", "schema": { "type": "string" },
            "description": "1 to 128 visible ASCII characters, taken for the request's id; \
                            otherwise it is given one.",
            "example": "order-1",
        },
        "IdempotencyKeyAccepted": key(false),
        "IdempotencyKeyRequired": key(true),
        "IfMatch": condition("If-Match", "\"1\"",
            "The ETag of the version that is to be changed; 412 if another one is there."),
        "IfNoneMatchAny": condition("If-None-Match", "\"0\"",
            "The ETag of a version that is not to be changed, or `*` for any: 412 if it is there."),
        "IfNoneMatchNew": condition("If-None-Match", "*",
            "`*`: 412 instead of 409 if the id that the client supplies is in use."),
        "IfMatchShown": condition("If-Match", "*",
            "The ETag of the version that is asked for; 412 if another one is there."),
        "IfNoneMatch": condition("If-None-Match", "\"1\"",
            "The ETag of what the client has; 304 if it is the same still."),
    })
}

fn headers() -> Value {
    let string = |description: &str, example: &str| json!({ "schema": { "type": "string" }, "description": description, "example": example });
    let seconds = |description: &str| {
        json!({
            "schema": { "type": "integer", "minimum": 0 },
            "description": description, "example": 1,
        })
    };
    json!({
        "apigw-requestid": string("The gateway's own id of the request.", "JKJaXmPLvHcESHA="),
        "x-request-id": string("The request's id.", "order-1"),
        "x-content-type-options": string("Always `nosniff`.", "nosniff"),
        "cache-control": string("Who may keep the answer, and for how long.", "no-store"),
        "ratelimit": string("How many requests are left, and for how many seconds.",
            "\"default\";r=599;t=60"),
        "ratelimit-policy": string("How many requests in how many seconds are allowed.",
            "\"default\";q=600;w=60"),
        "vary": string("The headers that an answer may depend on.", "Origin, Accept"),
        "etag": string("The version of what the body shows.", "\"1\""),
        "location": string("Where the created resource is found.", "/orders/00000000"),
        "www-authenticate": string("How to sign in, by RFC 6750; with an error where a token came that does not hold.",
            "Bearer realm=\"api\", error=\"invalid_token\""),
        "accept": string("The media types that a body may have.", "application/json"),
        "accept-patch": string("The media types that a change may have.",
            "application/json, application/merge-patch+json"),
        "accept-encoding": string("The content codings that a body may have.", "identity"),
        "idempotency-replayed": string("`true` where this answer was given before.", "true"),
        "content-length": seconds("How many bytes the body of the answer to `GET` has."),
        "age": seconds("For how many seconds the answer has been in a cache."),
        "retry-after": seconds("In how many seconds it is worth trying again."),
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
    fn two_meanings_of_one_name_are_found() {
        let mut components = Components::own();
        let schema = |kind| json!({ "$defs": { "Money": { "type": kind } } });
        assert!(components.hoist(schema("object"), "").is_ok());
        assert!(components.hoist(schema("object"), "").is_ok());
        assert!(components.hoist(schema("string"), "").is_err());
    }

    #[test]
    fn what_has_a_title_is_a_component_of_that_name() {
        let mut components = Components::own();
        let order = json!({ "type": "object", "title": "Order" });
        assert_eq!(components.hoist(order, "").unwrap(), reference("schemas", "Order"));
        assert_eq!(components.into_value()["schemas"]["Order"], json!({ "type": "object" }));
    }
}
