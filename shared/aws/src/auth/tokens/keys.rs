//! Public keys, as a JSON Web Key Set.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use lifecycle::error::BoxError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::algorithms::algorithm;

/// RSA keys below this are too weak (RFC 7518, 3.3).
const RSA_BYTES_MIN: usize = 2048 / 8;
/// Larger RSA keys cost too much to verify with.
const RSA_BYTES_MAX: usize = 4096 / 8;
/// More keys than any rotation needs.
const KEYS_MAX: usize = 32;

/// The keys that verify tokens of one issuer, by their `kid`.
#[derive(Debug)]
pub struct KeySet {
    keys: HashMap<String, PublicKey>,
}

/// A key that verifies only one algorithm.
#[derive(Debug)]
pub(super) struct PublicKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    public: Jwk,
}

/// The public members of a key. A private member that the set contains by mistake is neither kept
/// nor published.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PublicKey")]
struct Jwk {
    /// The kind of key: `OKP`, `EC` or `RSA`.
    kty: String,
    /// The curve of an `OKP` or `EC` key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

/// A JSON Web Key Set as it is published (RFC 7517, section 5).
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "KeySetView")]
pub struct PublishedKeys {
    /// The keys, in the order of their `kid`.
    keys: Vec<Jwk>,
}

impl KeySet {
    /// Reads a JSON Web Key Set.
    ///
    /// A key without a `kid`, for encryption, or of an unsupported kind is ignored, as RFC 7517,
    /// section 5, requires. `EdDSA` with Ed25519, `ES256` and `RS256` are supported.
    ///
    /// # Errors
    ///
    /// When it is not a key set, has more than 32 keys, or has no usable key.
    pub fn parse(json: &str) -> Result<Self, BoxError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document =
            serde_json::from_str(json).map_err(|_| "it is not a JSON Web Key Set")?;
        if document.keys.len() > KEYS_MAX {
            return Err(format!("it has more than {KEYS_MAX} keys").into());
        }
        let known = document.keys.into_iter().filter_map(|key| {
            let jwk: Jwk = serde_json::from_value(key).ok()?;
            Some((jwk.kid.clone()?, PublicKey::from_jwk(jwk)?))
        });
        let keys: HashMap<_, _> = known.collect();
        if keys.is_empty() {
            return Err("it has no key that tokens can be verified with".into());
        }
        Ok(Self { keys })
    }

    /// The set in its public form.
    pub fn published(&self) -> PublishedKeys {
        let mut keys: Vec<_> = self.keys.values().map(|key| key.public.clone()).collect();
        keys.sort_by(|one, other| one.kid.cmp(&other.kid));
        PublishedKeys { keys }
    }

    pub(super) fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.get(kid)
    }
}

impl PublicKey {
    /// The kind of key determines the algorithm. If the key has an `alg`, it must agree.
    fn from_jwk(mut jwk: Jwk) -> Option<Self> {
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let (kind, name, key) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => {
                let x = member(jwk.x.as_ref(), 32..=32)?;
                (Algorithm::EdDSA, "EdDSA", DecodingKey::from_ed_components(x).ok()?)
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (member(jwk.x.as_ref(), 32..=32)?, member(jwk.y.as_ref(), 32..=32)?);
                (Algorithm::ES256, "ES256", DecodingKey::from_ec_components(x, y).ok()?)
            }
            ("RSA", None) => {
                let n = member(jwk.n.as_ref(), RSA_BYTES_MIN..=RSA_BYTES_MAX)?;
                let e = member(jwk.e.as_ref(), 1..=8)?;
                (Algorithm::RS256, "RS256", DecodingKey::from_rsa_components(n, e).ok()?)
            }
            _ => return None,
        };
        if jwk.alg.as_deref().is_some_and(|alg| algorithm(alg) != Some(kind)) {
            return None;
        }
        // Published under the algorithm's common name, which may differ from the key's `alg`.
        jwk.alg = Some(name.to_owned());
        jwk.purpose = Some("sig".to_owned());
        Some(Self { algorithm: kind, key, public: jwk })
    }
}

/// A base64url member, if it has an allowed number of bytes.
fn member(text: Option<&String>, bytes: std::ops::RangeInclusive<usize>) -> Option<&str> {
    let text = text?;
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    bytes.contains(&decoded.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn set(key: &Value) -> Result<KeySet, BoxError> {
        KeySet::parse(&json!({ "keys": [key] }).to_string())
    }

    #[test]
    fn unusable_keys_are_ignored() {
        for (why, key) in [
            ("no kid", json!({ "kty": "OKP", "crv": "Ed25519", "x": X })),
            (
                "another use",
                json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "1", "use": "enc" }),
            ),
            (
                "another alg",
                json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "1", "alg": "ES256" }),
            ),
            ("another curve", json!({ "kty": "OKP", "crv": "X25519", "x": X, "kid": "1" })),
            ("too short", json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "1" })),
            ("weak", json!({ "kty": "RSA", "n": X, "e": "AQAB", "kid": "1" })),
            ("symmetric", json!({ "kty": "oct", "k": X, "kid": "1" })),
            ("unknown", json!({ "kty": "new", "kid": "1" })),
        ] {
            assert!(set(&key).is_err(), "{why}");
        }
    }

    #[test]
    fn a_key_with_alg_ed25519_is_published_as_eddsa() {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "1", "alg": "Ed25519" });
        let set = set(&key).unwrap();
        assert_eq!(set.get("1").unwrap().algorithm, Algorithm::EdDSA);
        assert_eq!(set.published().keys[0].alg.as_deref(), Some("EdDSA"));
    }

    #[test]
    fn one_unusable_key_does_not_affect_the_others() {
        let good = json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "1" });
        let keys = json!({ "keys": [{ "kty": 7 }, good, "key"] });
        assert!(KeySet::parse(&keys.to_string()).unwrap().get("1").is_some());
    }

    #[test]
    fn only_public_members_are_published() {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "1", "d": "private" });
        let published = serde_json::to_value(set(&key).unwrap().published()).unwrap();
        let expected = json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "1", "alg": "EdDSA", "use": "sig" });
        assert_eq!(published, json!({ "keys": [expected] }));
    }
}
