//! What verifies, and above all what does not.

mod outside;
mod purpose;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::FutureExt;
use futures::future::join_all;
use lifecycle::caller::{TokenError, TokenVerifier};
use lifecycle::uses::Use;
use lifecycle::{Claims, Fault, Timestamp};
use serde_json::{Value, json};
use tokio::time::advance;

use super::{Issuer, KeyPair, KeySet, Signer, Verifier, generate};
use crate::faults::unavailable;
use crate::secrets::Secret;
use crate::tests::stores::{connect, environment};
use crate::{Aws, VERIFICATION_KEYS};

const ISSUER: &str = "https://api.example.com";
const AUDIENCE: &str = "api";

/// A secret of verification keys that counts how often it is read.
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
async fn a_token_of_ours_passes_on_what_the_functions_need_and_nothing_else() {
    let pair = pair();
    let passed = Store::of(&[&pair]).verifier().verify(&token(&pair), at(1000)).await.unwrap();
    let mut expected = claims();
    expected.insert("exp".to_owned(), 1900.into());
    assert_eq!(passed, expected);
}

#[tokio::test]
async fn times_hold_with_a_minute_of_leeway() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    for (now, holds) in [(939, false), (940, true), (1900, true), (1959, true), (1960, false)] {
        let verified = verifier.verify(&token(&pair), at(now)).await;
        assert_eq!(verified.is_ok(), holds, "at {now}: {verified:?}");
    }
}

#[tokio::test]
async fn a_token_for_or_from_somebody_else_is_refused() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    let other_issuer =
        signer(&pair, "https://evil.example", AUDIENCE).sign(&claims(), at(1000), 900);
    assert_eq!(refusal(&verifier, &other_issuer).await, "the issuer is unknown");
    let other_audience = signer(&pair, ISSUER, "another").sign(&claims(), at(1000), 900);
    assert_eq!(refusal(&verifier, &other_audience).await, "it is for another audience");
}

#[tokio::test]
async fn tokens_of_the_second_issuer_and_audience_verify_beside_our_own() {
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
fn the_second_issuer_is_the_one_of_the_environment_and_none_where_it_is_empty() {
    for (second, known) in [("https://new.example", true), ("", false)] {
        let variable = move |name: &str| match name {
            "SECOND_ISSUER" => Some(second.to_owned()),
            "ISSUERS" | "AWS_CA_BUNDLE" => None,
            _ => Some("x".to_owned()),
        };
        let aws = Aws::connect_with(&[Use::Secret(VERIFICATION_KEYS)], variable).unwrap();
        let claims = json!({ "iss": "https://new.example" });
        let found = aws.verifier().issuer_of(claims.as_object().unwrap()).is_ok();
        assert_eq!(found, known, "{second}");
    }
}

#[tokio::test]
async fn what_was_altered_is_refused() {
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
async fn the_algorithm_is_the_keys_and_not_the_tokens() {
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
async fn a_public_key_is_no_shared_secret() {
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
async fn a_token_must_name_its_key_and_know_no_critical_extension() {
    let pair = pair();
    let verifier = Store::of(&[&pair]).verifier();
    let nameless = altered(&token(&pair), 0, "kid", Value::Null);
    assert_eq!(refusal(&verifier, &nameless).await, "it names no key");
    let critical = altered(&token(&pair), 0, "crit", json!(["b64"]));
    assert_eq!(refusal(&verifier, &critical).await, "it has critical extensions, and we know none");
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let verifier = Store::of(&[&pair()]).verifier();
    for text in ["", ".", "..", "a.b.c", "a.b", "{}", "ü.ü.ü", &"a".repeat(9000)] {
        refusal(&verifier, text).await;
    }
}

#[tokio::test]
async fn a_token_must_say_when_it_ends_and_who_it_is_about() {
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

/// Made by OpenSSL, whose private keys are gone: what others sign, we verify.
#[tokio::test]
async fn tokens_of_other_algorithms_verify_with_their_keys() {
    let foreign: Value =
        serde_json::from_str(include_str!("../../tests/fixtures/foreign_tokens.json")).unwrap();
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
async fn an_unknown_key_refreshes_once_and_then_at_most_once_a_minute() {
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

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_a_fault_while_the_keys_cannot_be_read_and_known_keys_go_on() {
    let (old, new) = (pair(), pair());
    let store = Store::of(&[&old]);
    let verifier = store.verifier();
    verifier.verify(&token(&old), at(1000)).await.unwrap();
    store.is_away();
    for _ in 0..20 {
        let verified = verifier.verify(&token(&new), at(1000)).await;
        assert!(matches!(verified, Err(TokenError::Fault(_))), "{verified:?}");
        verifier.verify(&token(&old), at(1000)).await.unwrap();
    }
    assert_eq!(store.reads.load(SeqCst), 2, "they are read again after a pause");
    store.holds(&[&old, &new]);
    advance(Duration::from_secs(1)).await;
    verifier.verify(&token(&new), at(1000)).await.unwrap();
    assert_eq!(refusal(&verifier, &token(&pair())).await, "the key is unknown");
    assert_eq!(store.reads.load(SeqCst), 3);
}

#[tokio::test]
async fn of_many_at_once_who_bring_a_new_key_none_is_refused() {
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
async fn with_issuers_that_cannot_be_read_ours_verify_and_all_others_are_unavailable() {
    let pair = pair();
    let mut environment = environment();
    environment.extend(
        [("ISSUERS", "[{"), ("ISSUER", ISSUER), ("AUDIENCE", AUDIENCE)]
            .map(|(name, value)| (name, value.to_owned())),
    );
    environment.insert("VERIFICATION_KEYS_SECRET_ID", "keys".to_owned());
    let aws = connect(&[Use::Secret(VERIFICATION_KEYS)], environment);
    let mut verifier = aws.verifier();
    verifier.issuers[0] = Issuer::new(ISSUER, AUDIENCE, Store::of(&[&pair]).keys(), "roles");
    verifier.verify(&token(&pair), at(1000)).await.unwrap();
    let other = signer(&pair, "https://other.example", AUDIENCE).sign(&claims(), at(1000), 900);
    let Err(TokenError::Fault(Fault::Internal(error))) = verifier.verify(&other, at(1000)).await
    else {
        panic!("it is not known whether they are accepted")
    };
    assert!(error.to_string().starts_with("ISSUERS: no JSON"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn keys_serve_an_hour_without_their_store_and_then_nobody_passes() {
    let pair = pair();
    let store = Store::of(&[&pair]);
    let verifier = store.verifier();
    verifier.verify(&token(&pair), at(1000)).await.unwrap();
    store.is_away();
    advance(Duration::from_secs(3500)).await;
    verifier.verify(&token(&pair), at(1000)).await.unwrap();
    advance(Duration::from_secs(200)).await;
    let verified = verifier.verify(&token(&pair), at(1000)).await;
    assert!(matches!(verified, Err(TokenError::Fault(_))), "{verified:?}");
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_a_fault_and_never_a_pass() {
    let pair = pair();
    let store = Store::of(&[&pair]);
    store.is_away();
    let verified = store.verifier().verify(&token(&pair), at(1000)).await;
    assert!(matches!(verified, Err(TokenError::Fault(_))), "{verified:?}");
}

#[test]
fn a_secret_that_is_no_key_is_refused_without_being_repeated() {
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
fn a_signer_shows_nothing_of_its_key() {
    let pair = pair();
    let shown = format!("{:?}", signer(&pair, ISSUER, AUDIENCE));
    assert!(!shown.contains(pair.signing["privateKey"].as_str().unwrap()), "{shown}");
}
