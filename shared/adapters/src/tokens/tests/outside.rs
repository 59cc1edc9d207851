//! Tokens of others, made by another implementation than ours.

use std::sync::Arc;

use lifecycle::caller::TokenVerifier;
use serde_json::{Value, json};

use super::{AUDIENCE, ISSUER, Store, at, pair, refusal};
use crate::tokens::{Issuer, KeySet, Verifier, outside};

const OUTSIDE: &str = "https://outside.example";

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/outside_tokens.json")).unwrap()
}

/// Verifies ours and theirs, whose keys are all there.
fn verifier() -> Verifier {
    let keys = |keys: Value| {
        let store = Store::default();
        *store.keys.lock().unwrap() = Some(json!({ "keys": keys }));
        Arc::new(store).keys()
    };
    let theirs: Vec<_> = fixture()["keys"].as_object().unwrap().values().cloned().collect();
    let mut theirs =
        Issuer::new(OUTSIDE, "outside-api", keys(theirs.into()), "/realm_access/roles");
    theirs.is_ours = false;
    let ours = Issuer::new(ISSUER, AUDIENCE, keys(json!([pair().verification])), "roles");
    Verifier::new(vec![ours, theirs])
}

#[tokio::test]
async fn of_a_token_of_theirs_are_believed_the_subject_the_roles_and_whether_it_is_verified() {
    for alg in ["RS256", "ES256", "EdDSA"] {
        let token = &fixture()["tokens"][alg];
        let passed = verifier().verify(token.as_str().unwrap(), at(1_800_000_000)).await.unwrap();
        let expected = json!({
            "sub": outside::subject(OUTSIDE, "auth0|ada"), "roles": ["ADMIN", "offline_access"],
            "emailVerified": true, "exp": 4_102_444_800_u64,
        });
        assert_eq!(Value::from(passed), expected, "{alg}");
    }
}

#[tokio::test]
async fn what_they_sign_for_others_or_as_others_is_refused() {
    for (what, reason) in [
        ("another audience", "it is for another audience"),
        ("another issuer", "the issuer is unknown"),
        ("ours as issuer", "the issuer is unknown"),
        ("nobody", "it does not say who it is about"),
    ] {
        let token = fixture()["refused"][what].as_str().unwrap().to_owned();
        assert_eq!(refusal(&verifier(), &token).await, reason, "{what}");
    }
    let expired = fixture()["refused"]["expired"].as_str().unwrap().to_owned();
    assert!(verifier().verify(&expired, at(1_800_000_000)).await.is_err());
}

#[test]
fn the_signatures_of_the_standards_verify_and_others_do_not() {
    for vector in fixture()["vectors"].as_array().unwrap() {
        let set = KeySet::parse(&json!({ "keys": [vector["key"]] }).to_string()).unwrap();
        let key = set.get(vector["key"]["kid"].as_str().unwrap()).unwrap();
        let (message, signature) = vector["jws"].as_str().unwrap().rsplit_once('.').unwrap();
        let verifies = |message: &str| {
            let message = message.as_bytes();
            jsonwebtoken::crypto::verify(signature, message, &key.key, key.algorithm).unwrap()
        };
        assert!(verifies(message) && !verifies(&format!("{message}A")), "{}", vector["key"]);
    }
}
