//! Key pairs, and how they are generated.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use lifecycle::error::BoxError;
use lifecycle::random;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A key pair, in the forms that the two secrets store.
#[derive(Clone)]
pub struct KeyPair {
    /// The private key, as the secret [`SIGNING_KEYS`](crate::SIGNING_KEYS) stores it.
    pub signing: Value,
    /// The public key as a JSON Web Key: a member of `keys` in the secret
    /// [`VERIFICATION_KEYS`](crate::VERIFICATION_KEYS).
    pub verification: Value,
}

impl KeyPair {
    /// The name of both keys.
    pub fn kid(&self) -> &str {
        self.verification["kid"].as_str().unwrap_or_default()
    }

    /// The pair that a private key belongs to.
    ///
    /// # Errors
    ///
    /// When [`generate`] did not make it. The error contains nothing of it.
    pub(super) fn of_private(signing: &Value) -> Result<Self, BoxError> {
        const UNKNOWN: &str = "a signing key does not have the generated form";
        let der = BASE64_STANDARD.decode(signing["privateKey"].as_str().ok_or(UNKNOWN)?);
        let key = SigningKey::from_pkcs8_der(&der.map_err(|_| UNKNOWN)?).map_err(|_| UNKNOWN)?;
        let pair = Self::of(&key)?;
        if pair.signing == *signing { Ok(pair) } else { Err(UNKNOWN.into()) }
    }

    /// The `kid` is the key's thumbprint (RFC 7638): equal keys have equal names, different keys
    /// have different names.
    fn of(key: &SigningKey) -> Result<Self, BoxError> {
        let private = BASE64_STANDARD.encode(key.to_pkcs8_der()?.as_bytes());
        let x = BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let kid = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        Ok(Self {
            signing: json!({ "kid": kid, "alg": "EdDSA", "privateKey": private }),
            verification: json!({
                "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig",
            }),
        })
    }
}

/// Makes an Ed25519 pair (RFC 8037).
///
/// # Errors
///
/// When the operating system provides no randomness.
pub fn generate() -> Result<KeyPair, BoxError> {
    let mut seed = [0; 32];
    random::fill(&mut seed)?;
    KeyPair::of(&SigningKey::from_bytes(&seed))
}

/// The pair that every test has.
#[cfg(feature = "testing")]
pub(crate) fn of_tests() -> KeyPair {
    KeyPair::of(&SigningKey::from_bytes(&[1; 32])).expect("every seed is a private key")
}
