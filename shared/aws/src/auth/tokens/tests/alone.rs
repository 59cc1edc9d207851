//! Services that sign no tokens, further claims, and keys in other secrets.

use lifecycle::caller::{TokenError, TokenVerifier};
use lifecycle::resource::Resource;
use lifecycle::{Claims, ServiceError};
use serde_json::{Value, json};

use super::{AUDIENCE, ISSUER, KeyPair, Store, at, claims, pair, signer};
use crate::auth::tokens::Verifier;
use crate::tests::stores::{connect, environment};

const OUTSIDE: &str = "https://outside.example";

/// The verifier of a service with these members of its only issuer, whose keys are available.
fn verifier(keys: &KeyPair, members: &Value) -> Verifier {
    let mut issuer = json!({
        "issuer": OUTSIDE, "jwksUrl": "https://outside.example/keys", "audience": AUDIENCE,
        "rolesClaim": "roles", "accessClaim": { "name": "iss", "value": OUTSIDE },
    });
    issuer.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let mut environment = environment();
    environment.insert("ISSUERS", json!([issuer]).to_string());
    let mut verifier = connect(&[], environment).outside_verifier();
    verifier.issuers[0].keys = Store::of(&[keys]).keys();
    verifier
}

async fn passed(verifier: &Verifier, keys: &KeyPair, issuer: &str) -> Claims {
    let mut claims = claims();
    claims.extend([
        ("tenant".to_owned(), json!("acme")),
        ("org".to_owned(), json!({ "id": 7 })),
        ("secret".to_owned(), json!("x")),
    ]);
    let token = signer(keys, issuer, AUDIENCE).sign(&claims, at(1000), 900);
    verifier.verify(&token, at(1000)).await.unwrap()
}

#[tokio::test]
async fn with_only_outside_issuers_named_claims_and_a_plain_subject_are_passed_on() {
    let keys = pair();
    let members = json!({ "claims": ["tenant", "/org/id", "absent"], "subject": "plain" });
    let passed = passed(&verifier(&keys, &members), &keys, OUTSIDE).await;
    let expected = json!({
        "sub": "ada", "roles": [], "emailVerified": false, "exp": 1900,
        "tenant": "acme", "/org/id": 7,
    });
    assert_eq!(Value::from(passed), expected);
}

#[tokio::test]
async fn subjects_are_hashed_and_other_claims_dropped_by_default() {
    let keys = pair();
    let passed = passed(&verifier(&keys, &json!({})), &keys, OUTSIDE).await;
    assert_ne!(passed["sub"], "ada");
    assert_eq!(passed.get("tenant"), None);
}

#[tokio::test]
async fn without_any_issuer_each_token_is_a_fault() {
    let verifier = connect(&[], environment()).outside_verifier();
    let token = signer(&pair(), OUTSIDE, AUDIENCE).sign(&claims(), at(1000), 900);
    let Err(TokenError::ServiceError(ServiceError::Internal(error))) =
        verifier.verify(&token, at(1000)).await
    else {
        panic!("a verifier without issuers cannot refuse a token")
    };
    assert_eq!(error.to_string(), "ISSUERS is empty");
}

#[tokio::test]
async fn named_claims_of_our_own_tokens_are_passed_on() {
    let keys = pair();
    let verifier = Store::of(&[&keys]).verifier().passing_on(&["tenant"]);
    let passed = passed(&verifier, &keys, ISSUER).await;
    assert_eq!((&passed["tenant"], passed.get("secret")), (&json!("acme"), None));
}

#[tokio::test]
async fn our_keys_may_be_in_a_secret_with_another_name() {
    let keys = pair();
    let mut environment = environment();
    for (name, value) in
        [("SESSION_KEYS_SECRET_ID", "keys"), ("ISSUER", ISSUER), ("AUDIENCE", AUDIENCE)]
    {
        environment.insert(name, value.to_owned());
    }
    let aws = connect(&[Resource::Secret("session_keys")], environment);
    let mut verifier = aws.verifier_with(aws.verification_keys_in("session_keys"));
    verifier.issuers[0].keys = Store::of(&[&keys]).keys();
    let token = signer(&keys, ISSUER, AUDIENCE).sign(&claims(), at(1000), 900);
    assert_eq!(verifier.verify(&token, at(1000)).await.unwrap()["sub"], "ada");
}

#[test]
#[should_panic(expected = "the environment lacks ISSUER")]
fn without_an_issuer_of_ours_a_verifier_of_our_tokens_panics_at_the_first_start() {
    let mut environment = environment();
    environment.insert("SESSION_KEYS_SECRET_ID", "keys".to_owned());
    let aws = connect(&[Resource::Secret("session_keys")], environment);
    aws.verifier_with(aws.verification_keys_in("session_keys"));
}

#[test]
#[should_panic(expected = "the meaning of the claim roles is fixed")]
fn a_claim_whose_meaning_is_fixed_cannot_be_named() {
    let _ = Verifier::new(Vec::new()).passing_on(&["roles"]);
}
