//! Secrets Manager: secrets, their versions and staging labels.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::account::{ACCOUNT_ID, REGION};
use super::call::{Answer, Call};
use super::sqs::drawn_id;
use super::wire::{AwsError, parsed};
use crate::Millis;
use crate::random::Random;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const PENDING: &str = "AWSPENDING";

/// The secrets of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets(BTreeMap<String, Secret>);

#[derive(Debug, Clone)]
struct Secret {
    arn: String,
    /// By id.
    versions: BTreeMap<String, Version>,
    /// The version of each staging label.
    labels: BTreeMap<String, String>,
    created_at: Millis,
    rotation: Rotation,
}

/// The rotation of a secret.
#[derive(Debug, Clone, Default)]
enum Rotation {
    #[default]
    None,
    Waits,
    /// Of the version with this id.
    UnderWay(String),
}

#[derive(Debug, Clone)]
struct Version {
    content: Content,
    created_at: Millis,
}

/// The members of a version's content.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    text: Option<String>,
    /// In base64.
    binary: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutSecretValue {
    secret_id: String,
    client_request_token: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
    version_stages: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateSecretVersionStage {
    secret_id: String,
    version_stage: String,
    move_to_version_id: Option<String>,
    remove_from_version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeSecret {
    secret_id: String,
}

impl Secrets {
    pub(super) fn add(&mut self, name: &str, value: &str, now: Millis, random: &mut dyn Random) {
        let id = drawn_id(random);
        let content = Content { text: Some(value.to_owned()), binary: None };
        let secret = Secret {
            arn: format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:{name}-AbCdEf"),
            versions: BTreeMap::from([(id.clone(), Version { content, created_at: now })]),
            labels: BTreeMap::from([(CURRENT.to_owned(), id)]),
            created_at: now,
            rotation: Rotation::None,
        };
        self.0.insert(name.to_owned(), secret);
    }

    /// Begins a rotation to a version with this id, or ends it. The version of an earlier rotation is
    /// no longer pending then.
    pub(super) fn rotate(&mut self, name: &str, version: Option<&str>) {
        let Some(secret) = self.0.get_mut(name) else { return };
        secret.rotation = match version {
            None => Rotation::Waits,
            Some(version) => {
                secret.labels.retain(|label, id| label != PENDING || id == version);
                Rotation::UnderWay(version.to_owned())
            }
        };
    }

    pub(super) fn call(
        &mut self,
        operation: &str,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Answer, AwsError> {
        let answer = match operation {
            "GetSecretValue" => self.get_secret_value(body, call),
            "PutSecretValue" => self.put_secret_value(body, call),
            "UpdateSecretVersionStage" => self.update_secret_version_stage(body, call),
            "DescribeSecret" => self.describe_secret(body, call),
            _ => Err(AwsError::unknown_operation()),
        };
        answer.map(Answer::Now)
    }

    /// The secret of a name or ARN, if the caller may perform the action on it.
    fn permitted(
        &mut self,
        id: &str,
        action: &str,
        call: &Call<'_>,
    ) -> Result<(&str, &mut Secret), AwsError> {
        let found = self.0.iter_mut().find(|(name, secret)| *name == id || secret.arn == id);
        let name = found.as_ref().map_or(id, |(name, _)| name.as_str());
        let action = format!("secretsmanager:{action}");
        call.access.check(&action, &format!("secret:{name}"))?;
        let (name, secret) = found.ok_or_else(|| {
            AwsError::not_found("Secrets Manager can't find the specified secret.")
        })?;
        Ok((name, secret))
    }

    fn get_secret_value(&mut self, body: &[u8], call: &Call<'_>) -> Result<Json, AwsError> {
        let request: GetSecretValue = parsed(body)?;
        let (name, secret) = self.permitted(&request.secret_id, "GetSecretValue", call)?;
        let stage = request.version_stage.as_deref();
        let id = match &request.version_id {
            Some(id) => id,
            None => secret
                .labels
                .get(stage.unwrap_or(CURRENT))
                .ok_or_else(|| not_there("staging label", stage.unwrap_or(CURRENT)))?,
        };
        let version = secret.versions.get(id).ok_or_else(|| not_there("VersionId", id))?;
        if stage.is_some_and(|stage| secret.labels.get(stage) != Some(id)) {
            return Err(AwsError::new(
                "InvalidRequestException",
                "You provided a VersionStage that is not associated to the provided VersionId.",
            ));
        }
        let mut answer = json!({
            "ARN": secret.arn,
            "Name": name,
            "VersionId": id,
            "VersionStages": secret.stages(id),
            "CreatedDate": version.created_at.as_seconds_f64(),
        });
        if let Some(text) = &version.content.text {
            answer["SecretString"] = json!(text);
        }
        if let Some(binary) = &version.content.binary {
            answer["SecretBinary"] = json!(binary);
        }
        Ok(answer)
    }

    fn put_secret_value(&mut self, body: &[u8], call: &mut Call<'_>) -> Result<Json, AwsError> {
        let request: PutSecretValue = parsed(body)?;
        let (name, secret) = self.permitted(&request.secret_id, "PutSecretValue", call)?;
        let content = Content { text: request.secret_string, binary: request.secret_binary };
        if content.text.is_some() == content.binary.is_some() {
            return Err(AwsError::new(
                "InvalidParameterException",
                "You must provide either SecretString or SecretBinary.",
            ));
        }
        let id = request.client_request_token.unwrap_or_else(|| drawn_id(call.random));
        match secret.versions.get(&id) {
            Some(version) if version.content != content => {
                return Err(AwsError::new(
                    "ResourceExistsException",
                    "The operation failed because you attempted to modify an existing version. \
                     You can't modify an existing version, you can only create new ones.",
                ));
            }
            Some(_) => {}
            None => {
                let version = Version { content, created_at: call.now };
                secret.versions.insert(id.clone(), version);
                let stages = request.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
                for stage in stages {
                    secret.attach(&stage, &id);
                }
            }
        }
        Ok(json!({
            "ARN": secret.arn, "Name": name, "VersionId": id, "VersionStages": secret.stages(&id),
        }))
    }

    fn update_secret_version_stage(
        &mut self,
        body: &[u8],
        call: &Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: UpdateSecretVersionStage = parsed(body)?;
        let (name, secret) =
            self.permitted(&request.secret_id, "UpdateSecretVersionStage", call)?;
        let stage = &request.version_stage;
        for id in request.move_to_version_id.iter().chain(&request.remove_from_version_id) {
            if !secret.versions.contains_key(id) {
                return Err(not_there("VersionId", id));
            }
        }
        let holder = secret.labels.get(stage).cloned();
        let removed = request.remove_from_version_id.as_ref();
        let (is_same, is_given) =
            (holder == request.move_to_version_id, removed == holder.as_ref());
        if holder.is_some() && !is_same && !is_given {
            return Err(AwsError::new(
                "InvalidParameterException",
                format!(
                    "The parameter RemoveFromVersionId can't be empty or another version. Staging \
                     label {stage} is currently attached to version {}, so you must explicitly \
                     reference that version in RemoveFromVersionId.",
                    holder.unwrap_or_default()
                ),
            ));
        }
        match request.move_to_version_id {
            Some(id) => secret.attach(stage, &id),
            None => drop(secret.labels.remove(stage)),
        }
        Ok(json!({ "ARN": secret.arn, "Name": name }))
    }

    fn describe_secret(&mut self, body: &[u8], call: &Call<'_>) -> Result<Json, AwsError> {
        let request: DescribeSecret = parsed(body)?;
        let (name, secret) = self.permitted(&request.secret_id, "DescribeSecret", call)?;
        let labelled: BTreeSet<&String> = secret.labels.values().collect();
        let stages = labelled.into_iter().map(|id| (id.clone(), json!(secret.stages(id))));
        let mut stages: Map<_, _> = stages.collect();
        // The new version has its label before it has a value.
        if let Rotation::UnderWay(id) = &secret.rotation {
            stages.entry(id).or_insert_with(|| json!([PENDING]));
        }
        let mut answer = json!({
            "ARN": secret.arn,
            "Name": name,
            "CreatedDate": secret.created_at.as_seconds_f64(),
            "VersionIdsToStages": stages,
        });
        if !matches!(secret.rotation, Rotation::None) {
            answer["RotationEnabled"] = json!(true);
        }
        Ok(answer)
    }
}

impl Secret {
    fn stages(&self, id: &str) -> Vec<&str> {
        let labels = self.labels.iter().filter(|(_, version)| *version == id);
        labels.map(|(label, _)| label.as_str()).collect()
    }

    /// Moves a label to a version. The version that was current is then the previous one.
    fn attach(&mut self, label: &str, id: &str) {
        let before = self.labels.insert(label.to_owned(), id.to_owned());
        if let Some(before) = before.filter(|before| label == CURRENT && before != id) {
            self.labels.insert(PREVIOUS.to_owned(), before);
        }
    }
}

fn not_there(kind: &str, value: &str) -> AwsError {
    AwsError::not_found(format!(
        "Secrets Manager can't find the specified secret value for {kind}: {value}"
    ))
}
