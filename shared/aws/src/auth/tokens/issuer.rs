//! An issuer whose tokens are accepted, and its checks of a token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifecycle::since::Since;
use lifecycle::{Claims, ServiceError, Timestamp, claims};
use serde_json::Value;

use super::KeySet;
use super::compact::{Compact, Reason};
use super::named_claim::named;
use super::purpose::{check_ours, check_outside};
use super::trusted_issuers::{AccessClaim, subject as outside_subject};
use crate::secrets::Secret;

/// Tokens with invented key ids must not cause a refresh of the keys each time.
const BETWEEN_REFRESHES: Duration = Duration::from_mins(1);

/// An issuer whose tokens are accepted.
pub struct Issuer {
    /// The required `iss`.
    pub issuer: Arc<str>,
    /// The required `aud`, or one of its values.
    pub audience: Arc<str>,
    /// Second values of the two that are accepted, while they are changed.
    second: Second,
    /// The source of its keys.
    pub keys: Secret<KeySet>,
    /// The claim that holds the roles: a list of names, or one text of names separated by spaces.
    pub roles_claim: Arc<str>,
    /// How far its tokens are trusted.
    pub(super) trust: Trust,
    /// The further claims that are passed on.
    pub(super) claims: Vec<String>,
    /// Whether an outside issuer's subjects are passed on as they are, and not as a hash.
    pub(super) plain_subjects: bool,
    /// When an unknown key last caused a refresh of the keys.
    refreshed: Mutex<Option<Since>>,
}

/// A second `iss` and `aud` that are accepted.
#[derive(Default)]
struct Second {
    issuer: Option<Arc<str>>,
    audience: Option<Arc<str>>,
}

/// How far an issuer is trusted.
pub(super) enum Trust {
    /// Its subjects are our users, with the roles and the tier that we assigned.
    Ours,
    /// Its subjects are strangers, without a tier, and with roles only from this list.
    Outside { roles: Vec<String>, access_claim: Option<AccessClaim> },
}

impl Issuer {
    /// An issuer whose tokens are accepted.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        audience: impl Into<Arc<str>>,
        keys: Secret<KeySet>,
        roles_claim: &str,
    ) -> Self {
        let (issuer, audience, roles_claim) = (issuer.into(), audience.into(), roles_claim.into());
        let refreshed = Mutex::new(None);
        let (second, trust) = (Second::default(), Trust::Ours);
        let (claims, plain_subjects) = (Vec::new(), false);
        Self {
            issuer,
            audience,
            second,
            keys,
            roles_claim,
            trust,
            claims,
            plain_subjects,
            refreshed,
        }
    }

    /// Accepts this `iss` and this `aud` in addition.
    ///
    /// Functions are not all replaced at the same moment. So all functions accept the new values
    /// before the first one signs with them, and the old values until the last token has expired.
    #[must_use]
    pub fn with_second(mut self, issuer: Option<&str>, audience: Option<&str>) -> Self {
        self.second = Second { issuer: issuer.map(Into::into), audience: audience.map(Into::into) };
        self
    }

    /// Whether a token's `iss` names this issuer.
    pub(super) fn is_named(&self, iss: Option<&str>) -> bool {
        let mut names = std::iter::once(&self.issuer).chain(&self.second.issuer);
        names.any(|name| iss == Some(name))
    }

    /// Returns the keys. If the named key is not among them, they are refreshed first: the key may
    /// be new.
    ///
    /// If the refresh fails, that is a fault, not a refusal of the token. The next read follows a
    /// pause.
    pub(super) async fn keys_with(&self, kid: &str) -> Result<Arc<KeySet>, ServiceError> {
        let keys = self.keys.read().await?;
        if keys.get(kid).is_some() || !self.may_refresh() {
            return Ok(keys);
        }
        let newer = self.keys.refresh().await?;
        *self.refreshed() = Some(Since::now());
        Ok(newer)
    }

    fn may_refresh(&self) -> bool {
        self.refreshed().is_none_or(|at| at.elapsed() >= BETWEEN_REFRESHES)
    }

    fn refreshed(&self) -> MutexGuard<'_, Option<Since>> {
        self.refreshed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the token is meant for us, and is an access token.
    ///
    /// Cognito's access tokens have no `aud`; their `client_id` names the client. `azp` is not
    /// used: it names the client that requested the token, not the audience.
    pub(super) fn check(&self, token: &Compact<'_>) -> Result<(), Reason> {
        let audience = match token.claims.get("aud") {
            Some(audience) => audience,
            None => match self.trust {
                Trust::Ours => None,
                Trust::Outside { .. } => token.claims.get("client_id"),
            }
            .ok_or("it names no audience")?,
        };
        let mut audiences = std::iter::once(&self.audience).chain(&self.second.audience);
        if !audiences.any(|ours| names_audience(audience, ours)) {
            return Err("it is for another audience");
        }
        match &self.trust {
            Trust::Ours => check_ours(token),
            Trust::Outside { access_claim, .. } => check_outside(token, access_claim.as_ref()),
        }
    }

    /// The claims that are passed on.
    pub(super) fn passed_on(&self, claims: &Claims, exp: Timestamp) -> Result<Claims, Reason> {
        let subject = claims.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
        let subject = subject.ok_or("it names no subject")?;
        let mut roles = claims::names(named(claims, &self.roles_claim)).unwrap_or_default();
        let (subject, tier, verified) = match &self.trust {
            Trust::Ours => (subject.to_owned(), claims.get("tier"), "emailVerified"),
            Trust::Outside { roles: given, .. } => {
                roles.retain(|role| given.contains(role));
                let subject = if self.plain_subjects {
                    subject.to_owned()
                } else {
                    outside_subject(&self.issuer, subject)
                };
                // `email_verified` is OpenID Connect's name.
                (subject, None, "email_verified")
            }
        };
        let verified = claims::flag(claims.get(verified)).unwrap_or_default();
        let mut passed = Claims::new();
        passed.insert("sub".to_owned(), subject.into());
        passed.insert("roles".to_owned(), roles.into());
        passed.insert("emailVerified".to_owned(), verified.into());
        passed.insert("exp".to_owned(), as_numeric_date(exp));
        let tier = tier.filter(|tier| tier.is_string());
        passed.extend(tier.map(|tier| ("tier".to_owned(), tier.clone())));
        passed.extend(self.claims.iter().filter_map(|name| {
            let claim = named(claims, name).filter(|claim| !claim.is_null())?;
            Some((name.clone(), claim.clone()))
        }));
        Ok(passed)
    }
}

/// Whether a claim is this audience, or contains it.
fn names_audience(claim: &Value, audience: &str) -> bool {
    match claim {
        Value::String(one) => one == audience,
        Value::Array(several) => {
            several.iter().all(Value::is_string) && several.iter().any(|one| one == audience)
        }
        _ => false,
    }
}

/// A date in a token's form: whole seconds if possible, as functions of the version before expect.
fn as_numeric_date(date: Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "dates until the year 9999 are below 2^53 ms")]
    match date.as_millis() {
        millis if millis % 1000 == 0 => (millis / 1000).into(),
        millis => (millis as f64 / 1000.0).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use futures::FutureExt;
    use lifecycle::testing::simulated::within;
    use serde_json::json;

    use super::*;
    use crate::auth::tokens::generate;
    use crate::every::tests::WallClock;

    #[tokio::test(start_paused = true)]
    async fn the_minute_between_refreshes_passes_while_the_process_is_frozen() {
        let (clock, reads) = (Arc::<WallClock>::default(), Arc::<AtomicU32>::default());
        let (counted, known) = (Arc::clone(&reads), generate().unwrap());
        let keys = json!({ "keys": [known.verification] }).to_string();
        let keys = Secret::new("keys", move || {
            counted.fetch_add(1, SeqCst);
            let keys = KeySet::parse(&keys).map_err(ServiceError::internal);
            async move { keys }.boxed()
        });
        let issuer = Issuer::new("https://api.example.com", "api", keys, "roles");
        within(clock.clone(), async {
            for expected in [2, 3] {
                for _ in 0..2 {
                    issuer.keys_with("unknown").await.unwrap();
                }
                assert_eq!(reads.load(SeqCst), expected);
                clock.pass(BETWEEN_REFRESHES);
            }
        })
        .await;
    }
}
