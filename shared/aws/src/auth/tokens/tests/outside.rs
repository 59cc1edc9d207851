//! Tokens of outside issuers, made by another implementation than ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use lifecycle::ServiceError;
use lifecycle::caller::{TokenError, TokenVerifier};
use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use super::{AUDIENCE, ISSUER, Store, at, pair, refusal, token};
use crate::auth::tokens::issuer::Trust;
use crate::auth::tokens::trusted_issuers::AccessClaim;
use crate::auth::tokens::{Issuer, KeySet, Verifier, outside_keys, trusted_issuers};
use crate::secrets::Secret;

const OUTSIDE: &str = "https://outside.example";

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../../tests/fixtures/outside_tokens.json")).unwrap()
}

/// A verifier of our tokens and of theirs, with all keys available.
fn verifier() -> Verifier {
    let keys = |keys: Value| {
        let store = Store::default();
        *store.keys.lock().unwrap() = Some(json!({ "keys": keys }));
        Arc::new(store).keys()
    };
    let theirs: Vec<_> = fixture()["keys"].as_object().unwrap().values().cloned().collect();
    let mut theirs =
        Issuer::new(OUTSIDE, "outside-api", keys(theirs.into()), "/realm_access/roles");
    theirs.trust = Trust::Outside {
        roles: vec!["ADMIN".to_owned()],
        access_claim: Some(AccessClaim { name: "iss".to_owned(), value: OUTSIDE.to_owned() }),
    };
    let ours = Issuer::new(ISSUER, AUDIENCE, keys(json!([pair().verification])), "roles");
    Verifier::new(vec![ours, theirs])
}

#[tokio::test]
async fn an_outside_token_passes_on_its_subject_roles_and_verification() {
    for alg in ["RS256", "ES256", "EdDSA"] {
        let token = &fixture()["tokens"][alg];
        let passed = verifier().verify(token.as_str().unwrap(), at(1_800_000_000)).await.unwrap();
        let expected = json!({
            "sub": trusted_issuers::subject(OUTSIDE, "auth0|ada"), "roles": ["ADMIN"],
            "emailVerified": true, "exp": 4_102_444_800_u64,
        });
        assert_eq!(Value::from(passed), expected, "{alg}");
    }
}

#[tokio::test]
async fn an_outside_token_with_another_issuer_or_audience_is_refused() {
    for (what, reason) in [
        ("another audience", "it is for another audience"),
        ("another issuer", "the issuer is unknown"),
        ("ours as issuer", "the issuer is unknown"),
        ("nobody", "it names no subject"),
    ] {
        let token = fixture()["refused"][what].as_str().unwrap().to_owned();
        assert_eq!(refusal(&verifier(), &token).await, reason, "{what}");
    }
    let expired = fixture()["refused"]["expired"].as_str().unwrap().to_owned();
    assert!(verifier().verify(&expired, at(1_800_000_000)).await.is_err());
}

#[test]
fn the_signatures_of_the_standards_verify_and_altered_ones_do_not() {
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

/// An issuer whose keys never arrive, and a counter of the reads.
fn silent() -> (Issuer, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let keys = Secret::held("outside_issuer", outside_keys::KEYS, move || {
        counted.fetch_add(1, SeqCst);
        futures::future::pending().boxed()
    });
    let mut issuer = Issuer::new(OUTSIDE, "outside-api", keys, "roles");
    issuer.trust = Trust::Outside { roles: Vec::new(), access_claim: None };
    (issuer, asked)
}

#[tokio::test(start_paused = true)]
async fn a_silent_issuer_is_asked_less_often_and_delays_no_other_token() {
    let (theirs, asked) = silent();
    let keys = pair();
    let ours = Issuer::new(ISSUER, AUDIENCE, Store::of(&[&keys]).keys(), "roles");
    let verifier = Verifier::new(vec![ours, theirs]);
    let (their_token, our_token) = (fixture()["tokens"]["RS256"].clone(), token(&keys));
    let their_token = their_token.as_str().unwrap();

    let begun = Instant::now();
    let many = (0..50).map(|_| verifier.verify(their_token, at(1_800_000_000)));
    let (many, ours) = tokio::join!(join_all(many), verifier.verify(&our_token, at(1000)));
    ours.unwrap();
    assert!(
        many.iter().all(|verdict| matches!(verdict, Err(TokenError::ServiceError(_)))),
        "{many:?}"
    );
    assert_eq!((asked.load(SeqCst), begun.elapsed()), (1, Duration::from_secs(1)));

    let (begun, mut waited) = (Instant::now(), Duration::ZERO);
    while begun.elapsed() < Duration::from_mins(10) {
        let asking = Instant::now();
        let verdict = verifier.verify(their_token, at(1_800_000_000)).await;
        let Err(TokenError::ServiceError(ServiceError::Unavailable { retry_after_s, .. })) =
            verdict
        else {
            panic!("{verdict:?}")
        };
        assert!((1..=60).contains(&retry_after_s), "{retry_after_s}");
        waited += asking.elapsed();
        let asking = Instant::now();
        verifier.verify(&our_token, at(1000)).await.unwrap();
        assert_eq!(asking.elapsed(), Duration::ZERO, "our tokens never wait");
        advance(Duration::from_millis(100)).await;
    }
    let asked = asked.load(SeqCst);
    assert!((14..=30).contains(&asked), "the last ones 30 to 60 s apart: {asked}");
    assert_eq!(
        waited,
        Duration::from_secs(u64::from(asked) - 1),
        "a second for each read, and none between"
    );
}
