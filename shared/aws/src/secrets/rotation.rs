//! Rotation of the keys that sign tokens.
//!
//! | step | secret | state after it |
//! |---|---|---|
//! | create | signing keys, `AWSPENDING` | the next key becomes the pending signing key, a fresh key becomes the next one; refused while tokens of the last replaced key may be valid |
//! | set | verification keys | the two pending keys and the current signing key; older keys are removed |
//! | test | | a token of the pending signing key verifies with the stored set |
//! | finish | signing keys, `AWSCURRENT` moves | the pending signing key signs |
//!
//! A key is published for one whole rotation before it signs and for one after. So no rotation
//! waits for functions to read the new set; see [`RotationError`]. The first rotation makes both
//! keys.

use std::time::Duration;

use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use futures::FutureExt;
use lifecycle::caller::{LEEWAY_S, TokenVerifier};
use lifecycle::clock::now;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
use lifecycle::rotation::{Rotation, Step};
use lifecycle::{Claims, ServiceError, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::secret::{self, Secret};
use crate::auth::tokens::{Issuer, KeyRing, KeySet, LIFETIME_S, Signer, Verifier};
use crate::errors::fault;
use crate::{Aws, SIGNING_KEYS, VERIFICATION_KEYS};

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// The value of the signing-keys secret before the first rotation.
const NO_KEYS: &str = "{}";

/// Issuer, audience and subject of the token that tests a new key. No function accepts it.
const TEST_SUBJECT: &str = "rotation";

/// Rotates the keys that sign tokens.
pub struct KeyRotation {
    aws: Aws,
    /// The secret of the signing keys.
    signing: &'static str,
    /// The secret of the verification keys.
    verification: &'static str,
    ended_after: Duration,
}

/// Why the keys cannot be rotated now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The last replaced key would leave the set, and its tokens would stop working.
    #[error("tokens of the key {kid}, which was replaced last, may live until {until}")]
    StillAlive {
        /// The key.
        kid: String,
        /// When its last token expires.
        until: Timestamp,
    },
    /// The next key would sign, but no function could verify its tokens.
    #[error("the key {0} is next, but the verification keys lack it")]
    Unpublished(String),
}

impl Aws {
    /// Rotates the keys that sign tokens.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks a secret of
    /// [`KeyRotation::RESOURCES`](Rotation::RESOURCES).
    pub fn key_rotation(&self) -> KeyRotation {
        self.key_rotation_of(SIGNING_KEYS, VERIFICATION_KEYS)
    }

    /// Rotates the keys in secrets with other names. A type of the service implements [`Rotation`]:
    /// it declares these secrets, and passes the calls on.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks one of the secrets.
    pub fn key_rotation_of(
        &self,
        signing: &'static str,
        verification: &'static str,
    ) -> KeyRotation {
        for secret in [signing, verification] {
            assert!(
                self.configuration().secret(secret).is_some(),
                "RESOURCES lacks the secret {secret}"
            );
        }
        KeyRotation { aws: self.clone(), signing, verification, ended_after: ended_after() }
    }
}

impl KeyRotation {
    /// Sets how long after a key's replacement all its tokens count as expired. Use it for a leaked
    /// key, whose tokens must stop working.
    #[must_use]
    pub fn retired_after(self, ended_after: Duration) -> Self {
        Self { ended_after, ..self }
    }
}

impl Rotation for KeyRotation {
    const RESOURCES: &'static [Resource] =
        &[Resource::RotatedSecret(SIGNING_KEYS), Resource::WrittenSecret(VERIFICATION_KEYS)];

    fn secret_id(&self) -> &str {
        self.id(self.signing)
    }

    async fn perform(&self, step: Step, version_id: &str) -> Result<(), BoxError> {
        let current = self.get(self.signing, VersionOf::Stage(CURRENT)).await?;
        let current = current.ok_or("the secret of the signing keys has no value")?;
        if current.version_id() == Some(version_id) {
            return Ok(());
        }
        let keys = keys_of(&current)?;
        let fresh = self.get(self.signing, VersionOf::Id(version_id)).await?;
        let fresh = fresh.as_ref().map(keys_of).transpose()?.flatten();
        let set = self.get(self.verification, VersionOf::Stage(CURRENT)).await?;
        let set = set.ok_or("the secret of the verification keys has no value")?;
        let set = StoredSet::read(&set)?;
        let now = now();
        match (step, fresh) {
            (Step::Create, Some(_)) => Ok(()),
            (Step::Create, None) => {
                let fresh = match keys {
                    Some(keys) => {
                        may_follow(&keys, &set, now, self.ended_after)?;
                        keys.rotated()?
                    }
                    None => KeyRing::generate()?,
                };
                self.put_pending(version_id, &fresh).await
            }
            (_, None) => Err("the version was never created".into()),
            (Step::Set, Some(fresh)) => {
                let signed = keys.as_ref().map(|keys| &keys.signs);
                self.put_set(&fresh.verification_keys(signed)).await
            }
            (Step::Test, Some(fresh)) => try_out(&fresh, set.text, now).await,
            (Step::Finish, Some(_)) => self.make_current(version_id, current.version_id()).await,
        }
    }
}

/// Selects a version of a secret.
#[derive(Clone, Copy)]
enum VersionOf<'a> {
    Stage(&'a str),
    Id(&'a str),
}

impl KeyRotation {
    /// A version of a secret; `None` if it does not exist.
    async fn get(
        &self,
        secret: &'static str,
        which: VersionOf<'_>,
    ) -> Result<Option<GetSecretValueOutput>, ServiceError> {
        let request = self.aws.secrets_manager().get_secret_value().secret_id(self.id(secret));
        let request = match which {
            VersionOf::Stage(stage) => request.version_stage(stage),
            VersionOf::Id(id) => request.version_id(id),
        };
        match request.send().await {
            Ok(found) => Ok(Some(found)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(fault("GetSecretValue", secret, error)),
        }
    }

    async fn put_pending(&self, version_id: &str, keys: &KeyRing) -> Result<(), BoxError> {
        let request = self.aws.secrets_manager().put_secret_value();
        let request = request.secret_id(self.id(self.signing)).client_request_token(version_id);
        let request = request.secret_string(keys.signing_keys().to_string());
        let answer = request.version_stages(PENDING).send().await;
        answer.map_err(|error| fault("PutSecretValue", self.signing, error))?;
        Ok(())
    }

    async fn put_set(&self, set: &Value) -> Result<(), BoxError> {
        let request = self.aws.secrets_manager().put_secret_value();
        let request = request.secret_id(self.id(self.verification)).secret_string(set.to_string());
        let answer = request.send().await;
        answer.map_err(|error| fault("PutSecretValue", self.verification, error))?;
        Ok(())
    }

    async fn make_current(&self, version_id: &str, replaced: Option<&str>) -> Result<(), BoxError> {
        let request = self.aws.secrets_manager().update_secret_version_stage();
        let request = request.secret_id(self.id(self.signing)).version_stage(CURRENT);
        let request = request.move_to_version_id(version_id);
        let request = request.set_remove_from_version_id(replaced.map(str::to_owned));
        let answer = request.send().await;
        answer.map_err(|error| fault("UpdateSecretVersionStage", self.signing, error))?;
        Ok(())
    }

    fn id(&self, secret: &'static str) -> &str {
        self.aws
            .configuration()
            .secret(secret)
            .expect("`key_rotation_of` checked that the secret is declared")
    }
}

/// A function that cannot read the secret signs for up to an hour more, and its last token has the
/// usual lifetime. A minute more covers clock differences and calls in progress.
fn ended_after() -> Duration {
    let token = Duration::from_secs(u64::from(LIFETIME_S) + LEEWAY_S.unsigned_abs());
    secret::USABLE + token + Duration::from_mins(1)
}

/// The keys of a version; `None` before the first rotation.
fn keys_of(version: &GetSecretValueOutput) -> Result<Option<KeyRing>, BoxError> {
    match version.secret_string().ok_or("the signing keys are not text")? {
        NO_KEYS => Ok(None),
        keys => KeyRing::parse(keys).map(Some),
    }
}

/// The stored verification keys, and when they were stored.
struct StoredSet {
    text: String,
    kids: Vec<String>,
    since: Timestamp,
}

impl StoredSet {
    fn read(version: &GetSecretValueOutput) -> Result<Self, BoxError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Key>,
        }
        #[derive(Deserialize)]
        struct Key {
            kid: String,
        }
        let text = version.secret_string().ok_or("the verification keys are not text")?;
        let set: Set =
            serde_json::from_str(text).map_err(|_| "the verification keys are not a key set")?;
        let since = version.created_date().ok_or("the verification keys have no date")?;
        Ok(Self {
            text: text.to_owned(),
            kids: set.keys.into_iter().map(|key| key.kid).collect(),
            since: Timestamp::from_millis(since.to_millis()?),
        })
    }
}

/// Whether the next key may sign: every function can verify it, and the key that leaves the set has
/// no valid tokens.
fn may_follow(
    keys: &KeyRing,
    set: &StoredSet,
    now: Timestamp,
    ended_after: Duration,
) -> Result<(), RotationError> {
    let next = keys.next.kid();
    if !set.kids.iter().any(|kid| kid == next) {
        return Err(RotationError::Unpublished(next.to_owned()));
    }
    // A set that begins with another key was stored by a rotation that then failed: no key has been
    // replaced since. Otherwise the key was replaced moments after the set was stored.
    let is_of_these = set.kids.first().is_some_and(|kid| kid == keys.signs.kid());
    let until = set.since.plus_seconds(ended_after.as_secs().cast_signed());
    match set.kids.iter().find(|kid| !keys.has(kid)) {
        Some(kid) if is_of_these && until > now => {
            Err(RotationError::StillAlive { kid: kid.clone(), until })
        }
        _ => Ok(()),
    }
}

/// Signs a token with the pending key, and verifies it with the stored set.
async fn try_out(fresh: &KeyRing, set: String, now: Timestamp) -> Result<(), BoxError> {
    let signer =
        Signer::from_secret(&fresh.signing_keys().to_string(), TEST_SUBJECT, TEST_SUBJECT)?;
    let claims = Claims::from_iter([("sub".to_owned(), TEST_SUBJECT.into())]);
    let keys = Secret::new(VERIFICATION_KEYS, move || {
        let keys = KeySet::parse(&set).map_err(ServiceError::internal);
        std::future::ready(keys).boxed()
    });
    let verifier = Verifier::new(vec![Issuer::new(TEST_SUBJECT, TEST_SUBJECT, keys, "roles")]);
    verifier.verify(&signer.sign(&claims, now, LIFETIME_S), now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tokens::PUBLISHED_S;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// These keys as a set that was stored at 10 s.
    fn stored(set: &Value) -> StoredSet {
        let version = GetSecretValueOutput::builder()
            .secret_string(set.to_string())
            .created_date(aws_smithy_types::DateTime::from_secs(10));
        StoredSet::read(&version.build()).unwrap()
    }

    fn refusal(keys: &KeyRing, set: &Value, now: i64) -> Option<RotationError> {
        may_follow(keys, &stored(set), at(now), Duration::from_secs(100)).err()
    }

    #[test]
    fn a_key_whose_tokens_may_be_valid_does_not_leave_the_set() {
        let first = KeyRing::generate().unwrap();
        let keys = first.rotated().unwrap();
        let set = keys.verification_keys(Some(&first.signs));
        let kid = first.signs.kid().to_owned();
        let alive = RotationError::StillAlive { kid, until: at(110) };
        assert_eq!(refusal(&keys, &set, 109), Some(alive));
        assert_eq!(refusal(&keys, &set, 110), None);
        assert_eq!(refusal(&keys, &keys.verification_keys(None), 10), None, "no key was replaced");
        let failed = keys.rotated().unwrap().verification_keys(Some(&keys.signs));
        assert_eq!(refusal(&keys, &failed, 10), None, "an earlier rotation failed");
    }

    #[test]
    fn both_keys_of_a_leaked_secret_verify_until_the_third_rotation() {
        let leaked = KeyRing::generate().unwrap();
        let mut keys = KeyRing::parse(&leaked.signing_keys().to_string()).unwrap();
        let mut set = leaked.verification_keys(None);
        for leaked_and_published in [2, 1, 0] {
            let none = Duration::ZERO;
            may_follow(&keys, &stored(&set), at(11), none).expect("the operator's limit is 0");
            let rotated = keys.rotated().unwrap();
            set = rotated.verification_keys(Some(&keys.signs));
            keys = rotated;
            let left = stored(&set).kids.into_iter().filter(|kid| leaked.has(kid));
            assert_eq!(left.count(), leaked_and_published, "{set}");
        }
    }

    #[test]
    fn an_unpublished_key_does_not_sign() {
        let first = KeyRing::generate().unwrap();
        let keys = first.rotated().unwrap();
        let next = keys.next.kid().to_owned();
        let set = first.verification_keys(None);
        assert_eq!(refusal(&keys, &set, 1_000), Some(RotationError::Unpublished(next)));
    }

    #[tokio::test]
    async fn a_key_is_tested_with_the_stored_set() {
        let [keys, others] = [(), ()].map(|()| KeyRing::generate().unwrap());
        let set = |keys: &KeyRing| keys.verification_keys(None).to_string();
        assert!(try_out(&keys, set(&keys), at(1_000)).await.is_ok());
        assert!(try_out(&keys, set(&others), at(1_000)).await.is_err());
    }

    #[test]
    fn the_wait_exceeds_the_age_of_cached_keys_and_tokens() {
        assert!(ended_after() > secret::USABLE + Duration::from_secs(LIFETIME_S.into()));
        assert!(ended_after() > secret::FRESH + Duration::from_secs(PUBLISHED_S));
    }
}
