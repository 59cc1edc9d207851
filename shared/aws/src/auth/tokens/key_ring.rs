//! The signing key and the next one.

use lifecycle::error::BoxError;
use serde_json::{Value, json};

use super::pair::{KeyPair, generate};

/// The signing key, and the next one. The next one is already published, so that every function has
/// it before it signs.
pub struct KeyRing {
    /// The key that signs tokens.
    pub signs: KeyPair,
    /// The key that signs after the next rotation.
    pub next: KeyPair,
}

impl KeyRing {
    /// Two fresh keys.
    ///
    /// # Errors
    ///
    /// As [`generate`].
    pub fn generate() -> Result<Self, BoxError> {
        Ok(Self { signs: generate()?, next: generate()? })
    }

    /// Reads the content of the secret [`SIGNING_KEYS`](crate::SIGNING_KEYS).
    ///
    /// # Errors
    ///
    /// When [`signing_keys`](Self::signing_keys) did not make it. The error contains nothing of it.
    pub(crate) fn parse(secret: &str) -> Result<Self, BoxError> {
        let mut secret: Value =
            serde_json::from_str(secret).map_err(|_| "the signing keys are not JSON")?;
        let next = secret.as_object_mut().and_then(|secret| secret.remove("next"));
        let next = next.ok_or("the signing keys have no next one")?;
        Ok(Self { signs: KeyPair::of_private(&secret)?, next: KeyPair::of_private(&next)? })
    }

    /// The keys after a rotation: the next key signs, and a fresh key is next.
    ///
    /// # Errors
    ///
    /// As [`generate`].
    pub(crate) fn rotated(&self) -> Result<Self, BoxError> {
        Ok(Self { signs: self.next.clone(), next: generate()? })
    }

    /// The content of the secret [`SIGNING_KEYS`](crate::SIGNING_KEYS).
    pub fn signing_keys(&self) -> Value {
        let mut secret = self.signs.signing.clone();
        secret["next"] = self.next.signing.clone();
        secret
    }

    /// The content of the secret [`VERIFICATION_KEYS`](crate::VERIFICATION_KEYS): both keys, and
    /// the previous signing key.
    pub fn verification_keys(&self, before: Option<&KeyPair>) -> Value {
        let keys = [Some(&self.signs), Some(&self.next), before];
        let keys: Vec<_> = keys.into_iter().flatten().map(|pair| &pair.verification).collect();
        json!({ "keys": keys })
    }

    /// Whether a key is one of the two.
    pub(crate) fn has(&self, kid: &str) -> bool {
        [&self.signs, &self.next].iter().any(|pair| pair.kid() == kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_rotation_of_stored_keys_the_next_key_signs() {
        let first = KeyRing::generate().unwrap();
        let read = KeyRing::parse(&first.signing_keys().to_string()).unwrap();
        let second = read.rotated().unwrap();
        assert_eq!(second.signs.kid(), first.next.kid());
        assert!(!first.has(second.next.kid()), "the next key is fresh");
        let set = second.verification_keys(Some(&first.signs));
        let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
        assert_eq!(kids, [second.signs.kid(), second.next.kid(), first.signs.kid()]);
    }

    #[test]
    fn malformed_signing_keys_are_rejected_and_not_quoted() {
        let keys = KeyRing::generate().unwrap();
        let mut renamed = keys.signing_keys();
        renamed["next"]["kid"] = "another".into();
        let alone = keys.signs.signing.to_string();
        for (secret, reason) in [
            ("secret", "the signing keys are not JSON"),
            ("[]", "the signing keys have no next one"),
            (&alone, "the signing keys have no next one"),
            (&renamed.to_string(), "a signing key does not have the generated form"),
        ] {
            let error = KeyRing::parse(secret).err().expect(reason);
            assert_eq!(error.to_string(), reason);
        }
    }
}
