//! Tests of valid tokens and, above all, of invalid ones.

mod alone;
mod outside;
mod purpose;
mod unreadable;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::FutureExt;
use futures::future::join_all;
use lifecycle::caller::{TokenError, TokenVerifier};
use lifecycle::resource::Resource;
use lifecycle::{Claims, ServiceError, Timestamp};
use serde_json::{Value, json};
use tokio::time::advance;

use super::{Issuer, KeyPair, KeySet, Signer, Verifier, generate};
use crate::errors::unavailable;
use crate::secrets::Secret;
use crate::tests::stores::{connect, environment};
use crate::{Aws, VERIFICATION_KEYS};

const ISSUER: &str = "https://api.example.com";
const AUDIENCE: &str = "api";

/// A store of verification keys that counts its reads.
#[derive(Default)]
struct Store {
    keys: Mutex<Option<Value>>,
    reads: AtomicU32,
}

impl Store {
    fn of(keys: &[&KeyPair]) -> Arc<Self> {
        let store = Arc::new(Self::default());
        store.holds(keys);
        store
    }

    fn holds(&self, keys: &[&KeyPair]) {
        let keys: Vec<_> = keys.iter().map(|pair| &pair.verification).collect();
        *self.keys.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    fn is_away(&self) {
        *self.keys.lock().unwrap() = None;
    }

    fn verifier(self: &Arc<Self>) -> Verifier {
        Verifier::new(vec![Issuer::new(ISSUER, AUDIENCE, self.keys(), "roles")])
    }

    fn keys(self: &Arc<Self>) -> Secret<KeySet> {
        let store = Arc::clone(self);
        Secret::new("verification_keys", move || {
            store.reads.fetch_add(1, SeqCst);
            let keys = store.keys.lock().unwrap().clone();
            async move {
                let keys = keys.ok_or_else(|| unavailable("away"))?;
                Ok(KeySet::parse(&keys.to_string()).expect("the test's keys are valid"))
            }
            .boxed()
        })
    }
}

fn pair() -> KeyPair {
    generate().unwrap()
}

fn signer(pair: &KeyPair, issuer: &str, audience: &str) -> Signer {
    Signer::from_secret(&pair.signing.to_string(), issuer, audience).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn claims() -> Claims {
    let claims =
        json!({ "sub": "ada", "roles": ["WRITER"], "tier": "GOLD", "emailVerified": true });
    claims.as_object().unwrap().clone()
}

/// A token of the pair, issued at 1000 for 900 seconds.
fn token(pair: &KeyPair) -> String {
    signer(pair, ISSUER, AUDIENCE).sign(&claims(), at(1000), 900)
}

/// The same token with one member of its header (part 0) or payload (part 1) changed, and its
/// signature kept.
fn altered(token: &str, part: usize, member: &str, value: Value) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let json = BASE64_URL_SAFE_NO_PAD.decode(&parts[part]).unwrap();
    let mut json: Claims = serde_json::from_slice(&json).unwrap();
    json.insert(member.to_owned(), value);
    parts[part] = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&json).unwrap());
    parts.join(".")
}

async fn refusal(verifier: &Verifier, token: &str) -> &'static str {
    match verifier.verify(token, at(1000)).await {
        Err(TokenError::Refused(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn only_the_needed_claims_of_a_token_are_passed_on() {
    let pair = pair();
    let passed = Store::of(&[&pair]).verifier().verify(&token(&pair), at(1000)).await.unwrap();
    let mut expected = claims();
    expected.insert("exp".to_owned(), 1900.into());
    assert_eq!(passed, expected);
}

#[tokio::test]
async fn validity_times_have_a_minute_of_leeway() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    for (now, holds) in [(939, false), (940, true), (1900, true), (1959, true), (1960, false)] {
        let verified = verifier.verify(&token(&pair), at(now)).await;
        assert_eq!(verified.is_ok(), holds, "at {now}: {verified:?}");
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_or_audience_is_refused() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    let other_issuer =
        signer(&pair, "https://evil.example", AUDIENCE).sign(&claims(), at(1000), 900);
    assert_eq!(refusal(&verifier, &other_issuer).await, "the issuer is unknown");
    let other_audience = signer(&pair, ISSUER, "another").sign(&claims(), at(1000), 900);
    assert_eq!(refusal(&verifier, &other_audience).await, "it is for another audience");
}

#[tokio::test]
async fn tokens_of_the_second_issuer_and_audience_verify_too() {
    let pair = pair();
    let keys = Store::of(&[&pair]).keys();
    let ours = Issuer::new(ISSUER, AUDIENCE, keys, "roles");
    let verifier = Verifier::new(vec![ours.with_second(Some("https://new.example"), Some("new"))]);
    let signed = |issuer: &str, audience: &str| {
        signer(&pair, issuer, audience).sign(&claims(), at(1000), 900)
    };
    for (issuer, audience) in [(ISSUER, AUDIENCE), ("https://new.example", "new"), (ISSUER, "new")]
    {
        let verified = verifier.verify(&signed(issuer, audience), at(1000)).await;
        assert!(verified.is_ok(), "{issuer} {audience}: {verified:?}");
    }
    let other_issuer = signed("https://evil.example", "new");
    assert_eq!(refusal(&verifier, &other_issuer).await, "the issuer is unknown");
    let other_audience = signed("https://new.example", "another");
    assert_eq!(refusal(&verifier, &other_audience).await, "it is for another audience");
}

#[test]
fn the_second_issuer_is_second_issuer_and_none_if_that_is_empty() {
    for (second, known) in [("https://new.example", true), ("", false)] {
        let variable = move |name: &str| match name {
            "SECOND_ISSUER" => Some(second.to_owned()),
            "ISSUERS" | "AWS_CA_BUNDLE" => None,
            _ => Some("x".to_owned()),
        };
        let aws = Aws::connect_with(&[Resource::Secret(VERIFICATION_KEYS)], variable).unwrap();
        let claims = json!({ "iss": "https://new.example" });
        let found = aws.verifier().issuer_of(claims.as_object().unwrap()).is_ok();
        assert_eq!(found, known, "{second}");
    }
}

#[tokio::test]
async fn an_altered_token_is_refused() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    let token = token(&pair);
    let promoted = altered(&token, 1, "roles", json!(["ADMIN"]));
    assert_eq!(refusal(&verifier, &promoted).await, "its signature is not the key's");
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    assert_eq!(refusal(&verifier, &unsigned).await, "its signature is not the key's");
    let header = altered(&token, 0, "extra", json!(1));
    assert_eq!(refusal(&verifier, &header).await, "its signature is not the key's");
}

#[tokio::test]
async fn a_token_with_another_algorithm_than_its_key_is_refused() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    for alg in ["none", "None", "nOnE"] {
        let none = altered(&token(&pair), 0, "alg", json!(alg));
        let none = format!("{}.", none.rsplit_once('.').unwrap().0);
        refusal(&verifier, &none).await;
    }
    for alg in ["HS256", "RS256", "ES256"] {
        let other = altered(&token(&pair), 0, "alg", json!(alg));
        assert_eq!(refusal(&verifier, &other).await, "its algorithm is not the key's");
    }
}

#[tokio::test]
async fn a_public_key_is_not_accepted_as_a_shared_secret() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    let public = BASE64_URL_SAFE_NO_PAD.decode(pair.verification["x"].as_str().unwrap()).unwrap();
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = pair.verification["kid"].as_str().map(str::to_owned);
    let mut claims = claims();
    claims.extend([("iss".into(), ISSUER.into()), ("aud".into(), AUDIENCE.into())]);
    claims.insert("exp".into(), 1900.into());
    let key = jsonwebtoken::EncodingKey::from_secret(&public);
    let forged = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    assert_eq!(refusal(&verifier, &forged).await, "its algorithm is not the key's");
}

#[tokio::test]
async fn a_token_without_kid_or_with_critical_extensions_is_refused() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    let nameless = altered(&token(&pair), 0, "kid", Value::Null);
    assert_eq!(refusal(&verifier, &nameless).await, "it names no key");
    let critical = altered(&token(&pair), 0, "crit", json!(["b64"]));
    assert_eq!(refusal(&verifier, &critical).await, "it has critical extensions, and we know none");
}

#[tokio::test]
async fn a_text_that_is_not_a_token_is_refused() {
    let verifier = Store::of(&[&pair()]).verifier();
    for text in ["", ".", "..", "a.b.c", "a.b", "{}", "ü.ü.ü", &"a".repeat(9000)] {
        refusal(&verifier, text).await;
    }
}

#[tokio::test]
async fn a_token_without_exp_or_sub_is_refused() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    for name in ["exp", "sub"] {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.kid = pair.verification["kid"].as_str().map(str::to_owned);
        let mut claims = claims();
        claims.extend([("iss".into(), ISSUER.into()), ("aud".into(), AUDIENCE.into())]);
        claims.insert("exp".into(), 1900.into());
        claims.remove(name);
        let der =
            base64::prelude::BASE64_STANDARD.decode(pair.signing["privateKey"].as_str().unwrap());
        let key = jsonwebtoken::EncodingKey::from_ed_der(&der.unwrap());
        refusal(&verifier, &jsonwebtoken::encode(&header, &claims, &key).unwrap()).await;
    }
}

/// OpenSSL made these tokens, and their private keys were deleted: tokens of other signers verify.
#[tokio::test]
async fn tokens_of_other_algorithms_verify_with_their_keys() {
    let foreign: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/foreign_tokens.json")).unwrap();
    let store = Arc::new(Store::default());
    *store.keys.lock().unwrap() = Some(json!({ "keys": foreign["keys"] }));
    let verifier = store.verifier();
    for alg in ["RS256", "ES256"] {
        let token = foreign["tokens"][alg].as_str().unwrap();
        let claims = verifier.verify(token, at(1000)).await.unwrap();
        assert_eq!(claims["sub"], "ada", "{alg}");
        let promoted = altered(token, 1, "sub", json!("eve"));
        assert_eq!(refusal(&verifier, &promoted).await, "its signature is not the key's", "{alg}");
    }
}

#[tokio::test]
async fn two_keys_verify_while_they_rotate() {
    let (old, new) = (pair(), pair());
    let verifier = Store::of(&[&old, &new]).verifier();
    verifier.verify(&token(&old), at(1000)).await.unwrap();
    verifier.verify(&token(&new), at(1000)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_refreshes_the_keys_at_most_once_a_minute() {
    let (old, new) = (pair(), pair());
    let store = Store::of(&[&old]);
    let verifier = store.verifier();
    verifier.verify(&token(&old), at(1000)).await.unwrap();
    store.holds(&[&old, &new]);
    verifier.verify(&token(&new), at(1000)).await.unwrap();
    assert_eq!(store.reads.load(SeqCst), 2);

    let stranger = pair();
    for _ in 0..20 {
        assert_eq!(refusal(&verifier, &token(&stranger)).await, "the key is unknown");
    }
    assert_eq!(store.reads.load(SeqCst), 2, "the minute is not over");
    advance(Duration::from_mins(1)).await;
    refusal(&verifier, &token(&stranger)).await;
    refusal(&verifier, &token(&stranger)).await;
    assert_eq!(store.reads.load(SeqCst), 3);
}

#[tokio::test]
async fn concurrent_tokens_of_a_new_key_all_verify() {
    let (old, new) = (pair(), pair());
    let store = Store::of(&[&old]);
    let verifier = store.verifier();
    verifier.verify(&token(&old), at(1000)).await.unwrap();
    store.holds(&[&old, &new]);
    let token = token(&new);
    for verified in join_all((0..20).map(|_| verifier.verify(&token, at(1000)))).await {
        verified.unwrap();
    }
    assert_eq!(store.reads.load(SeqCst), 2);
}

#[tokio::test]
async fn with_invalid_issuers_our_tokens_verify_and_others_are_a_fault() {
    let pair = pair();
    let mut environment = environment();
    environment.extend(
        [("ISSUERS", "[{"), ("ISSUER", ISSUER), ("AUDIENCE", AUDIENCE)]
            .map(|(name, value)| (name, value.to_owned())),
    );
    environment.insert("VERIFICATION_KEYS_SECRET_ID", "keys".to_owned());
    let aws = connect(&[Resource::Secret(VERIFICATION_KEYS)], environment);
    let mut verifier = aws.verifier();
    verifier.issuers[0] = Issuer::new(ISSUER, AUDIENCE, Store::of(&[&pair]).keys(), "roles");
    verifier.verify(&token(&pair), at(1000)).await.unwrap();
    let other = signer(&pair, "https://other.example", AUDIENCE).sign(&claims(), at(1000), 900);
    let Err(TokenError::ServiceError(ServiceError::Internal(error))) =
        verifier.verify(&other, at(1000)).await
    else {
        panic!("the token of an unknown issuer must be a fault")
    };
    assert!(error.to_string().starts_with("ISSUERS: not JSON"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn without_their_store_keys_verify_for_an_hour_and_no_longer() {
    let pair = pair();
    let store = Store::of(&[&pair]);
    let verifier = store.verifier();
    verifier.verify(&token(&pair), at(1000)).await.unwrap();
    store.is_away();
    advance(Duration::from_secs(3500)).await;
    verifier.verify(&token(&pair), at(1000)).await.unwrap();
    advance(Duration::from_secs(200)).await;
    let verified = verifier.verify(&token(&pair), at(1000)).await;
    assert!(matches!(verified, Err(TokenError::ServiceError(_))), "{verified:?}");
}

#[tokio::test]
async fn unreadable_keys_are_a_fault_and_accept_no_token() {
    let pair = pair();
    let store = Store::of(&[&pair]);
    store.is_away();
    let verified = store.verifier().verify(&token(&pair), at(1000)).await;
    assert!(matches!(verified, Err(TokenError::ServiceError(_))), "{verified:?}");
}

#[test]
fn a_secret_that_is_not_a_key_is_rejected_and_not_quoted() {
    for secret in [
        "topsecret".to_owned(),
        json!({ "kid": "1", "alg": "EdDSA", "privateKey": 7 }).to_string(),
        json!({ "kid": "1", "alg": "EdDSA", "privateKey": "dG9wc2VjcmV0" }).to_string(),
        json!({ "kid": "1", "alg": "HS256", "privateKey": "dG9wc2VjcmV0" }).to_string(),
    ] {
        let error = Signer::from_secret(&secret, ISSUER, AUDIENCE).unwrap_err().to_string();
        assert!(!error.contains("topsecret") && !error.contains("dG9w"), "{error}");
    }
}

#[test]
fn the_debug_form_of_a_signer_hides_its_key() {
    let pair = pair();
    let shown = format!("{:?}", signer(&pair, ISSUER, AUDIENCE));
    assert!(!shown.contains(pair.signing["privateKey"].as_str().unwrap()), "{shown}");
}
