//! The responses of an operation, by status.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tooling::Error;

use super::components::{self, Components, REQUEST_ID};
use super::examples::Examples;
use super::plain::{self, Side};
use super::sample::Sample;
use super::values::{reference, text};

/// The gateway's own error messages, sent before or instead of a function. The key is the
/// function's error code for the same status. A function that is too slow is a 503 of an HTTP API.
const GATEWAY: [(&str, &str); 7] = [
    ("INVALID_REQUEST", "Bad Request"),
    ("UNAUTHORIZED", "Unauthorized"),
    ("NOT_FOUND", "Not Found"),
    ("PAYLOAD_TOO_LARGE", "Request Entity Too Large"),
    ("RATE_LIMIT_EXCEEDED", "Too Many Requests"),
    ("INTERNAL_ERROR", "Internal Server Error"),
    ("SERVICE_UNAVAILABLE", "Service Unavailable"),
];

/// A response with more codes than this is not shared between operations.
const SHARED_CODES_MAX: usize = 2;

/// The media type of a response, unless the description has another one.
const JSON: &str = "application/json";

/// The headers of every response of a function.
const ALWAYS: [&str; 5] =
    ["apigw-requestid", "x-request-id", "cache-control", "vary", "x-content-type-options"];

/// The headers of a rate limit, which an endpoint without one does not send.
const LIMIT: [&str; 2] = ["ratelimit", "ratelimit-policy"];

/// The responses of an operation.
pub(super) fn of(
    binary: &str,
    description: &Value,
    examples: &Examples,
    components: &mut Components,
) -> Result<Value, Error> {
    let mut responses = Map::new();
    let is_limited = is_limited(description);
    let status = description["status"].to_string();
    let success = success(&status, description, examples, components)?;
    if description["route"]["method"] == "GET" {
        let headers = headers(ALWAYS.into_iter().chain(["etag"]).chain(LIMIT), is_limited);
        let same =
            json!({ "description": "The client already has this version.", "headers": headers });
        responses.insert("304".to_owned(), components.response("NotModified", same));
    }
    for (status, refusals) in by_status(&description["refusals"]) {
        if !description["errorBody"].is_null() {
            let mut response = in_own_shape(&status, &refusals, description, components)?;
            if description["failureStatus"] == refusals[0]["status"] {
                add_content(&mut response, &success);
            }
            responses.insert(status, response);
            continue;
        }
        let is_shared = refusals.len() <= SHARED_CODES_MAX;
        let name =
            if is_shared { name(&refusals) } else { format!("{}{status}", camel_case(binary)) };
        let error = components.schema(&name, error(&refusals))?;
        let mut response = refusal(&status, &refusals, error, description, components.sample());
        let response = if description["failureStatus"] == refusals[0]["status"] {
            add_content(&mut response, &success);
            response
        } else if status == "413" {
            // The sentence names the limit, which differs between endpoints with a body.
            components.response(&format!("{name}{}", description["bodyBytesMax"]), response)
        } else if is_shared {
            components.response(&name, response)
        } else {
            response
        };
        responses.insert(status, response);
    }
    responses.insert("431".to_owned(), components.response("HeadersTooLarge", headers_too_large()));
    responses.insert(status, success);
    Ok(Value::Object(responses))
}

fn success(
    status: &str,
    description: &Value,
    examples: &Examples,
    components: &mut Components,
) -> Result<Value, Error> {
    let recorded = examples.answer(status);
    let names: Vec<String> = match recorded.and_then(|answer| answer["headers"].as_object()) {
        Some(recorded) => {
            let told = recorded.keys().filter(|name| *name != "content-type").cloned();
            told.chain(ALWAYS.map(str::to_owned)).collect()
        }
        None => ALWAYS.into_iter().chain(LIMIT).map(Into::into).collect(),
    };
    let replayed = (description["idempotency"] != "none").then_some("idempotency-replayed");
    let mut success = json!({
        "description": "Success.",
        "headers": headers(
            names.iter().map(String::as_str).chain(replayed),
            is_limited(description),
        ),
    });
    if !description["output"].is_null() {
        let mut schema = description["output"].clone();
        plain::name_root(&mut schema);
        if let Some(data) = schema.pointer_mut("/properties/data") {
            *data = components.hoist(data.take(), Side::Answer)?;
        }
        let mut content = json!({ "schema": components.hoist(schema, Side::Answer)? });
        if examples.is_recorded() {
            let recorded = recorded.ok_or("a response with a body must be recorded")?;
            content["example"] = recorded["body"].clone();
        }
        let media_type = description["outputType"].as_str().unwrap_or(JSON);
        success["content"] = json!({ (media_type): content });
    }
    Ok(success)
}

/// Whether an endpoint takes a merge patch: the JSON body of a `PATCH`.
fn takes_merge_patch(description: &Value) -> bool {
    description["route"]["method"] == "PATCH" && description["input"]["bodyType"].is_null()
}

/// Whether an endpoint counts its callers' requests.
fn is_limited(description: &Value) -> bool {
    !description["limit"].is_null()
}

/// Adds the schemas of a success to a failure that has the same body.
fn add_content(failure: &mut Value, success: &Value) {
    for (media_type, content) in success["content"].as_object().into_iter().flatten() {
        add_choice(&mut failure["content"][media_type]["schema"], content["schema"].clone());
    }
}

fn by_status(refusals: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut by_status = BTreeMap::<String, Vec<Value>>::new();
    for refusal in refusals.as_array().into_iter().flatten() {
        by_status.entry(refusal["status"].to_string()).or_default().push(refusal.clone());
    }
    by_status
}

/// The schema of an error with one of these codes. It has its own name, so that generated clients
/// have a class for it. It is written out, since generators do not merge a nested object of
/// `allOf`.
fn error(refusals: &[Value]) -> Value {
    json!({
        "type": "object",
        "properties": { "error": {
            "type": "object",
            "properties": {
                "code": { "type": "string", "enum": codes(refusals) },
                "message": { "type": "string" },
                "details": components::field_errors(),
                "traceId": { "type": "string" },
            },
            "required": ["code", "message", "traceId"],
        }},
        "required": ["error"],
    })
}

fn codes(refusals: &[Value]) -> Vec<Value> {
    refusals.iter().map(|refusal| refusal["code"].clone()).collect()
}

/// The response of all errors with one status, in the service's own shape or as problem details.
fn in_own_shape(
    status: &str,
    refusals: &[Value],
    description: &Value,
    components: &mut Components,
) -> Result<Value, Error> {
    let mut response = refusal(status, refusals, Value::Null, description, components.sample());
    let standard = response["content"]["application/json"]["examples"]["gateway"].take();
    let content = response["content"].as_object_mut().ok_or("a response has a content")?;
    content.remove("application/json");
    if !standard.is_null() {
        let schema = reference("schemas", "GatewayMessage");
        let examples = json!({ "gateway": standard });
        let message = json!({ "schema": schema, "examples": examples });
        content.insert("application/json".to_owned(), message);
    }
    let shape = &description["errorBody"];
    if !shape["schema"].is_null() {
        let mut schema = shape["schema"].clone();
        plain::name_root(&mut schema);
        let schema = components.hoist(schema, Side::Answer)?;
        let media_type = text(&shape["mediaType"]);
        let own = content.entry(media_type).or_insert_with(|| json!({ "examples": {} }));
        add_choice(&mut own["schema"], schema);
        for refusal in refusals {
            own["examples"][text(&refusal["code"])] = json!({ "value": refusal["body"] });
        }
    }
    Ok(response)
}

/// Adds a choice before a schema's other choices.
fn add_choice(schema: &mut Value, choice: Value) {
    let others = match schema.take() {
        Value::Null => {
            *schema = choice;
            return;
        }
        Value::Object(mut several) if several.contains_key("anyOf") => several["anyOf"].take(),
        one => json!([one]),
    };
    let choices = std::iter::once(choice).chain(others.as_array().cloned().unwrap_or_default());
    *schema = json!({ "anyOf": choices.collect::<Vec<_>>() });
}

/// The response of all errors with one status.
fn refusal(
    status: &str,
    refusals: &[Value],
    error: Value,
    description: &Value,
    sample: &Sample,
) -> Value {
    let codes = codes(refusals);
    let sentences: Vec<_> = refusals
        .iter()
        .map(|refusal| format!("`{}`: {}", text(&refusal["code"]), text(&refusal["message"])))
        .collect();
    let problem = json!({ "allOf": [
        reference("schemas", "Problem"),
        { "properties": { "code": { "enum": codes } } },
    ]});
    let (mut errors, mut problems) = (Map::new(), Map::new());
    for refusal in refusals {
        let code = text(&refusal["code"]);
        errors.insert(code.clone(), json!({ "value": as_error(refusal, sample) }));
        problems.insert(code, json!({ "value": as_problem(refusal, sample) }));
    }
    let gateway = GATEWAY.iter().find(|(code, _)| codes.contains(&json!(code)));
    let schema = match gateway {
        Some((_, message)) => {
            errors.insert("gateway".to_owned(), json!({ "value": { "message": message } }));
            json!({ "anyOf": [error, reference("schemas", "GatewayMessage")] })
        }
        None => error,
    };
    let more: &[&str] = match status {
        "401" => &["www-authenticate"],
        // The header depends on the error of the body: its media type or its content coding.
        "415" if takes_merge_patch(description) => {
            &["accept-patch", "accept-encoding", "ratelimit", "ratelimit-policy"]
        }
        "415" => &["accept", "accept-encoding", "ratelimit", "ratelimit-policy"],
        "429" | "503" => &["ratelimit", "ratelimit-policy", "retry-after"],
        _ => &["ratelimit", "ratelimit-policy"],
    };
    json!({
        "description": sentences.join("\n\n"),
        "headers": headers(
            ALWAYS.into_iter().chain(more.iter().copied()),
            is_limited(description),
        ),
        "content": {
            "application/json": { "schema": schema, "examples": errors },
            "application/problem+json": { "schema": problem, "examples": problems },
        },
    })
}

/// The response that only the gateway sends.
fn headers_too_large() -> Value {
    json!({
        "description": "The request line and the headers are over 10 240 bytes.",
        "headers": headers(["apigw-requestid"].into_iter(), false),
        "content": { "application/json": {
            "schema": reference("schemas", "GatewayMessage"),
            "example": { "message": "Request Header Fields Too Large" },
        }},
    })
}

fn headers<'a>(names: impl Iterator<Item = &'a str>, is_limited: bool) -> Value {
    let sent = names.filter(|name| is_limited || !LIMIT.contains(name));
    sent.map(|name| (name.to_owned(), reference("headers", name))).collect::<Map<_, _>>().into()
}

/// The name of errors: `EmailTakenOrIdTaken`.
fn name(refusals: &[Value]) -> String {
    let names = refusals.iter().map(|refusal| camel_case(&text(&refusal["code"]).to_lowercase()));
    names.collect::<Vec<_>>().join("Or")
}

/// Converts to camel case: `CreateOrder` for `create_order`.
fn camel_case(name: &str) -> String {
    name.split('_').map(|word| [&word[..1].to_uppercase(), &word[1..]].concat()).collect()
}

fn as_error(refusal: &Value, sample: &Sample) -> Value {
    let mut error = json!({ "error": {
        "code": refusal["code"], "message": refusal["message"], "traceId": REQUEST_ID,
    }});
    if refusal["code"] == "INVALID_REQUEST" {
        error["error"]["details"] = sample.field_errors();
    }
    error
}

fn as_problem(refusal: &Value, sample: &Sample) -> Value {
    let status = refusal["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let title = status.and_then(|status| http::StatusCode::from_u16(status).ok());
    let mut problem = json!({
        "type": "about:blank",
        "title": title.and_then(|status| status.canonical_reason()),
        "status": status,
        "detail": refusal["message"],
        "instance": sample.path(),
        "code": refusal["code"],
        "traceId": REQUEST_ID,
    });
    if refusal["code"] == "INVALID_REQUEST" {
        problem["errors"] = sample.field_errors();
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_shape_has_its_schema_its_examples_and_the_gateways_message() {
        let refusals = [json!({
            "status": 404, "code": "NOT_FOUND", "message": "None.", "body": { "reason": "none" },
        })];
        let schema = json!({ "type": "object", "properties": { "reason": { "type": "string" } } });
        let response = |media_type: &str, schema: &Value| {
            let shape = json!({ "errorBody": { "mediaType": media_type, "schema": schema } });
            in_own_shape(
                "404",
                &refusals,
                &shape,
                &mut Components::own(None, Sample::of(&BTreeMap::new())),
            )
            .unwrap()["content"]
                .take()
        };
        let gateway = reference("schemas", "GatewayMessage");
        let own = response("application/x+json", &schema);
        let example = &own["application/x+json"]["examples"]["NOT_FOUND"]["value"];
        assert_eq!(example, &json!({ "reason": "none" }));
        assert_eq!(own["application/x+json"]["schema"]["type"], "object");
        assert_eq!(own["application/json"]["schema"], gateway);
        let own = response("application/json", &schema);
        let choices = own["application/json"]["schema"]["anyOf"].as_array().unwrap();
        assert_eq!((choices.len(), &choices[1]), (2, &gateway));
        let problems = response("application/problem+json", &Value::Null);
        assert_eq!(problems["application/json"]["schema"], gateway);
        assert!(problems["application/problem+json"]["schema"].is_object());
    }

    #[test]
    fn the_gateway_has_a_message_for_503_and_none_for_504() {
        for (status, code, has_message) in
            [(503, "SERVICE_UNAVAILABLE", true), (504, "TIMED_OUT", false)]
        {
            let refusals = [json!({ "status": status, "code": code, "message": "Later." })];
            let (error, sample) = (json!({}), Sample::of(&BTreeMap::new()));
            let response = refusal(&status.to_string(), &refusals, error, &Value::Null, &sample);
            let content = &response["content"]["application/json"];
            assert!(content["examples"][code].is_object(), "{status}");
            let choices = content["schema"].get("anyOf");
            let told = (content["examples"].get("gateway").is_some(), choices.is_some());
            assert_eq!(told, (has_message, has_message), "{status}");
        }
    }
}
