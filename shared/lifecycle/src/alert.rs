//! Alerts to the operators of the system.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An alert to the operators of the system, sent through a third-party service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// An id that is the same in every attempt to send this alert.
    pub id: String,
    /// The service that receives it.
    pub receiver: AlertChannel,
    /// Alerts of one kind have the same cause.
    pub kind: String,
    /// One line.
    pub title: String,
    /// The full text.
    pub text: String,
    /// When it happened.
    pub at: Timestamp,
    /// The number of alerts of this kind that were suppressed since the last one.
    pub suppressed: u64,
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
