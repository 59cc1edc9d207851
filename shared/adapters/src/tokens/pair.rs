//! Fresh keys.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use lifecycle::failure::BoxError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A fresh key pair, in the forms that the two secrets hold.
pub struct KeyPair {
    /// The content of the secret [`SIGNING_KEYS`](crate::SIGNING_KEYS).
    pub signing: Value,
    /// The public key as a JSON Web Key: a member of `keys` in the secret
    /// [`VERIFICATION_KEYS`](crate::VERIFICATION_KEYS).
    pub verification: Value,
}

impl KeyPair {
    /// The content of the secret [`VERIFICATION_KEYS`](crate::VERIFICATION_KEYS) when this is
    /// the only pair.
    pub fn verification_set(&self) -> Value {
        json!({ "keys": [self.verification] })
    }
}

/// Makes an Ed25519 pair (RFC 8037). Its `kid` is the key's thumbprint (RFC 7638), so that equal
/// keys have equal names and others have others.
///
/// # Errors
///
/// When the operating system has no randomness to give.
pub fn generate() -> Result<KeyPair, BoxError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let key = SigningKey::from_bytes(&seed);
    let private = BASE64_STANDARD.encode(key.to_pkcs8_der()?.as_bytes());
    let x = BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    let kid = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
    Ok(KeyPair {
        signing: json!({ "kid": kid, "alg": "EdDSA", "privateKey": private }),
        verification: json!({
            "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig",
        }),
    })
}
