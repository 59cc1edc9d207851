//! Slack, Datadog and New Relic as receivers of alerts: one server that distinguishes them by path.

use bytes::Bytes;
use emulator::faults::{FakeResponse, UpstreamFault};
use emulator::standins::Service;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// The faults of the notification services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct NotifierFaults {
    /// Slack's.
    slack: UpstreamFault,
    /// Datadog's.
    datadog: UpstreamFault,
    /// New Relic's.
    new_relic: UpstreamFault,
}

/// The three services, each with credentials for one client.
pub(super) struct Notifiers {
    webhook: String,
    api_key: String,
    license_key: String,
}

/// The path of New Relic's events.
const NEW_RELIC: &str = "/v1/accounts/1/events";
/// The path of Datadog's events.
const DATADOG: &str = "/api/v1/events";

impl Default for Notifiers {
    fn default() -> Self {
        let secret = || Uuid::new_v4().simple().to_string();
        let webhook = format!("/services/T0/B0/{}", secret());
        Self { webhook, api_key: secret(), license_key: secret() }
    }
}

impl Service for Notifiers {
    const NAME: &'static str = "notifiers";
    const PARAMETERS: &'static [&'static str] = &["SlackUrl", "DatadogUrl", "NewRelicUrl"];
    type Faults = NotifierFaults;

    fn secret(&self) -> Option<(&'static str, Value)> {
        let credentials = json!({
            "slack": { "webhookUrl": format!("https://hooks.slack.com{}", self.webhook) },
            "datadog": { "apiKey": self.api_key },
            "newRelic": { "accountId": "1", "licenseKey": self.license_key },
        });
        Some(("NotifiersSecret", credentials))
    }

    fn fault<'a>(faults: &'a NotifierFaults, path: &str) -> (&'static str, &'a UpstreamFault) {
        match path {
            DATADOG => ("notifiers/datadog", &faults.datadog),
            NEW_RELIC => ("notifiers/newRelic", &faults.new_relic),
            _ => ("notifiers/slack", &faults.slack),
        }
    }

    fn answer(&self, request: &Request<Bytes>, _: &NotifierFaults) -> FakeResponse {
        let is = |name: &str, secret: &str| {
            request.headers().get(name).is_some_and(|value| value.as_bytes() == secret.as_bytes())
        };
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        match (request.method(), request.uri().path()) {
            (&Method::POST, path) if path == self.webhook => match body["text"].as_str() {
                Some(_) => FakeResponse::new(StatusCode::OK, json!("ok")),
                None => FakeResponse::new(StatusCode::BAD_REQUEST, json!("invalid_payload")),
            },
            (&Method::POST, DATADOG) if is("dd-api-key", &self.api_key) => {
                match (body["title"].as_str(), body["text"].as_str()) {
                    (Some(_), Some(_)) => {
                        FakeResponse::new(StatusCode::ACCEPTED, json!({"status": "ok"}))
                    }
                    _ => FakeResponse::new(
                        StatusCode::BAD_REQUEST,
                        json!({"errors": ["Bad Request"]}),
                    ),
                }
            }
            (&Method::POST, NEW_RELIC) if is("api-key", &self.license_key) => {
                match body[0]["eventType"].as_str() {
                    Some(_) => FakeResponse::new(StatusCode::OK, json!({ "success": true })),
                    None => FakeResponse::new(StatusCode::BAD_REQUEST, json!({ "success": false })),
                }
            }
            _ => FakeResponse::new(StatusCode::FORBIDDEN, Value::Null),
        }
    }
}
