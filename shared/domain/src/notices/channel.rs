//! The services that receive alerts, and the JSON that each of them takes.

use lifecycle::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An alert to the operators of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alert {
    /// An id that is the same in every attempt to send this alert.
    pub(super) id: String,
    /// Alerts of one kind have the same cause.
    pub(super) kind: String,
    /// One line.
    pub(super) title: String,
    /// The full text.
    pub(super) text: String,
    /// When it happened.
    pub(super) at: Timestamp,
    /// The number of alerts of this kind that were suppressed since the last one.
    pub(super) suppressed: u64,
}

/// The services that receive alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertChannel {
    /// A Slack channel, by an incoming webhook.
    Slack,
    /// Datadog's events.
    Datadog,
    /// New Relic's custom events.
    NewRelic,
}

impl AlertChannel {
    /// All channels.
    pub const ALL: [Self; 3] = [Self::Slack, Self::Datadog, Self::NewRelic];

    /// The body of the request that sends an alert to the channel.
    pub(super) fn body(self, alert: &Alert) -> Value {
        match self {
            Self::Slack => slack(alert),
            Self::Datadog => datadog(alert),
            Self::NewRelic => new_relic(alert),
        }
    }
}

/// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>
fn slack(alert: &Alert) -> Value {
    json!({ "text": format!("*{}*\n{}", escaped(&alert.title), escaped(&alert.text)) })
}

/// Slack reads these three characters as markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// <https://docs.datadoghq.com/api/latest/events/#post-an-event-v1>
fn datadog(alert: &Alert) -> Value {
    json!({
        "title": alert.title,
        "text": alert.text,
        "alert_type": "error",
        "aggregation_key": alert.kind,
        "date_happened": alert.at.as_seconds(),
        "tags": [format!("kind:{}", alert.kind), format!("suppressed:{}", alert.suppressed)],
    })
}

/// <https://docs.newrelic.com/docs/data-apis/ingest-apis/event-api/introduction-event-api/>
fn new_relic(alert: &Alert) -> Value {
    json!([{
        "eventType": "OperatorNotice",
        "timestamp": alert.at.as_millis(),
        "noticeId": alert.id,
        "kind": alert.kind,
        "title": alert.title,
        "text": alert.text,
        "suppressed": alert.suppressed,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_gets_the_alert_in_its_own_format() {
        let alert = Alert {
            id: "event-1".to_owned(),
            kind: "partner/FAILED".to_owned(),
            title: "partner: FAILED".to_owned(),
            text: "a < b & c".to_owned(),
            at: Timestamp::from_millis(1_500),
            suppressed: 2,
        };
        let bodies = AlertChannel::ALL.map(|channel| channel.body(&alert));
        let expected = [
            json!({ "text": "*partner: FAILED*\na &lt; b &amp; c" }),
            json!({
                "title": "partner: FAILED", "text": "a < b & c", "alert_type": "error",
                "aggregation_key": "partner/FAILED", "date_happened": 1,
                "tags": ["kind:partner/FAILED", "suppressed:2"],
            }),
            json!([{
                "eventType": "OperatorNotice", "timestamp": 1_500, "noticeId": "event-1",
                "kind": "partner/FAILED", "title": "partner: FAILED", "text": "a < b & c",
                "suppressed": 2,
            }]),
        ];
        assert_eq!(bodies, expected);
    }
}
