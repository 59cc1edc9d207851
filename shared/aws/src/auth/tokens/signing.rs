//! Signing tokens.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lifecycle::error::BoxError;
use lifecycle::{Claims, Permit, ServiceError, Timestamp};
use serde::Deserialize;

use crate::secrets::Secret;
use crate::{Aws, SIGNING_KEYS};

/// The current signing key, from its secret.
#[derive(Clone)]
pub struct SigningKeys {
    key: Secret<PrivateKey>,
    issuer: Arc<str>,
    audience: Arc<str>,
}

/// Signs tokens. It is a value, so that signing needs no call and no clock.
#[derive(Clone)]
pub struct Signer {
    key: Arc<PrivateKey>,
    issuer: Arc<str>,
    audience: Arc<str>,
}

struct PrivateKey {
    kid: String,
    key: EncodingKey,
}

impl Aws {
    /// The signing key, for the issuer and audience of the deployment (`ISSUER`, `AUDIENCE`).
    ///
    /// # Panics
    ///
    /// When the endpoint's `RESOURCES` lacks the secret [`SIGNING_KEYS`].
    pub fn signing_keys(&self) -> SigningKeys {
        self.signing_keys_in(SIGNING_KEYS)
    }

    /// As [`Aws::signing_keys`], from a secret with another name.
    ///
    /// # Panics
    ///
    /// When the endpoint's `RESOURCES` lacks the secret, or the environment lacks `ISSUER` or
    /// `AUDIENCE`.
    pub fn signing_keys_in(&self, secret: &'static str) -> SigningKeys {
        let key = self.secret(secret, PrivateKey::parse);
        let (issuer, audience) = self.issuer_and_audience();
        SigningKeys { key, issuer, audience }
    }

    pub(super) fn issuer_and_audience(&self) -> (Arc<str>, Arc<str>) {
        let configuration = self.configuration();
        let issuer = configuration.issuer.as_deref();
        let audience = configuration.audience.as_deref();
        // The start has found out about the secrets that have the usual names.
        let issuer = issuer.unwrap_or_else(|| panic!("the environment lacks ISSUER"));
        let audience = audience.unwrap_or_else(|| panic!("the environment lacks AUDIENCE"));
        (issuer.into(), audience.into())
    }
}

impl SigningKeys {
    /// A signer with the current key.
    ///
    /// # Errors
    ///
    /// When the secret cannot be read.
    pub async fn signer<C>(&self, _: &Permit<C>) -> Result<Signer, ServiceError> {
        let key = self.key.read().await?;
        Ok(Signer { key, issuer: Arc::clone(&self.issuer), audience: Arc::clone(&self.audience) })
    }
}

impl Signer {
    /// Signs a token with these claims, valid from now for `lifetime_s` seconds.
    ///
    /// `iss`, `aud`, `iat`, `nbf` and `exp` are added. The authorizer passes `sub`, `roles`, `tier`
    /// and `emailVerified` on.
    ///
    /// # Panics
    ///
    /// Never: the key was tested when it was parsed, and a map of JSON values has a JSON form.
    pub fn sign(&self, claims: &Claims, now: Timestamp, lifetime_s: u32) -> String {
        let now = now.as_seconds();
        let mut claims = claims.clone();
        claims.insert("iss".to_owned(), (&*self.issuer).into());
        claims.insert("aud".to_owned(), (&*self.audience).into());
        claims.insert("iat".to_owned(), now.into());
        claims.insert("nbf".to_owned(), now.into());
        claims.insert("exp".to_owned(), (now + i64::from(lifetime_s)).into());
        self.key.sign(&claims).expect("the key was tested when it was parsed")
    }

    /// A signer outside AWS, for tests and tools.
    ///
    /// # Errors
    ///
    /// When the secret is not in the form that [`generate`](super::generate) gives it.
    pub fn from_secret(secret: &str, issuer: &str, audience: &str) -> Result<Self, BoxError> {
        let key = Arc::new(PrivateKey::parse(secret)?);
        Ok(Self { key, issuer: issuer.into(), audience: audience.into() })
    }
}

impl PrivateKey {
    /// The errors contain nothing of the secret.
    fn parse(json: &str) -> Result<Self, BoxError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Document {
            kid: String,
            alg: String,
            private_key: String,
        }
        let document: Document = serde_json::from_str(json)
            .map_err(|_| "it is not an object of kid, alg and privateKey")?;
        if document.alg != "EdDSA" {
            return Err("its alg is not EdDSA".into());
        }
        let der = BASE64_STANDARD.decode(&document.private_key);
        let der = der.map_err(|_| "its privateKey is not base64")?;
        let key = Self { kid: document.kid, key: EncodingKey::from_ed_der(&der) };
        key.sign(&Claims::new()).map_err(|_| "its privateKey is not an Ed25519 key in PKCS #8")?;
        Ok(key)
    }

    fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::EdDSA);
        // RFC 9068: the type prevents confusion with tokens of another purpose.
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key)
    }
}

/// Does not show the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.key.kid).finish_non_exhaustive()
    }
}
