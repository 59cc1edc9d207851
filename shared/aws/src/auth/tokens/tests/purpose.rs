//! Which tokens of outside issuers are access tokens, and which of their claims are used.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use lifecycle::Claims;
use lifecycle::caller::{TokenError, TokenVerifier};
use serde_json::{Value, json};

use super::{AUDIENCE, ISSUER, Store, at, pair};
use crate::auth::tokens::issuer::Trust;
use crate::auth::tokens::trusted_issuers::AccessClaim;
use crate::auth::tokens::{Issuer, KeyPair, Verifier};

const OUTSIDE: &str = "https://outside.example";

/// An issuer, and a verifier that trusts it.
struct Trial {
    issuer: &'static str,
    keys: KeyPair,
    verifier: Verifier,
}

impl Trial {
    fn of_ours() -> Self {
        let keys = pair();
        let verifier = Store::of(&[&keys]).verifier();
        Self { issuer: ISSUER, keys, verifier }
    }

    fn of_outside(roles: &[&str], access_claim: Option<(&str, &str)>) -> Self {
        let keys = pair();
        let mut issuer = Issuer::new(OUTSIDE, AUDIENCE, Store::of(&[&keys]).keys(), "roles");
        issuer.trust = Trust::Outside {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            access_claim: access_claim.map(|(name, value)| AccessClaim {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
        };
        Self { issuer: OUTSIDE, keys, verifier: Verifier::new(vec![issuer]) }
    }

    /// The verdict on a token with these members of its header and payload, in addition to the
    /// usual ones. Null removes a member.
    async fn verdict(&self, header: Value, claims: Value) -> Result<Claims, &'static str> {
        let kid = &self.keys.verification["kid"];
        let header = merged(json!({ "alg": "EdDSA", "kid": kid }), header);
        let base = json!({ "iss": self.issuer, "aud": AUDIENCE, "sub": "ada", "exp": 1900 });
        let token = signed(&self.keys, &header, &merged(base, claims));
        match self.verifier.verify(&token, at(1000)).await {
            Ok(claims) => Ok(claims),
            Err(TokenError::Refused(reason)) => Err(reason),
            Err(fault) => panic!("{fault:?}"),
        }
    }
}

fn merged(mut base: Value, more: Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    base
}

fn signed(keys: &KeyPair, header: &Value, claims: &Value) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let der = BASE64_STANDARD.decode(keys.signing["privateKey"].as_str().unwrap()).unwrap();
    let key = EncodingKey::from_ed_der(&der);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

#[tokio::test]
async fn an_outside_token_must_state_that_it_is_an_access_token() {
    let trial = Trial::of_outside(&[], None);
    for (header, claims, holds) in [
        (json!({ "typ": "at+jwt" }), json!({}), true),
        (json!({ "typ": "AT+JWT" }), json!({}), true),
        (json!({ "typ": "application/at+jwt" }), json!({}), true),
        (json!({ "typ": "Application/AT+jwt" }), json!({}), true),
        (json!({}), json!({ "token_use": "access" }), true),
        (json!({ "typ": "JWT" }), json!({ "token_use": "access" }), true),
        (json!({ "typ": "at+jwt" }), json!({ "typ": "Bearer" }), true),
        (json!({}), json!({}), false),
        (json!({ "typ": "JWT" }), json!({}), false),
        (json!({ "typ": "JWT" }), json!({ "typ": "Bearer" }), false),
        (json!({ "typ": "JWT" }), json!({ "token_use": "id" }), false),
        (json!({ "typ": "at+jwt" }), json!({ "token_use": "id" }), false),
        (json!({ "typ": "JWT" }), json!({ "token_use": "refresh" }), false),
        (json!({ "typ": "JWT" }), json!({ "token_use": ["access"] }), false),
        (json!({ "typ": "logout+jwt" }), json!({ "token_use": "access" }), false),
        (json!({ "typ": "application/logout+jwt" }), json!({}), false),
        (json!({ "typ": "Refresh" }), json!({}), false),
        (json!({ "typ": "dpop+jwt" }), json!({}), false),
        (json!({ "typ": "at+jwt" }), json!({ "typ": "Refresh" }), false),
        (json!({ "typ": "at+jwt" }), json!({ "typ": "ID" }), false),
        (json!({ "typ": "at+jwt" }), json!({ "typ": 7 }), false),
        (json!({ "typ": "JWT" }), json!({ "nonce": "n" }), false),
        (json!({ "typ": "at+jwt" }), json!({ "nonce": "n" }), false),
        (json!({}), json!({ "token_use": "access", "at_hash": "h" }), false),
        (json!({}), json!({ "token_use": "access", "c_hash": "h" }), false),
        (json!({ "typ": 7 }), json!({ "token_use": "access" }), false),
    ] {
        let verdict = trial.verdict(header.clone(), claims.clone()).await;
        assert_eq!(verdict.is_ok(), holds, "{header} {claims}: {verdict:?}");
    }
}

#[tokio::test]
async fn the_configured_claim_identifies_access_tokens() {
    let keycloak = Trial::of_outside(&[], Some(("typ", "Bearer")));
    let scoped = Trial::of_outside(&[], Some(("/scope", "store")));
    for (trial, claims, holds) in [
        (&keycloak, json!({ "typ": "Bearer" }), true),
        (&keycloak, json!({ "typ": "Bearer", "nonce": "n" }), true),
        (&keycloak, json!({ "typ": "Bearer", "at_hash": "h" }), false),
        (&keycloak, json!({ "typ": "ID" }), false),
        (&keycloak, json!({ "typ": "Refresh" }), false),
        (&keycloak, json!({ "typ": "Logout" }), false),
        (&keycloak, json!({}), false),
        (&keycloak, json!({ "token_use": "access" }), true),
        (&scoped, json!({ "scope": "openid store" }), true),
        (&scoped, json!({ "scope": ["store"] }), true),
        (&scoped, json!({ "scope": "openid" }), false),
        (&scoped, json!({ "scope": { "store": true } }), false),
        (&scoped, json!({ "scope": "store", "token_use": "id" }), false),
    ] {
        let verdict = trial.verdict(json!({ "typ": "JWT" }), claims.clone()).await;
        assert_eq!(verdict.is_ok(), holds, "{claims}: {verdict:?}");
    }
}

#[tokio::test]
async fn our_tokens_of_this_version_and_the_one_before_verify() {
    let trial = Trial::of_ours();
    for (typ, holds) in [
        (json!("at+jwt"), true),
        (json!("JWT"), true),
        (json!(null), true),
        (json!("logout+jwt"), false),
        (json!("Refresh"), false),
    ] {
        let verdict = trial.verdict(json!({ "typ": typ }), json!({})).await;
        assert_eq!(verdict.is_ok(), holds, "{typ}: {verdict:?}");
    }
    let ours = super::token(&trial.keys);
    let header = BASE64_URL_SAFE_NO_PAD.decode(ours.split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap()["typ"], "at+jwt");
}

#[tokio::test]
async fn the_audience_is_aud_or_else_client_id_of_an_outside_token() {
    let (ours, outside) = (Trial::of_ours(), Trial::of_outside(&[], None));
    for (trial, claims, holds) in [
        (&outside, json!({ "aud": null, "client_id": AUDIENCE }), true),
        (&outside, json!({ "aud": ["web", AUDIENCE] }), true),
        (&outside, json!({ "aud": "other", "client_id": AUDIENCE }), false),
        (&outside, json!({ "aud": [], "client_id": AUDIENCE }), false),
        (&outside, json!({ "aud": "", "client_id": AUDIENCE }), false),
        (&outside, json!({ "aud": [7, AUDIENCE] }), false),
        (&outside, json!({ "aud": { "api": true } }), false),
        (&outside, json!({ "aud": null, "client_id": "other" }), false),
        (&outside, json!({ "aud": null, "azp": AUDIENCE }), false),
        (&outside, json!({ "aud": "other", "azp": AUDIENCE }), false),
        (&outside, json!({ "aud": null }), false),
        (&ours, json!({ "aud": null, "client_id": AUDIENCE }), false),
        (&ours, json!({ "aud": ["web", AUDIENCE] }), true),
    ] {
        let verdict = trial.verdict(json!({ "typ": "at+jwt" }), claims.clone()).await;
        assert_eq!(verdict.is_ok(), holds, "{claims}: {verdict:?}");
    }
}

#[tokio::test]
async fn an_issuer_assigns_only_the_roles_of_its_list() {
    for (given, roles, passed) in [
        (&[][..], json!(["ADMIN", "CUSTOMER"]), json!([])),
        (&["WRITER"], json!(["ADMIN", "WRITER"]), json!(["WRITER"])),
        (&["WRITER"], json!("ADMIN WRITER"), json!(["WRITER"])),
        (&["WRITER"], json!(["WRITER ADMIN", "writer", "WRITER\n"]), json!([])),
        (&["WRITER"], json!({ "WRITER": true }), json!([])),
    ] {
        let trial = Trial::of_outside(given, None);
        let claims = json!({ "roles": roles });
        let verdict = trial.verdict(json!({ "typ": "at+jwt" }), claims).await.unwrap();
        assert_eq!(verdict["roles"], passed, "{given:?} {roles}");
    }
}

#[tokio::test]
async fn email_verified_is_a_boolean_or_its_text() {
    let trial = Trial::of_outside(&[], None);
    for (verified, passed) in
        [(json!(true), true), (json!("true"), true), (json!("false"), false), (json!(1), false)]
    {
        let claims = json!({ "email_verified": verified });
        let verdict = trial.verdict(json!({ "typ": "at+jwt" }), claims).await.unwrap();
        assert_eq!(verdict["emailVerified"], passed, "{verified}");
    }
}

#[tokio::test]
async fn dates_may_have_fractions_and_are_compared_exactly() {
    let trial = Trial::of_ours();
    // The time is second 1000, with 60 s of leeway.
    for (claims, holds) in [
        (json!({ "exp": 1900.0 }), true),
        (json!({ "exp": 1600.5 }), true),
        (json!({ "exp": 1.9e9 }), true),
        (json!({ "exp": 940.001 }), true),
        (json!({ "exp": 940.0 }), false),
        (json!({ "exp": 939.999 }), false),
        (json!({ "exp": 599.5 }), false),
        (json!({ "exp": -1 }), false),
        (json!({ "exp": 1e18 }), false),
        (json!({ "exp": "1900" }), false),
        (json!({ "exp": [1900] }), false),
        (json!({ "nbf": 994.75 }), true),
        (json!({ "nbf": 1000.0 }), true),
        (json!({ "nbf": 1060.0 }), true),
        (json!({ "nbf": 1060.001 }), false),
        (json!({ "nbf": "1000" }), false),
        (json!({ "nbf": -5 }), false),
        (json!({ "iat": 999.5 }), true),
        (json!({ "iat": 1e300 }), false),
        (json!({ "iat": "then" }), false),
    ] {
        let verdict = trial.verdict(json!({}), claims.clone()).await;
        assert_eq!(verdict.is_ok(), holds, "{claims}: {verdict:?}");
    }
    let passed = async |exp: Value| trial.verdict(json!({}), json!({ "exp": exp })).await.unwrap();
    assert_eq!(
        passed(json!(1900.0)).await["exp"],
        json!(1900),
        "the version before reads whole seconds"
    );
    assert_eq!(passed(json!(1900.5)).await["exp"], json!(1900.5));
}

#[tokio::test]
async fn ed25519_is_another_name_of_eddsa() {
    let mut keys = pair();
    keys.verification["alg"] = json!("Ed25519");
    let trial = Trial { issuer: ISSUER, verifier: Store::of(&[&keys]).verifier(), keys };
    for alg in ["EdDSA", "Ed25519"] {
        trial.verdict(json!({ "alg": alg }), json!({})).await.unwrap();
    }
    for alg in ["Ed448", "ed25519", "ES256"] {
        let refused = trial.verdict(json!({ "alg": alg }), json!({})).await;
        assert_eq!(refused, Err("its algorithm is not the key's"), "{alg}");
    }
}
