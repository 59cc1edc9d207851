//! Verification of tokens.

use async_trait::async_trait;
use lifecycle::caller::{LEEWAY_S, TokenError, TokenVerifier};
use lifecycle::claims::numeric_date;
use lifecycle::{Claims, ServiceError, Timestamp};
use serde_json::Value;

use super::compact::{Compact, Reason};
use super::issuer::Trust;
use super::outside_keys::outside_issuer;
use super::trusted_issuers::{OutsideIssuer, RESERVED};
use super::{Issuer, KeySet};
use crate::secrets::Secret;
use crate::{Aws, VERIFICATION_KEYS};

/// Verifies the tokens of one or several issuers.
pub struct Verifier {
    pub(super) issuers: Vec<Issuer>,
    /// Why the outside issuers are unknown.
    unknown: Option<String>,
}

impl Aws {
    /// Verifies our own tokens (`ISSUER`, `AUDIENCE` and the keys in the secret
    /// [`VERIFICATION_KEYS`]), and those of the issuers in `ISSUERS`. If `ISSUERS` is invalid, our
    /// tokens verify, and a token of any other issuer is a fault. `SECOND_ISSUER` and
    /// `SECOND_AUDIENCE` are accepted as ours, too.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks the secret.
    pub fn verifier(&self) -> Verifier {
        self.verifier_with(self.verification_keys())
    }

    /// As [`Aws::verifier`], with our keys from another secret:
    /// `aws.verifier_with(aws.verification_keys_in("session_keys"))`.
    ///
    /// # Panics
    ///
    /// When the environment lacks `ISSUER` or `AUDIENCE`.
    pub fn verifier_with(&self, keys: Secret<KeySet>) -> Verifier {
        let (issuer, audience) = self.issuer_and_audience();
        let variable = |name: &str| self.configuration().variable(name);
        let (second_issuer, second_audience) =
            (variable("SECOND_ISSUER"), variable("SECOND_AUDIENCE"));
        let ours = Issuer::new(issuer, audience, keys, "roles")
            .with_second(second_issuer.as_deref(), second_audience.as_deref());
        let (others, unknown) = self.outside(self.outside_issuers().clone());
        Verifier { unknown, ..Verifier::new(std::iter::once(ours).chain(others).collect()) }
    }

    /// Verifies the tokens of the issuers in `ISSUERS` only, for a service that signs none. It needs
    /// no secret, no `ISSUER` and no `AUDIENCE`. If `ISSUERS` is empty or invalid, each token is a
    /// fault.
    ///
    /// The whole authorizer of such a service:
    ///
    /// ```no_run
    /// use std::process::ExitCode;
    ///
    /// fn main() -> ExitCode {
    ///     aws::authorize(&[], aws::Aws::outside_verifier)
    /// }
    /// ```
    pub fn outside_verifier(&self) -> Verifier {
        let described = self.outside_issuers().clone().and_then(|described| {
            if described.is_empty() { Err("ISSUERS is empty".to_owned()) } else { Ok(described) }
        });
        let (others, unknown) = self.outside(described);
        Verifier { unknown, ..Verifier::new(others) }
    }

    /// The outside issuers, or why they are unknown.
    fn outside(
        &self,
        described: Result<Vec<OutsideIssuer>, String>,
    ) -> (Vec<Issuer>, Option<String>) {
        match described {
            Ok(described) => {
                (described.iter().map(|described| outside_issuer(self, described)).collect(), None)
            }
            Err(error) => {
                tracing::error!(error, "the tokens of outside issuers cannot be verified");
                (Vec::new(), Some(error))
            }
        }
    }

    /// The keys that verify our tokens.
    ///
    /// # Panics
    ///
    /// As [`Aws::verifier`].
    pub fn verification_keys(&self) -> Secret<KeySet> {
        self.verification_keys_in(VERIFICATION_KEYS)
    }

    /// As [`Aws::verification_keys`], from a secret with another name.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks the secret.
    pub fn verification_keys_in(&self, secret: &'static str) -> Secret<KeySet> {
        self.secret(secret, KeySet::parse)
    }
}

impl Verifier {
    /// Verifies the tokens of these issuers.
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self { issuers, unknown: None }
    }

    /// Passes further claims of our own tokens on, under their names. `ISSUERS` names those of
    /// outside issuers.
    ///
    /// # Panics
    ///
    /// When a name is one that is always passed on, or one of the authorizer's own.
    #[must_use]
    pub fn passing_on(mut self, claims: &[&str]) -> Self {
        for name in claims {
            assert!(!RESERVED.contains(name), "the meaning of the claim {name} is fixed");
        }
        for issuer in &mut self.issuers {
            if matches!(issuer.trust, Trust::Ours) {
                issuer.claims = claims.iter().map(|name| (*name).to_owned()).collect();
            }
        }
        self
    }

    /// The issuer that the token names. The name is not verified yet: it only selects the keys.
    pub(super) fn issuer_of(&self, claims: &Claims) -> Result<&Issuer, TokenError> {
        let named = claims.get("iss").and_then(Value::as_str);
        let issuer = self.issuers.iter().find(|issuer| issuer.is_named(named));
        issuer.ok_or_else(|| match &self.unknown {
            Some(error) => TokenError::ServiceError(ServiceError::internal(error.clone())),
            None => TokenError::Refused("the issuer is unknown"),
        })
    }
}

#[async_trait]
impl TokenVerifier for Verifier {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let token = Compact::parse(token).map_err(TokenError::Refused)?;
        let kid = token.kid().map_err(TokenError::Refused)?;
        let issuer = self.issuer_of(&token.claims)?;
        let keys = issuer.keys_with(kid).await.map_err(TokenError::ServiceError)?;
        let checked = keys.get(kid).ok_or("the key is unknown").and_then(|key| {
            token.check_signature(key)?;
            issuer.check(&token)?;
            let exp = check_times(&token.claims, now)?;
            issuer.passed_on(&token.claims, exp)
        });
        checked.map_err(TokenError::Refused)
    }
}

/// Returns the expiry of a token that is valid now, compared to the millisecond and with our
/// leeway. `iat` must be a date and is not used otherwise.
fn check_times(claims: &Claims, now: Timestamp) -> Result<Timestamp, Reason> {
    let date = |name: &str, reason| match claims.get(name).map(numeric_date) {
        None => Ok(None),
        Some(Some(date)) => Ok(Some(date)),
        Some(None) => Err(reason),
    };
    let exp = date("exp", "its exp is not a date")?.ok_or("it has no exp")?;
    if now >= exp.plus_seconds(LEEWAY_S) {
        return Err("it has expired");
    }
    date("iat", "its iat is not a date")?;
    match date("nbf", "its nbf is not a date")? {
        Some(nbf) if now.plus_seconds(LEEWAY_S) < nbf => Err("it is not valid yet"),
        _ => Ok(exp),
    }
}
