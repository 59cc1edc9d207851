//! API keys: opaque credentials that a service hands out, and whose hashes it stores.
//!
//! A key is `<id>.<secret>`, both base64url: 16 random bytes that name its item, and 32 that prove
//! it. The item holds the SHA-256 of the secret. 256 random bits cannot be guessed, so that the
//! hash need not be slow, and attempts need not be counted as for passwords: an invented key costs
//! one read at most. The throttling of the API limits these reads.
//!
//! A client sends the key as a bearer token, `Authorization: Bearer <id>.<secret>`. The whole
//! authorizer:
//!
//! ```no_run
//! use aws::auth::api_keys::API_KEYS;
//! use lifecycle::resource::{Action, Resource};
//!
//! fn main() -> std::process::ExitCode {
//!     aws::authorize(&[Resource::Table(API_KEYS, &[Action::GetItem])], aws::Aws::api_keys)
//! }
//! ```

use std::hint::black_box;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lifecycle::caller::{TokenError, TokenVerifier};
use lifecycle::record::{Key, Record, TableName};
use lifecycle::{Claims, FINDING_KEPT_S, ServiceError, Timestamp, random};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Aws, Table};

/// The table of the API keys. Its partition key is the id of a key, and `expiresAt` may be its time
/// to live.
pub const API_KEYS: TableName = TableName::new("api_keys");

const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
/// The lengths of both parts in base64url without padding.
const ID_CHARACTERS: usize = 22;
const SECRET_CHARACTERS: usize = 43;

/// A stored API key. It does not contain the key itself.
///
/// Deleting it revokes the key. That takes effect within [`FINDING_KEPT_S`], as long as API Gateway
/// caches the authorizer's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ApiKey {
    /// The first part of the key. It is no secret.
    pub id: String,
    /// The SHA-256 of the secret, as base64url.
    hash: String,
    /// The caller that the key stands for: the claim `sub`.
    pub subject: String,
    /// The caller's other claims, such as `roles`.
    #[serde(default)]
    pub claims: Claims,
    /// When the key expires, in seconds since 1970; never without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl ApiKey {
    /// Makes a key. Returns the record to store, and the key, which only its owner gets, once.
    ///
    /// It is random, so an endpoint calls it in stage 6.
    ///
    /// # Errors
    ///
    /// When the operating system provides no randomness.
    pub fn generate(
        subject: impl Into<String>,
        claims: Claims,
        expires_at: Option<Timestamp>,
    ) -> Result<(Self, String), ServiceError> {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        random::fill(&mut id).map_err(ServiceError::internal)?;
        random::fill(&mut secret).map_err(ServiceError::internal)?;
        let id = BASE64_URL_SAFE_NO_PAD.encode(id);
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let key = format!("{id}.{secret}");
        let expires_at = expires_at.map(Timestamp::as_seconds);
        Ok((Self { id, hash: hash_of(&secret), subject: subject.into(), claims, expires_at }, key))
    }

    /// The claims of a request with this key.
    ///
    /// They expire with the key, or when API Gateway asks the authorizer again.
    fn claims_at(&self, now: Timestamp) -> Result<Claims, &'static str> {
        let now = now.as_seconds();
        if self.expires_at.is_some_and(|expires_at| now >= expires_at) {
            return Err("the API key has expired");
        }
        let asked_again = now + i64::from(FINDING_KEPT_S);
        let exp = self.expires_at.map_or(asked_again, |expires_at| expires_at.min(asked_again));
        let mut claims = self.claims.clone();
        // They have a meaning in the authorizer's result.
        claims.remove("verdict");
        claims.remove("claims");
        claims.insert("sub".to_owned(), self.subject.clone().into());
        claims.insert("exp".to_owned(), exp.into());
        Ok(claims)
    }
}

impl Record for ApiKey {
    const TABLE: TableName = API_KEYS;

    fn key(&self) -> Key {
        Key::new(&self.id)
    }
}

/// Verifies API keys by their table.
pub struct ApiKeys {
    pub(crate) table: Table<ApiKey>,
}

impl Aws {
    /// Verifies the API keys in the table [`API_KEYS`].
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks the table.
    pub fn api_keys(&self) -> ApiKeys {
        ApiKeys { table: self.table() }
    }
}

#[async_trait]
impl TokenVerifier for ApiKeys {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let parts = parts_of(token);
        let (id, secret) = parts.ok_or(TokenError::Refused("it is not an API key"))?;
        // As it is now: API Gateway caches the refusal of a key that a lagging read does not find yet.
        let stored = self.table.load(&Key::new(id), true).await;
        let stored = stored.map_err(TokenError::ServiceError)?;
        let stored = stored.filter(|stored| is_equal(&stored.hash, &hash_of(secret)));
        let stored = stored.ok_or(TokenError::Refused("the API key is unknown"))?;
        stored.claims_at(now).map_err(TokenError::Refused)
    }
}

/// The id and the secret of a text that has the form of a key.
fn parts_of(key: &str) -> Option<(&str, &str)> {
    let (id, secret) = key.split_once('.')?;
    let is_base64url = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_key = id.len() == ID_CHARACTERS
        && secret.len() == SECRET_CHARACTERS
        && is_base64url(id)
        && is_base64url(secret);
    is_key.then_some((id, secret))
}

fn hash_of(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

/// Compares in a time that does not depend on where the texts differ.
fn is_equal(one: &str, other: &str) -> bool {
    let bytes = one.bytes().zip(other.bytes());
    let difference = bytes.fold(0, |all, (one, other)| black_box(all | (one ^ other)));
    one.len() == other.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_of_the_right_form_is_looked_up() {
        let (stored, key) = ApiKey::generate("ann", Claims::new(), None).unwrap();
        let (id, secret) = parts_of(&key).expect("it was just made");
        assert_eq!((id, &hash_of(secret)), (stored.id.as_str(), &stored.hash));
        let odd = key.replacen('.', "", 1);
        for text in ["", ".", "a.b.c", id, secret, &odd, &format!("{key}A"), &format!("é{key}")] {
            assert_eq!(parts_of(text), None, "{text}");
        }
        let spaced = format!("{}.{secret}", " ".repeat(ID_CHARACTERS));
        assert_eq!(parts_of(&spaced), None);
    }

    #[test]
    fn api_keys_of_released_versions_are_read() {
        let claims = Claims::from_iter([("roles".to_owned(), "librarian".into())]);
        let kept = |expires_at| ApiKey {
            id: "AAECAwQFBgcICQoLDA0ODw".to_owned(),
            hash: hash_of("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
            subject: "ann".to_owned(),
            claims: claims.clone(),
            expires_at,
        };
        lifecycle::released::holds::<ApiKey>(&[kept(None), kept(Some(1_900_000_000))]);
    }

    #[test]
    fn texts_are_equal_only_as_a_whole() {
        for (one, other, expected) in
            [("abc", "abc", true), ("abc", "abd", false), ("abc", "ab", false), ("", "a", false)]
        {
            assert_eq!(is_equal(one, other), expected, "{one} {other}");
        }
    }
}
