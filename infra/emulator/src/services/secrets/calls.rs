//! Secrets Manager's calls. Those about rotations are handled here, the others by the embedded
//! Secrets Manager, which cannot invoke functions and would rotate without them.
//!
//! Two responses differ from AWS: a cancelled rotation stays enabled, and rotations have no dates.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use rustack_secretsmanager_core::validation::validate_client_request_token;
use rustack_secretsmanager_http::response;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::embedded::Secrets;
use super::rotation::Rotation;
use crate::services::error::SecretError;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// The fields of the call that the platform supports. Function and schedule come from the template.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RotateSecret {
    secret_id: String,
    client_request_token: Option<String>,
}

impl Secrets {
    /// Handles a call as Secrets Manager does.
    pub(crate) async fn call(&self, operation: &str, body: Bytes) -> Response {
        // If the body is not JSON, the store reports the error.
        let input = || serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answered = match operation {
            "RotateSecret" => self.rotate_secret(input()).await,
            "DescribeSecret" => self.describe_secret(input()).await,
            "UpdateSecretVersionStage" => self.update_secret_version_stage(input()).await,
            _ => return self.handle(operation, body).await.map(Body::from),
        };
        let (status, answer) = match answered {
            Ok(answer) => (200, answer.to_string()),
            Err(error) => (400, error.answer),
        };
        let response = Response::builder().status(status);
        let response = response.header(CONTENT_TYPE, response::CONTENT_TYPE).body(answer.into());
        response.expect("literal statuses and headers are valid")
    }

    /// Starts a rotation. If the previous one is incomplete, it is retried, and the call returns an
    /// error.
    pub(crate) async fn rotate_secret(&self, input: Value) -> Result<Value, SecretError> {
        const OPERATION: &str = "RotateSecret";

        let refuse = |why: &str| SecretError::new(OPERATION, "InvalidRequestException", why);
        let input: RotateSecret = serde_json::from_value(input)
            .map_err(|error| refuse(&format!("not supported by the local platform: {error}")))?;
        let secret = self.describe_secret(json!({"SecretId": input.secret_id})).await?;
        let rotation = self.rotation_of(&secret).ok_or_else(|| {
            refuse("No Lambda rotation function ARN is associated with this secret.")
        })?;
        let token = input.client_request_token.unwrap_or_else(|| Uuid::new_v4().to_string());
        validate_client_request_token(&token)
            .map_err(|error| SecretError::new(OPERATION, error.error_type(), &error.message))?;
        if self.begin(rotation, &secret["ARN"], &token).await? != token {
            let why = "A previous rotation isn't complete. That rotation will be reattempted.";
            return Err(refuse(why));
        }
        Ok(json!({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}))
    }

    /// Starts a rotation with this token, unless one is in progress or incomplete. Returns the
    /// token of the rotation in progress.
    async fn begin(
        &self,
        rotation: &Rotation,
        arn: &Value,
        token: &str,
    ) -> Result<String, SecretError> {
        let _beginning = rotation.beginning.lock().await;
        if let Some(under_way) = rotation.under_way.borrow().clone() {
            return Ok(under_way);
        }
        let described = self.describe_secret(json!({"SecretId": arn})).await?;
        let pending = version_labelled(&described, PENDING);
        let incomplete = pending.filter(|it| version_labelled(&described, CURRENT) != Some(it));
        if incomplete.is_none() {
            // Remove the label from the previous rotation's version; the new version gets it.
            self.ask("CancelRotateSecret", json!({"SecretId": arn})).await?;
        }
        let begun = incomplete.unwrap_or(token).to_owned();
        rotation.under_way.send_replace(Some(begun.clone()));
        Ok(begun)
    }

    /// Describes a secret. In a rotation, the new version has its label before it has a value.
    pub(super) async fn describe_secret(&self, input: Value) -> Result<Value, SecretError> {
        let mut secret = self.ask("DescribeSecret", input).await?;
        if let Some(rotation) = self.rotation_of(&secret) {
            secret["RotationEnabled"] = true.into();
            if let Some(token) = rotation.under_way.borrow().as_deref() {
                let labels = &mut secret["VersionIdsToStages"][token];
                if labels.is_null() {
                    *labels = json!([PENDING]);
                }
            }
        }
        Ok(secret)
    }

    /// Moves a label. The call must name the version that has it.
    pub(super) async fn update_secret_version_stage(
        &self,
        input: Value,
    ) -> Result<Value, SecretError> {
        const OPERATION: &str = "UpdateSecretVersionStage";

        let secret = self.ask("DescribeSecret", json!({"SecretId": input["SecretId"]})).await?;
        let label = input["VersionStage"].as_str().unwrap_or_default();
        let labelled = version_labelled(&secret, label);
        let elsewhere = labelled.filter(|version| input["MoveToVersionId"] != **version);
        if let Some(version) = elsewhere
            && input["RemoveFromVersionId"].is_null()
        {
            let why = format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {label} is \
                 currently attached to version {version}, so you must explicitly reference that \
                 version in RemoveFromVersionId."
            );
            return Err(SecretError::new(OPERATION, "InvalidParameterException", &why));
        }
        self.ask(OPERATION, input).await
    }

    fn rotation_of(&self, secret: &Value) -> Option<&Rotation> {
        self.rotations.get(secret["Name"].as_str()?)
    }
}

/// The version of a secret that has a label.
fn version_labelled<'a>(secret: &'a Value, label: &str) -> Option<&'a str> {
    let mut versions = secret["VersionIdsToStages"].as_object()?.iter();
    let has = |labels: &Value| labels.as_array().is_some_and(|it| it.contains(&label.into()));
    versions.find(|(_, labels)| has(labels)).map(|(version, _)| version.as_str())
}
