//! Texts of secrets, which people and rotations write.
//!
//! A function whose secret cannot be read answers 500 or 503, without any of its content.

use std::collections::VecDeque;

use http::Response;
use serde_json::{Value as Json, json};

use crate::seeds::{events, named, seed};
use crate::store::{Changes, about, invoke, key_secrets, names};
use crate::{Seed, Target, answers, items, mutate};

/// The target.
pub const SECRET: Target = Target {
    name: "secret",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 8 * 1024,
    dictionary: &[
        "\"kid\"",
        "\"alg\"",
        "\"privateKey\"",
        "\"next\"",
        "\"keys\"",
        "\"clientId\"",
        "\"clientSecret\"",
        "\"webhookUrl\"",
        "\"apiKey\"",
    ],
};

fn run(input: &[u8]) {
    let Some((function, text)) = named(input) else { return };
    if !names().any(|name| name == function) {
        return;
    }
    let (Some(event), Ok(text)) = (items::event_of(function), str::from_utf8(text)) else { return };
    let answer = json!({ "ARN": "a", "Name": "n", "VersionId": "v", "SecretString": text, "VersionStages": ["AWSCURRENT"] });
    let answers = VecDeque::from([Response::new(answer.to_string().into_bytes())]);
    let changes = Changes { answers, answers_of_aws: true, ..Changes::default() };
    let answer = invoke(function, event.to_string().as_bytes(), changes).answer;
    if about(function).description["kind"] == "endpoint" {
        let payload = answer.unwrap_or_else(|error| panic!("{function}: {error}"));
        if payload["statusCode"] != json!(500) {
            answers::checked(function, &payload, false);
        }
    }
}

fn seeds() -> Vec<Seed> {
    let uses_secrets = |name: &String| {
        let resources = &about(name).description["resources"];
        let kinds = ["secrets", "writtenSecrets", "rotatedSecrets"];
        kinds.iter().any(|kind| resources[kind].as_array().is_some_and(|it| !it.is_empty()))
    };
    let texts = [
        ("signing", key_secrets()[0].1.clone()),
        ("verification", key_secrets()[1].1.clone()),
        ("partner", simulate::upstreams::partner_credentials()),
        ("alerts", simulate::upstreams::alert_credentials()),
        ("cursors", "the cursor key of tests, 32 bytes".to_owned()),
    ];
    let functions = events(names().filter(uses_secrets));
    let each = functions.flat_map(|(name, _): (String, Json)| {
        texts
            .iter()
            .map(move |(kind, text)| seed(&name, &format!(".{kind}"), text.as_bytes()))
            .collect::<Vec<_>>()
    });
    each.collect()
}
