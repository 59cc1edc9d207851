//! Events of the authorizer.
//!
//! It admits each event, and returns claims only for a token of ours.

use std::sync::LazyLock;

use lifecycle::Timestamp;
use serde_json::{Value as Json, json};

use crate::seeds::events;
use crate::store::{Changes, NOW, invoke, key_secrets, of_kind};
use crate::{Seed, Target, mutate};

/// The target.
pub const AUTHORIZER: Target = Target {
    name: "authorizer",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 16 * 1024,
    dictionary: &["Bearer ", "bearer ", "\"identitySource\"", "\"authorizationToken\"", "eyJ"],
};

/// The tokens of ours: a usual one, and one without roles.
pub(super) static OURS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let [(_, signing), _] = key_secrets();
    let signer = aws::tokens::Signer::from_secret(signing, ISSUER, AUDIENCE);
    let signer = signer.expect("the key is valid");
    let now = Timestamp::from_millis(i64::try_from(NOW.0).expect("it is a date"));
    [json!(["CUSTOMER", "ADMIN"]), json!([])].map(|roles| {
        let claims = json!({
            "sub": "00000000-0000-7000-8000-000000000001", "roles": roles, "tier": "STANDARD",
            "emailVerified": true,
        });
        signer.sign(claims.as_object().expect("it is an object"), now, 900)
    })
});

/// The issuer of the template.
pub(super) const ISSUER: &str = "https://auth.example.com";
/// The audience of the template.
pub(super) const AUDIENCE: &str = "serverless-api";

fn run(input: &[u8]) {
    let context = context_of(input, Changes::default());
    if context["sub"].is_null() {
        return;
    }
    let event: Json = serde_json::from_slice(input).unwrap_or_default();
    let source = &event["identitySource"];
    let text = source.as_str().or_else(|| source[0].as_str()).unwrap_or_default();
    let token = text.split_whitespace().last().unwrap_or_default();
    assert!(OURS.iter().any(|ours| ours == token), "accepts {token}: {context}");
}

/// The context that the authorizer returns for an event.
pub(super) fn context_of(event: &[u8], changes: Changes) -> Json {
    let answer = invoke("authorizer", event, changes).answer;
    let answer = answer.unwrap_or_else(|error| panic!("the authorizer fails: {error}"));
    assert_eq!(answer["isAuthorized"], true, "{answer}");
    let context = &answer["context"];
    let verdict = context["verdict"].as_str();
    let is_verdict = matches!(verdict, Some("refused" | "unavailable"));
    let is_claims = context["sub"].is_string() && verdict.is_none();
    assert!(is_verdict != is_claims, "{answer}");
    context.clone()
}

/// An event with this header.
pub(super) fn event_with(credentials: &str) -> Json {
    let (_, mut event) = events(of_kind("authorizer")).next().expect("there is an authorizer");
    event["identitySource"] = json!([credentials]);
    event["headers"]["authorization"] = json!(credentials);
    event
}

fn seeds() -> Vec<Seed> {
    let each = OURS.iter().enumerate().map(|(number, token)| {
        let event = event_with(&format!("Bearer {token}"));
        (format!("ours{number}"), event.to_string().into_bytes())
    });
    each.collect()
}
