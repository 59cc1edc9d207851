//! Texts of tokens, against known keys.
//!
//! The authorizer accepts a text only if it is a token of ours, unchanged. An input that begins with
//! `sign` is signed by our own key here: then the claims decide, by an independent reading of them.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value as Json, json};

use super::authorizer::{AUDIENCE, ISSUER, OURS, context_of, event_with};
use crate::store::{Changes, NOW, key_secrets};
use crate::{Seed, Target, mutate};

/// The target.
pub const TOKEN: Target = Target {
    name: "token",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 8 * 1024,
    dictionary: &[
        "none", "HS256", "EdDSA", "\"alg\"", "\"kid\"", "\"crit\"", "\"typ\"", "at+jwt", "\"exp\"",
        "\"nbf\"", "\"aud\"", ".",
    ],
};

/// The leeway of the clock, in seconds, with which the tokens' times are compared.
const LEEWAY_S: f64 = 60.0;

fn run(input: &[u8]) {
    if let Some(parts) = input.strip_prefix(b"sign\n") {
        return signed(parts);
    }
    let text = String::from_utf8_lossy(input);
    let context = context_of(
        event_with(&format!("Bearer {text}")).to_string().as_bytes(),
        Changes::default(),
    );
    if !context["sub"].is_null() {
        assert!(OURS.iter().any(|ours| *ours == text.trim()), "accepts {text}: {context}");
    }
}

fn signed(parts: &[u8]) {
    let Ok(parts) = serde_json::from_slice::<Json>(parts) else { return };
    let (header, claims) = (&parts["header"], &parts["claims"]);
    let token = token_of(header, claims, &our_key());
    let event = event_with(&format!("Bearer {token}"));
    let context = context_of(event.to_string().as_bytes(), Changes::default());
    if context["sub"].is_null() {
        return;
    }
    let now = f64::from(u32::try_from(NOW.0 / 1000).expect("a date before 2106"));
    let date = |name: &str| claims[name].as_f64();
    let audience = match &claims["aud"] {
        Json::Array(all) => all.iter().any(|it| it == AUDIENCE),
        one => one == AUDIENCE,
    };
    let is_right = claims["iss"] == ISSUER
        && audience
        && ["EdDSA", "Ed25519"].iter().any(|known| header["alg"] == *known)
        && claims["sub"] == context["sub"]
        && date("exp").is_some_and(|exp| exp + LEEWAY_S > now)
        && (claims["nbf"].is_null() || date("nbf").is_some_and(|nbf| nbf <= now + LEEWAY_S));
    assert!(is_right, "accepts {parts}: {context}");
}

/// A token with this header and these claims, signed by this key.
pub(super) fn token_of(header: &Json, claims: &Json, key: &SigningKey) -> String {
    let part = |json: &Json| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes());
    format!("{text}.{signature}")
}

fn our_key() -> SigningKey {
    let [(_, signing), _] = key_secrets();
    let signing: Json = serde_json::from_str(signing).expect("the secret is JSON");
    let der = signing["privateKey"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    SigningKey::from_pkcs8_der(&der.expect("it is base64")).expect("it is a key")
}

fn seeds() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = OURS
        .iter()
        .enumerate()
        .map(|(number, token)| (format!("ours{number}"), token.clone().into_bytes()))
        .collect();
    let part = |number: usize| {
        let part = OURS[0].split('.').nth(number).unwrap_or_default();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).expect("it is base64");
        serde_json::from_slice::<Json>(&bytes).expect("it is JSON")
    };
    let parts = json!({ "header": part(0), "claims": part(1) });
    seeds.push(("signed".to_owned(), format!("sign\n{parts}").into_bytes()));
    seeds
}
