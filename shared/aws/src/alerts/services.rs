//! The services that receive operators' alerts: Slack, Datadog and New Relic, if configured.

use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use lifecycle::effects::Post;
use lifecycle::error::BoxError;
use lifecycle::{Deadline, Permit, ServiceError, Upstream};
use serde::Deserialize;
use serde_json::Value;

use super::port::DeliverAlert;
use crate::Aws;
use crate::secrets::Secret;
use crate::upstream::{Client, Request};

/// The secret with the configured alert services and their credentials: an object whose members are
/// all optional.
///
/// ```json
/// {
///   "slack": {"webhookUrl": "https://hooks.slack.com/services/T…/B…/…"},
///   "datadog": {"apiKey": "…"},
///   "newRelic": {"accountId": "…", "licenseKey": "…"}
/// }
/// ```
pub const NOTIFIERS: &str = "notifiers";

/// Slack's incoming webhooks.
pub const SLACK: Upstream = Upstream::new("slack");
/// Datadog's API, at the site of the account.
pub const DATADOG: Upstream = Upstream::new("datadog");
/// New Relic's event API, in the region of the account.
pub const NEW_RELIC: Upstream = Upstream::new("new_relic");

/// How long an alert service may take.
const WITHIN: Duration = Duration::from_secs(5);

/// The configured alert services.
#[derive(Clone)]
pub struct AlertSender {
    credentials: Secret<Credentials>,
    slack: Client,
    datadog: Client,
    new_relic: Client,
}

impl Aws {
    /// The configured alert services.
    ///
    /// # Panics
    ///
    /// When the consumer's `RESOURCES` lacks the secret [`NOTIFIERS`] or one of the upstreams.
    pub fn notifiers(&self) -> AlertSender {
        self.notifiers_in(NOTIFIERS)
    }

    /// As [`Aws::notifiers`], from a secret with another name.
    ///
    /// # Panics
    ///
    /// When the consumer's `RESOURCES` lacks the secret or one of the upstreams.
    pub fn notifiers_in(&self, secret: &'static str) -> AlertSender {
        let sender = AlertSender {
            credentials: self.secret(secret, Credentials::parse),
            slack: self.upstream(SLACK),
            datadog: self.upstream(DATADOG),
            new_relic: self.upstream(NEW_RELIC),
        };
        self.alerts().get_or_init(|| Box::new(sender.clone()));
        sender
    }
}

impl AlertSender {
    /// The configured alert services.
    ///
    /// # Errors
    ///
    /// When the secret cannot be read.
    pub async fn receivers<C>(&self, _: &Permit<C>) -> Result<Vec<Upstream>, ServiceError> {
        let credentials = self.credentials.read().await?;
        let all = [SLACK, DATADOG, NEW_RELIC];
        Ok(all.into_iter().filter(|receiver| credentials.know(*receiver)).collect())
    }
}

#[async_trait]
impl DeliverAlert for AlertSender {
    async fn deliver(&self, post: &Post) -> Result<(), ServiceError> {
        let credentials = self.credentials.read().await?;
        let client = match post.upstream {
            SLACK => &self.slack,
            DATADOG => &self.datadog,
            NEW_RELIC => &self.new_relic,
            other => {
                let name = other.name();
                return Err(ServiceError::internal(format!("{name} is no alert service")));
            }
        };
        let Some(request) = credentials.request(post) else {
            // The service may have been removed from the configuration since the alert was written.
            let receiver = post.upstream.name();
            tracing::warn!(receiver, "alert dropped: its receiver is no longer configured");
            return Ok(());
        };
        client.send_before(Deadline::after(WITHIN), &request).await?.success()?;
        Ok(())
    }
}

/// The content of the secret.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Credentials {
    slack: Option<Slack>,
    datadog: Option<Datadog>,
    new_relic: Option<NewRelic>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Slack {
    webhook_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Datadog {
    api_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewRelic {
    account_id: String,
    license_key: String,
}

impl Credentials {
    /// The errors contain nothing of the secret.
    fn parse(json: &str) -> Result<Self, BoxError> {
        let read: Self = serde_json::from_str(json)
            .map_err(|_| "the secret is not an object of slack, datadog and newRelic")?;
        if let Some(slack) = &read.slack {
            slack.webhook_url.parse::<Uri>().map_err(|_| "slack.webhookUrl is not a URL")?;
        }
        Ok(read)
    }

    fn know(&self, receiver: Upstream) -> bool {
        match receiver {
            SLACK => self.slack.is_some(),
            DATADOG => self.datadog.is_some(),
            NEW_RELIC => self.new_relic.is_some(),
            _ => false,
        }
    }

    fn request(&self, post: &Post) -> Option<Request> {
        match post.upstream {
            SLACK => self.slack.as_ref().map(|slack| slack.request(&post.json)),
            DATADOG => self.datadog.as_ref().map(|datadog| datadog.request(&post.json)),
            NEW_RELIC => self.new_relic.as_ref().map(|new_relic| new_relic.request(&post.json)),
            _ => None,
        }
    }
}

impl Slack {
    /// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>
    ///
    /// The URL is the secret. Its path is used, on the host that the deployment names.
    fn request(&self, message: &Value) -> Request {
        let address: Uri = self.webhook_url.parse().expect("`Credentials::parse` checked the URL");
        Request::post_json(address.path(), message)
    }
}

impl Datadog {
    /// <https://docs.datadoghq.com/api/latest/events/#post-an-event-v1>
    fn request(&self, event: &Value) -> Request {
        Request::post_json("/api/v1/events", event).header("dd-api-key", &self.api_key)
    }
}

impl NewRelic {
    /// <https://docs.newrelic.com/docs/data-apis/ingest-apis/event-api/introduction-event-api/>
    fn request(&self, events: &Value) -> Request {
        let path = format!("/v1/accounts/{}/events", self.account_id);
        Request::post_json(path, events).header("api-key", &self.license_key)
    }
}
