//! Bodies of every input type of the store.
//!
//! A body is either refused, with a status for that, or accepted. The schema of the API's
//! description is an independent second reading: an accepted body matches it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonschema::Validator;
use serde_json::{Value as Json, json};

use crate::seeds::{events, named, route_of, seed};
use crate::store::{Changes, invoke, of_kind};
use crate::{Seed, Target, answers, mutate};

/// The target.
pub const BODY: Target = Target {
    name: "body",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 16 * 1024,
    dictionary: &[
        "null",
        "true",
        "false",
        "1e400",
        "-0",
        "\\u0000",
        "\\ud800",
        "\\ud83e\\udd80",
        "[[[[",
        "{}",
    ],
};

/// The statuses of a refused body.
const REFUSED: [u16; 4] = [400, 413, 415, 422];

static DOCUMENT: LazyLock<Json> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../../infra/openapi.json")).expect("it is JSON")
});

/// The endpoints whose operation has a body, with their example events.
///
/// They come from the description: an endpoint with a body that is not described is one without.
static ENDPOINTS: LazyLock<BTreeMap<String, Json>> = LazyLock::new(|| {
    events(of_kind("endpoint")).filter(|(_, event)| schema_of(event).is_some()).collect()
});

fn run(input: &[u8]) {
    let Some((function, body)) = named(input) else { return };
    let Some(event) = ENDPOINTS.get(function) else { return };
    let mut event = event.clone();
    event["isBase64Encoded"] = json!(true);
    event["body"] = json!(BASE64_STANDARD.encode(body));
    event["headers"]["content-length"] = json!(body.len().to_string());
    let invoked = invoke(function, event.to_string().as_bytes(), Changes::default());
    let payload = invoked.answer.unwrap_or_else(|error| panic!("{function}: {error}"));
    let answered = answers::checked(function, &payload, false);
    // The example's caller is signed in, where there must be one.
    let is_signed_in = event["requestContext"]["authorizer"].is_object();
    assert!(!(is_signed_in && answered.status == 401), "{function}: {payload}");
    assert_ne!(answered.status, 503, "{function}: {payload}");
    if REFUSED.contains(&answered.status) {
        return;
    }
    let parsed: Json = serde_json::from_slice(body).unwrap_or_else(|error| {
        panic!("{function}: accepts a body that serde_json does not read ({error}): {payload}")
    });
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = known.entry(function.to_owned()).or_insert_with(|| validator(&event));
    if let Err(error) = validator.validate(&parsed) {
        panic!("{function}: accepts a body that its schema refuses ({error}): {payload}");
    }
}

static VALIDATORS: Mutex<BTreeMap<String, Validator>> = Mutex::new(BTreeMap::new());

fn validator(event: &Json) -> Validator {
    let mut schema = schema_of(event).cloned().unwrap_or_default();
    schema["components"] = DOCUMENT["components"].clone();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).expect("the description's schemas are valid")
}

/// The number of operations with a body in the description, and that of the endpoints here.
pub fn described_and_covered() -> (usize, usize) {
    let paths = DOCUMENT["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, path)| path.as_object().into_iter().flatten());
    let described = operations.filter(|(_, it)| it["requestBody"].is_object()).count();
    (described, ENDPOINTS.len())
}

fn schema_of(event: &Json) -> Option<&'static Json> {
    let (method, path) = route_of(event);
    let operation = &DOCUMENT["paths"][path][method.to_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    (!schema.is_null()).then_some(schema)
}

fn seeds() -> Vec<Seed> {
    let each = ENDPOINTS
        .iter()
        .map(|(name, event)| seed(name, "", event["body"].as_str().unwrap_or_default().as_bytes()));
    each.collect()
}
