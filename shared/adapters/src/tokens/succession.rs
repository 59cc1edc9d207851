//! Which key signs, and which one will.

use lifecycle::failure::BoxError;
use serde_json::{Value, json};

use super::pair::{KeyPair, generate};

/// The key that signs, and the one that is going to: it is published already, so that everybody
/// has it by the time it signs.
pub struct Succession {
    /// Tokens are signed with it.
    pub signs: KeyPair,
    /// It signs after the next rotation.
    pub next: KeyPair,
}

impl Succession {
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
    /// When it is not as [`signing_keys`](Self::signing_keys) makes it. Nothing of it is repeated.
    pub(crate) fn parse(secret: &str) -> Result<Self, BoxError> {
        let mut secret: Value =
            serde_json::from_str(secret).map_err(|_| "the signing keys are not JSON")?;
        let next = secret.as_object_mut().and_then(|secret| secret.remove("next"));
        let next = next.ok_or("the signing keys have no next one")?;
        Ok(Self { signs: KeyPair::of_private(&secret)?, next: KeyPair::of_private(&next)? })
    }

    /// What comes after: the next key signs, and another one waits.
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
    /// one that has signed before.
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
    fn what_is_kept_is_read_again_and_the_next_key_signs_after_it() {
        let first = Succession::generate().unwrap();
        let read = Succession::parse(&first.signing_keys().to_string()).unwrap();
        let second = read.rotated().unwrap();
        assert_eq!(second.signs.kid(), first.next.kid());
        assert!(!first.has(second.next.kid()), "another one waits");
        let set = second.verification_keys(Some(&first.signs));
        let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
        assert_eq!(kids, [second.signs.kid(), second.next.kid(), first.signs.kid()]);
    }

    #[test]
    fn what_was_not_made_here_is_refused_and_not_repeated() {
        let keys = Succession::generate().unwrap();
        let mut renamed = keys.signing_keys();
        renamed["next"]["kid"] = "another".into();
        let alone = keys.signs.signing.to_string();
        for (secret, reason) in [
            ("secret", "the signing keys are not JSON"),
            ("[]", "the signing keys have no next one"),
            (&alone, "the signing keys have no next one"),
            (&renamed.to_string(), "a signing key is not in the form that it is made in"),
        ] {
            let error = Succession::parse(secret).err().expect(reason);
            assert_eq!(error.to_string(), reason);
        }
    }
}
