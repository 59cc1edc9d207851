//! The embedded Secrets Manager: the template's secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use bytes::Bytes;
use http_body_util::BodyExt;
use rustack_secretsmanager_core::config::SecretsManagerConfig;
use rustack_secretsmanager_core::handler::RustackSecretsManagerHandler;
use rustack_secretsmanager_core::provider::RustackSecretsManager;
use rustack_secretsmanager_http::SecretsManagerHandler;
use rustack_secretsmanager_http::response::error_to_response;
use rustack_secretsmanager_http::router::resolve_operation;
use serde_json::{Value, json};
use uuid::Uuid;

use super::kept::Kept;
use super::rotation::{self, Rotation};
use crate::services::error::SecretError;
use sam_template::{ACCOUNT_ID, REGION, Template};

/// The calls that may change a secret's current value.
const WRITES: [&str; 4] =
    ["CreateSecret", "PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"];

/// The secrets, in memory. Their current values may also be kept in a file.
pub(crate) struct Secrets {
    handler: RustackSecretsManagerHandler,
    kept: Kept,
    /// By secret name.
    pub(crate) rotations: BTreeMap<String, Rotation>,
}

impl Secrets {
    pub(crate) fn new(template: &Template, kept: Kept) -> Self {
        let provider = RustackSecretsManager::new(SecretsManagerConfig {
            skip_signature_validation: true,
            default_region: REGION.to_owned(),
            default_account_id: ACCOUNT_ID.to_owned(),
        });
        Self {
            handler: RustackSecretsManagerHandler::new(Arc::new(provider)),
            kept,
            rotations: rotation::of(template),
        }
    }

    /// The value that an earlier run has kept of a secret.
    pub(crate) fn kept_value(&self, name: &str) -> Option<String> {
        self.kept.value(name)
    }

    /// Creates a secret, empty unless the template has its value. Returns its ARN.
    pub(crate) async fn add(&self, name: &str, value: Option<&str>) -> Result<String, SecretError> {
        let mut creation = json!({
            "Name": name,
            "ClientRequestToken": Uuid::new_v4().to_string(),
        });
        if let Some(value) = value {
            creation["SecretString"] = value.into();
        }
        let created = self.ask("CreateSecret", creation).await?;
        Ok(created["ARN"].as_str().unwrap_or_default().to_owned())
    }

    /// Writes a new value to a secret. The old one becomes `AWSPREVIOUS`.
    pub(crate) async fn put(&self, arn: &str, value: &str) -> Result<(), SecretError> {
        let token = Uuid::new_v4().to_string();
        let input = json!({"SecretId": arn, "SecretString": value, "ClientRequestToken": token});
        self.ask("PutSecretValue", input).await.map(drop)
    }

    pub(super) async fn ask(
        &self,
        operation: &'static str,
        input: Value,
    ) -> Result<Value, SecretError> {
        let response = self.handle(operation, input.to_string().into()).await;
        let body = response.body();
        if response.status().is_success() {
            return Ok(serde_json::from_slice(body).unwrap_or(Value::Null));
        }
        Err(SecretError { operation, answer: String::from_utf8_lossy(body).into_owned() })
    }

    pub(super) async fn handle(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let response = self.rustack(operation, body.clone()).await;
        if self.kept.is_on() && WRITES.contains(&operation) && response.status().is_success() {
            self.keep_current(&body).await;
        }
        response
    }

    /// Keeps the current value of the secret that a call has changed.
    async fn keep_current(&self, body: &Bytes) {
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = if input["SecretId"].is_null() { &input["Name"] } else { &input["SecretId"] };
        let question = json!({"SecretId": id}).to_string();
        let current = self.rustack("GetSecretValue", question.into()).await;
        let current: Value = serde_json::from_slice(current.body()).unwrap_or_default();
        if let (Some(name), Some(value)) =
            (current["Name"].as_str(), current["SecretString"].as_str())
        {
            // A value that cannot be written is lost at the end, as without a directory.
            let _ = self.kept.keep(name, value);
        }
    }

    async fn rustack(&self, operation: &str, body: Bytes) -> http::Response<Bytes> {
        let mut headers = HeaderMap::new();
        if let Ok(target) = format!("secretsmanager.{operation}").parse() {
            headers.insert("x-amz-target", target);
        }
        let answered = match resolve_operation(&headers) {
            Ok(known) => self.handler.handle_operation(known, body).await,
            Err(error) => Err(error),
        };
        let response =
            answered.unwrap_or_else(|error| error_to_response(&error, &Uuid::new_v4().to_string()));
        let (parts, answer) = response.into_parts();
        let answer = answer.collect().await.expect("the response is in memory");
        http::Response::from_parts(parts, answer.to_bytes())
    }
}
