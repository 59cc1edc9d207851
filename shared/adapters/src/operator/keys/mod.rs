//! Rotation of the keys that tokens are signed with, by the protocol of Secrets Manager's own: the
//! fresh key is `AWSPENDING` until it is published, tried and made `AWSCURRENT`.
//!
//! What is known of a key's past stands in the set of public keys beside it, as `publishedAt` and
//! `retiredAt`, and is not published.

mod plan;

use std::time::SystemTime;

use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use futures::FutureExt;
use lifecycle::caller::TokenVerifier;
use lifecycle::failure::BoxError;
use lifecycle::{Claims, Fault, Timestamp};
use serde_json::{Value, json};

use self::plan::{Known, Standing};
pub use self::plan::{Refusal, Step, Waits};
use crate::faults::fault;
use crate::secrets::Secret;
use crate::tokens::{Issuer, KeyPair, KeySet, LIFETIME_S, Signer, Verifier, generate};
use crate::{Aws, SIGNING_KEYS, VERIFICATION_KEYS};

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// Whose token a fresh key is tried by: nobody's that any function would believe.
const TRIAL: &str = "rotation";

/// Rotates the keys, a step at a time.
pub struct Rotation {
    aws: Aws,
    waits: Waits,
}

/// What the two secrets hold.
struct Held {
    current: Version,
    pending: Option<Version>,
    /// The set of public keys.
    set: Value,
}

/// A version of the signing key.
struct Version {
    id: String,
    text: String,
    pair: KeyPair,
}

impl Rotation {
    pub(super) fn new(aws: Aws, waits: Waits) -> Self {
        Self { aws, waits }
    }

    /// Does the next step, if there is anything to be done, and tells which it was. To be called
    /// until it is [`Step::Retire`]; who stops before goes on there the next time.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], or what is wrong with the secrets.
    pub async fn step(&self) -> Result<Step, BoxError> {
        let now = Timestamp::from(SystemTime::now());
        let held = self.held().await?;
        let step = held.standing()?.next(now, &self.waits)?;
        match (&step, &held.pending) {
            (Step::Make, _) => self.put_pending(&generate()?.signing.to_string()).await?,
            (Step::Publish(_), Some(pending)) => {
                self.put_set(published(held.set, &pending.pair, now)).await?;
            }
            (Step::Promote(_), Some(pending)) => {
                try_out(pending, &held.set, now).await?;
                self.make_current(&held.current, pending).await?;
            }
            (Step::Retire(kids), _) => self.put_set(retired(held.set, kids, now)).await?,
            (Step::Drop(kid), _) => self.put_set(without(held.set, kid)).await?,
            (Step::Wait(_) | Step::Publish(_) | Step::Promote(_), _) => {}
        }
        Ok(step)
    }

    async fn held(&self) -> Result<Held, BoxError> {
        let current = self.get(SIGNING_KEYS, CURRENT).await?;
        let current = current.ok_or("no key signs yet; `cargo xtask keys` makes the first")?;
        let pending = self.get(SIGNING_KEYS, PENDING).await?;
        // The label stays where it was when its version becomes the current one.
        let pending = pending.filter(|pending| pending.version_id != current.version_id);
        let set = self.get(VERIFICATION_KEYS, CURRENT).await?;
        let set = set.and_then(|set| set.secret_string).ok_or("no key verifies yet")?;
        let set = serde_json::from_str(&set).map_err(|_| "the verification keys are not JSON")?;
        let pending = pending.map(Version::read).transpose()?;
        Ok(Held { current: Version::read(current)?, pending, set })
    }

    /// A secret's version by its stage; nothing where no version has it.
    async fn get(
        &self,
        secret: &'static str,
        stage: &str,
    ) -> Result<Option<GetSecretValueOutput>, Fault> {
        let request = self.aws.secrets_manager().get_secret_value();
        let answer = request.secret_id(self.id(secret)?).version_stage(stage).send().await;
        match answer {
            Ok(version) => Ok(Some(version)),
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

    async fn put_pending(&self, text: &str) -> Result<(), Fault> {
        let request = self.aws.secrets_manager().put_secret_value();
        let request = request.secret_id(self.id(SIGNING_KEYS)?).secret_string(text);
        let answer = request.version_stages(PENDING).send().await;
        answer.map(drop).map_err(|error| fault("PutSecretValue", SIGNING_KEYS, error))
    }

    async fn put_set(&self, set: Value) -> Result<(), Fault> {
        let request = self.aws.secrets_manager().put_secret_value();
        let request = request.secret_id(self.id(VERIFICATION_KEYS)?).secret_string(set.to_string());
        let answer = request.send().await;
        answer.map(drop).map_err(|error| fault("PutSecretValue", VERIFICATION_KEYS, error))
    }

    async fn make_current(&self, current: &Version, pending: &Version) -> Result<(), Fault> {
        let request = self.aws.secrets_manager().update_secret_version_stage();
        let request = request.secret_id(self.id(SIGNING_KEYS)?).version_stage(CURRENT);
        let request = request.move_to_version_id(&pending.id).remove_from_version_id(&current.id);
        let answer = request.send().await;
        answer.map(drop).map_err(|error| fault("UpdateSecretVersionStage", SIGNING_KEYS, error))
    }

    fn id(&self, secret: &'static str) -> Result<&str, Fault> {
        let id = self.aws.configuration().secret(secret);
        id.ok_or_else(|| Fault::internal(format!("secret {secret} is not among the uses")))
    }
}

impl Version {
    fn read(version: GetSecretValueOutput) -> Result<Self, BoxError> {
        let text = version.secret_string.ok_or("a signing key is not text")?;
        let pair = KeyPair::of_signing_key(&text)?;
        Ok(Self { id: version.version_id.unwrap_or_default(), text, pair })
    }
}

impl Held {
    fn standing(&self) -> Result<Standing, BoxError> {
        let keys = self.set["keys"].as_array().ok_or("the verification keys are no key set")?;
        let known = |key: &Value| serde_json::from_value::<Known>(key.clone());
        let keys = keys.iter().map(known).collect::<Result<_, _>>()?;
        let signing = self.current.pair.kid().to_owned();
        let pending = self.pending.as_ref().map(|pending| pending.pair.kid().to_owned());
        Ok(Standing { signing, pending, keys })
    }
}

fn published(set: Value, pair: &KeyPair, now: Timestamp) -> Value {
    let mut key = pair.verification.clone();
    key["publishedAt"] = json!(now);
    let mut set = without(set, pair.kid());
    keys_of(&mut set).push(key);
    set
}

fn retired(mut set: Value, kids: &[String], now: Timestamp) -> Value {
    for key in keys_of(&mut set) {
        if kids.iter().any(|kid| key["kid"] == *kid) {
            key["retiredAt"] = json!(now);
        }
    }
    set
}

fn without(mut set: Value, kid: &str) -> Value {
    keys_of(&mut set).retain(|key| key["kid"] != kid);
    set
}

fn keys_of(set: &mut Value) -> &mut Vec<Value> {
    set["keys"].as_array_mut().expect("its standing was read before it is changed")
}

/// Signs with the fresh key, and verifies by the set as it is stored.
async fn try_out(pending: &Version, set: &Value, now: Timestamp) -> Result<(), BoxError> {
    let signer = Signer::from_secret(&pending.text, TRIAL, TRIAL)?;
    let claims = Claims::from_iter([("sub".to_owned(), TRIAL.into())]);
    let set = set.to_string();
    let keys = Secret::new(VERIFICATION_KEYS, move || {
        let keys = KeySet::parse(&set).map_err(Fault::internal);
        std::future::ready(keys).boxed()
    });
    let verifier = Verifier::new(vec![Issuer::new(TRIAL, TRIAL, keys, "roles")]);
    verifier.verify(&signer.sign(&claims, now, LIFETIME_S), now).await?;
    Ok(())
}
