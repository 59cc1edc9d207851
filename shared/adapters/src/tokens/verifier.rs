//! Verifying tokens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use lifecycle::caller::{LEEWAY_S, TokenError, TokenVerifier};
use lifecycle::{Claims, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::keys::PublicKey;
use super::{KeySet, outside};
use crate::secrets::Secret;
use crate::{Aws, VERIFICATION_KEYS};

/// API Gateway takes 10 240 bytes of request line and headers, so no honest token is longer.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Whoever makes up key ids must not make us read the keys all the time.
const BETWEEN_REFRESHES: Duration = Duration::from_mins(1);

/// Verifies the tokens of one or several issuers.
pub struct Verifier {
    issuers: Vec<Issuer>,
}

/// Somebody whose tokens are accepted.
pub struct Issuer {
    /// What `iss` has to be.
    pub issuer: Arc<str>,
    /// What `aud` has to be, or to name among others.
    pub audience: Arc<str>,
    /// Where the keys come from.
    pub keys: Secret<KeySet>,
    /// The claim that holds the roles: a list of names, or one text of names between spaces.
    pub roles_claim: Arc<str>,
    /// Whether they are we: of others, neither the form of subjects nor the tier is believed.
    pub(super) is_ours: bool,
    refreshed: Mutex<Option<Instant>>,
}

impl Aws {
    /// Verifies the tokens that we issue ourselves: `ISSUER`, `AUDIENCE` and the keys in the
    /// secret [`VERIFICATION_KEYS`]; and those of the issuers in `ISSUERS`.
    ///
    /// # Panics
    ///
    /// When the secret is not among the uses that the endpoint declares.
    pub fn verifier(&self) -> Verifier {
        let keys = self.verification_keys();
        let (issuer, audience) = self.issuer_and_audience();
        let ours = Issuer::new(issuer, audience, keys, "roles");
        let others =
            self.outside_issuers().iter().map(|described| Issuer::outside(self, described));
        Verifier::new(std::iter::once(ours).chain(others).collect())
    }

    /// The keys that our tokens are verified with.
    ///
    /// # Panics
    ///
    /// As [`Aws::verifier`].
    pub fn verification_keys(&self) -> Secret<KeySet> {
        self.secret(VERIFICATION_KEYS, KeySet::parse)
    }
}

impl Issuer {
    /// Somebody whose tokens are accepted.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        audience: impl Into<Arc<str>>,
        keys: Secret<KeySet>,
        roles_claim: &str,
    ) -> Self {
        let (issuer, audience, roles_claim) = (issuer.into(), audience.into(), roles_claim.into());
        let refreshed = Mutex::new(None);
        Self { issuer, audience, keys, roles_claim, is_ours: true, refreshed }
    }

    /// The keys with the one that is named, read anew if it is not among those we have: it may
    /// be a new one.
    async fn keys_with(&self, kid: &str) -> Result<Arc<KeySet>, TokenError> {
        let keys = self.keys.read().await.map_err(TokenError::Fault)?;
        if keys.get(kid).is_some() || !self.may_refresh() {
            return Ok(keys);
        }
        match self.keys.refresh().await {
            Ok(newer) => Ok(newer),
            // The keys that we have are good; the one that is named is just not among them.
            Err(fault) => {
                tracing::warn!(error = &fault as &dyn std::error::Error, "keys not refreshed");
                Ok(keys)
            }
        }
    }

    fn may_refresh(&self) -> bool {
        let mut refreshed = self.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
        let may = refreshed.is_none_or(|at| at.elapsed() >= BETWEEN_REFRESHES);
        if may {
            *refreshed = Some(Instant::now());
        }
        may
    }

    /// What is passed on of the claims.
    fn passed_on(&self, claims: &Claims, subject: &str) -> Claims {
        let (subject, tier, verified) = if self.is_ours {
            (subject.to_owned(), claims.get("tier"), "emailVerified")
        } else {
            // Tiers are ours to give; the other is OpenID Connect's name for it.
            (outside::subject(&self.issuer, subject), None, "email_verified")
        };
        let mut passed = Claims::new();
        passed.insert("sub".to_owned(), subject.into());
        passed.insert("roles".to_owned(), roles(named(claims, &self.roles_claim)));
        for (name, claim) in [
            ("tier", tier.filter(|tier| tier.is_string())),
            ("emailVerified", claims.get(verified).filter(|verified| verified.is_boolean())),
            ("exp", claims.get("exp")),
        ] {
            passed.extend(claim.map(|claim| (name.to_owned(), claim.clone())));
        }
        passed
    }
}

impl Verifier {
    /// Verifies the tokens of these issuers.
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self { issuers }
    }

    /// The issuer that the token says it is from. Nothing of it is believed yet: it only says
    /// whose keys to try.
    fn issuer_of(&self, token: &str) -> Result<&Issuer, TokenError> {
        let claims: Claims = insecure_decode_claims(token).map_err(not_valid)?;
        let named = claims.get("iss").and_then(Value::as_str);
        let issuer = self.issuers.iter().find(|issuer| named == Some(&issuer.issuer));
        issuer.ok_or_else(|| refused("the issuer is unknown"))
    }
}

#[async_trait]
impl TokenVerifier for Verifier {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(not_valid)?;
        let kid = header.kid.as_deref().ok_or_else(|| refused("it names no key"))?;
        if header.crit.is_some() {
            return Err(refused("it has critical extensions, and we know none"));
        }
        let issuer = self.issuer_of(token)?;
        let keys = issuer.keys_with(kid).await?;
        let key = keys.get(kid).ok_or_else(|| refused("the key is unknown"))?;
        let claims = verified(token, &header, key, issuer)?;
        let subject = claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
        let subject = subject.ok_or_else(|| refused("it does not say who it is about"))?;
        check_times(&claims, now)?;
        Ok(issuer.passed_on(&claims, subject))
    }
}

/// The claims, if the signature is the key's and they are meant for us.
///
/// The algorithm is the key's own. What the token says of it must agree, so that a public key
/// can never be taken for a shared secret, nor a signature be done without (RFC 8725, 3.1).
fn verified(
    token: &str,
    header: &Header,
    key: &PublicKey,
    issuer: &Issuer,
) -> Result<Claims, TokenError> {
    if header.alg != key.algorithm {
        return Err(refused("its algorithm is not the key's"));
    }
    let mut validation = Validation::new(key.algorithm);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    validation.set_issuer(&[&issuer.issuer]);
    validation.set_audience(&[&issuer.audience]);
    // The times are checked against the moment of the request, not against another clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    Ok(decode::<Claims>(token, &key.key, &validation).map_err(not_valid)?.claims)
}

/// Times are whole seconds: RFC 7519 would allow fractions, and nobody sends them.
fn check_times(claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
    let now = now.as_seconds();
    match claims.get("exp").and_then(Value::as_i64) {
        Some(exp) if now < exp.saturating_add(LEEWAY_S) => {}
        Some(_) => return Err(refused("it has ended")),
        None => return Err(refused("it does not say when it ends")),
    }
    match claims.get("nbf") {
        None => Ok(()),
        Some(nbf) if nbf.as_i64().is_some_and(|nbf| nbf <= now + LEEWAY_S) => Ok(()),
        Some(_) => Err(refused("it is not valid yet")),
    }
}

/// A claim by its name, or by a JSON Pointer into the claims.
fn named<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let Some(pointer) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    claims.get(first)?.pointer(&rest)
}

fn roles(claim: Option<&Value>) -> Value {
    match claim {
        Some(Value::Array(names)) => {
            names.iter().filter(|name| name.is_string()).cloned().collect()
        }
        Some(Value::String(names)) => names.split_whitespace().map(Value::from).collect(),
        _ => Value::Array(Vec::new()),
    }
}

fn refused(reason: &str) -> TokenError {
    TokenError::Refused(reason.to_owned())
}

fn not_valid(error: jsonwebtoken::errors::Error) -> TokenError {
    TokenError::Refused(error.to_string())
}
