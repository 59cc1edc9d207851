//! Documents of an outside issuer with its keys, and the answers that have them.
//!
//! A token of the issuer is accepted only if its key is in the document.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use http::Response;
use serde_json::{Value as Json, json};

use super::authorizer::{context_of, event_with};
use super::token::token_of;
use crate::store::Changes;
use crate::{Seed, Target, mutate};

/// The target.
pub const JWKS: Target = Target {
    name: "jwks",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 16 * 1024,
    dictionary: &[
        "\"keys\"",
        "\"kty\"",
        "\"OKP\"",
        "\"Ed25519\"",
        "\"RSA\"",
        "\"EC\"",
        "\"P-256\"",
        "\"n\"",
        "\"e\"",
        "AQAB",
        "\"x\"",
        "\"y\"",
        "\"kid\"",
        "\"use\"",
        "\"sig\"",
        "\"alg\"",
        "\"key_ops\"",
        "\"oct\"",
        "\"k\"",
    ],
};

const OUTSIDE: &str = "https://issuer.example.com";

fn run(input: &[u8]) {
    let key = outside_key();
    let header = json!({ "alg": "EdDSA", "kid": "1", "typ": "at+jwt" });
    let claims = json!({
        "iss": OUTSIDE, "aud": "store", "sub": "ada", "exp": 4_102_444_800_u64, "roles": ["CUSTOMER"],
    });
    let event = event_with(&format!("Bearer {}", token_of(&header, &claims, &key)));
    let issuers = json!([{
        "issuer": OUTSIDE, "jwksUrl": "https://issuer.example.com/jwks.json", "audience": "store",
        "rolesClaim": "roles", "roles": ["CUSTOMER"],
    }]);
    let answers = VecDeque::from([Response::new(input.to_vec())]);
    let variables = BTreeMap::from([("ISSUERS".to_owned(), issuers.to_string())]);
    let changes = Changes { variables, answers, ..Changes::default() };
    let context = context_of(event.to_string().as_bytes(), changes);
    if context["sub"].is_null() {
        return;
    }
    let document: Json = serde_json::from_slice(input).unwrap_or_default();
    let keys = document["keys"].as_array().into_iter().flatten();
    let x = json!(public(&key));
    let has_key = keys.into_iter().any(|it| it["x"] == x && it["kid"] == "1" && it["kty"] == "OKP");
    assert!(has_key, "accepts a token without its key: {context}");
    assert!(!context.to_string().contains("ADMIN"), "gives roles away: {context}");
}

fn outside_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn public(key: &SigningKey) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes())
}

fn seeds() -> Vec<Seed> {
    let ours = json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "1", "x": public(&outside_key()) });
    let modulus = BASE64_URL_SAFE_NO_PAD.encode([0xD5; 256]);
    let rsa = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "2", "n": modulus, "e": "AQAB" });
    let coordinate = |byte: u8| BASE64_URL_SAFE_NO_PAD.encode([byte; 32]);
    let ec = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "3", "x": coordinate(1), "y": coordinate(2) });
    [("one", json!({ "keys": [ours] })), ("three", json!({ "keys": [rsa, ours, ec] }))]
        .map(|(name, keys)| (name.to_owned(), keys.to_string().into_bytes()))
        .into()
}
