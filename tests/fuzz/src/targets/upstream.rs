//! Answers from outside: those of the partner, of the object service and of the alert services, and
//! those of AWS itself.
//!
//! An input is a function and a list of answers, `[{"status", "headers", "body"}, …]`. The function
//! answers as described, to each of them; a consumer fails the batch or the record.

use std::collections::VecDeque;

use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value as Json, json};

use crate::seeds::{events, named, seed};
use crate::store::{Changes, about, invoke, names};
use crate::{Seed, Target, answers, items, mutate};

/// The target.
pub const UPSTREAM: Target = Target {
    name: "upstream",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 16 * 1024,
    dictionary: &[
        "retry-after",
        "content-type",
        "access_token",
        "expires_in",
        "token_type",
        "x-amzn-errortype",
        "__type",
        "ThrottlingException",
        "\"Item\"",
        "\"Responses\"",
        "\"LastEvaluatedKey\"",
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "\"CancellationReasons\"",
        "\"UnprocessedKeys\"",
    ],
};

/// The answers that one input has.
const ANSWERS_MAX: usize = 16;

fn run(input: &[u8]) {
    let Some((first, rest)) = named(input) else { return };
    let (function, is_aws) = match first.strip_suffix(" aws") {
        Some(function) => (function, true),
        None => (first, false),
    };
    if !names().any(|name| name == function) {
        return;
    }
    let Some(event) = items::event_of(function) else { return };
    let Ok(given) = serde_json::from_slice::<Vec<Json>>(rest) else { return };
    let answers: VecDeque<_> = given.iter().take(ANSWERS_MAX).filter_map(answer_of).collect();
    let changes = Changes { answers, answers_of_aws: is_aws, ..Changes::default() };
    let answer = invoke(function, event.to_string().as_bytes(), changes).answer;
    if about(function).description["kind"] != "endpoint" {
        return;
    }
    let payload = answer.unwrap_or_else(|error| panic!("{function}: {error}"));
    // An answer that AWS never gives may be an internal error.
    if !(is_aws && matches!(payload["statusCode"].as_u64(), Some(500 | 502 | 504))) {
        answers::checked(function, &payload, false);
    }
}

fn answer_of(given: &Json) -> Option<Response<Vec<u8>>> {
    let status = given["status"].as_u64().and_then(|it| u16::try_from(it).ok());
    let status = status.and_then(|it| StatusCode::from_u16(it).ok())?;
    let body = match &given["body"] {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut response = Response::new(body.into_bytes());
    *response.status_mut() = status;
    for (name, value) in given["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_str(value.as_str()?).ok()?;
        response.headers_mut().append(name, value);
    }
    Some(response)
}

fn seeds() -> Vec<Seed> {
    let answer = |body: Json| json!({ "status": 200, "headers": { "content-type": "application/json" }, "body": body.to_string() });
    let token = answer(json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 300 }));
    let products = answer(json!({ "page": 1, "products": [{
        "sku": "SKU-001", "name": "Product 1", "category": "tea",
        "price": { "amount": 100, "currency": "EUR" }, "available": true,
    }] }));
    let refused = json!({ "status": 400, "headers": { "content-type": "application/json" }, "body": "{\"code\":\"P03\",\"message\":\"No.\"}" });
    let busy = json!({ "status": 503, "headers": { "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" }, "body": "" });
    let object = answer(json!({ "id": 4712, "online": true }));
    let throttled = json!({ "status": 400, "headers": { "x-amzn-errortype": "ThrottlingException" }, "body": "{\"__type\":\"ThrottlingException\"}" });
    let cancelled = json!({ "status": 400, "headers": {}, "body": "{\"__type\":\"TransactionCanceledException\",\"CancellationReasons\":[{\"Code\":\"ConditionalCheckFailed\"},{\"Code\":\"None\"}]}" });
    let bytes = |answers: Json| answers.to_string().into_bytes();
    let mut seeds = Vec::new();
    for (name, _) in events(names()) {
        if about(&name).has_upstreams {
            seeds.push(seed(&name, ".partner", &bytes(json!([token, products]))));
            seeds.push(seed(&name, ".refused", &bytes(json!([token, refused]))));
            seeds.push(seed(&name, ".object", &bytes(json!([object]))));
            seeds.push(seed(&name, ".busy", &bytes(json!([busy, busy, token, busy]))));
        }
        let aws = format!("{name} aws");
        let empty = answer(json!({}));
        let item = answer(
            json!({ "Item": { "pk": { "S": "1" } }, "Items": [], "Count": 0, "Responses": {}, "UnprocessedKeys": {} }),
        );
        let (name, rest) =
            seed(&aws, "", &bytes(json!([throttled, empty, item, cancelled, empty])));
        seeds.push((name.replace(' ', "."), rest));
    }
    seeds
}
