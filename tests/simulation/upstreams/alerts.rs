//! Slack, Datadog and New Relic as receivers of alerts.

use http::{Request, Response, StatusCode};
use serde_json::json;
use simulation::Millis;
use simulation::random::Random;
use simulation::world::Upstream;

use super::answers::in_json;

/// A receiver of alerts: it takes everything that has its credentials.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alerts;

/// The content of the secret with the credentials of all receivers.
pub fn alert_credentials() -> String {
    json!({
        "slack": { "webhookUrl": "https://hooks.slack.com/services/T0/B0/S3CR3T" },
        "datadog": { "apiKey": "S3CR3T-datadog" },
        "newRelic": { "accountId": "1", "licenseKey": "S3CR3T-new-relic" },
    })
    .to_string()
}

impl Upstream for Alerts {
    fn answer(
        &mut self,
        request: &Request<Vec<u8>>,
        _now: Millis,
        _random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        let by_header = ["dd-api-key", "api-key"]
            .iter()
            .any(|name| request.headers().get(*name).is_some_and(|it| !it.is_empty()));
        if by_header || request.uri().path().ends_with("/S3CR3T") {
            in_json(StatusCode::OK, &json!({ "status": "ok" }))
        } else {
            in_json(StatusCode::FORBIDDEN, &json!({ "status": "no" }))
        }
    }
}
