//! Environment variables: a function starts with them, or the error names the wrong one.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::seeds::{named, seed};
use crate::store::{Changes, invoke, names};
use crate::{Seed, Target, items, mutate};

/// The target.
pub const SETTING: Target = Target {
    name: "setting",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 8 * 1024,
    dictionary: &[
        "\"issuer\"",
        "\"jwksUrl\"",
        "\"audience\"",
        "\"rolesClaim\"",
        "\"accessClaim\"",
        "\"subject\"",
        "\"hashed\"",
        "\"plain\"",
        "https://",
        "http://127.0.0.1",
    ],
};

fn run(input: &[u8]) {
    let Some((function, variables)) = named(input) else { return };
    if !names().any(|name| name == function) {
        return;
    }
    let Some(event) = items::event_of(function) else { return };
    let Ok(variables) = serde_json::from_slice::<BTreeMap<String, Json>>(variables) else { return };
    let text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let variables = variables.into_iter().map(|(name, value)| (name, text(value))).collect();
    let changes = Changes { variables, ..Changes::default() };
    if let Err(error) = invoke(function, event.to_string().as_bytes(), changes).answer {
        assert!(!error.is_empty(), "{function}");
    }
}

fn seeds() -> Vec<Seed> {
    let issuers = json!([{
        "issuer": "https://issuer.example.com", "jwksUrl": "https://issuer.example.com/jwks.json",
        "audience": "store", "rolesClaim": "/realm/roles", "roles": ["CUSTOMER"],
        "accessClaim": { "name": "token_use", "value": "access" }, "claims": ["tenant"], "subject": "hashed",
    }]);
    let variables = json!({
        "ISSUERS": issuers.to_string(), "RATE_LIMIT": "100", "EXACT_RATE_LIMIT": "10",
        "TRUSTED_HOPS": "1", "TRUSTED_HOPS_SECRET": "s", "ALLOWED_ORIGINS": "https://a.example.com,*",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "PARTNER_URL": "https://partner.upstream.test/v1", "SECOND_ISSUER": "https://b.example.com",
        "SECOND_AUDIENCE": "b", "PUBLIC_URL": "https://api.example.com", "LOG_LEVEL": "debug",
        "LOG_SUCCESSES": "10", "SERVICE_NAME": "store",
    });
    let functions = [
        "authorizer",
        "list_partner_products",
        "list_orders",
        "post_session",
        "send_email",
        "notify",
    ];
    functions.map(|name| seed(name, "", variables.to_string().as_bytes())).into()
}
