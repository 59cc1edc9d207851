//! Notices to the people who operate the system.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A word to the people who operate the system, by a service that they watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for every attempt at the same notice.
    pub id: String,
    /// Who takes it.
    pub receiver: Receiver,
    /// Notices of one kind are about the same trouble.
    pub kind: String,
    /// One line.
    pub title: String,
    /// The whole of it.
    pub text: String,
    /// When it happened.
    pub at: Timestamp,
    /// How often it has happened since the last notice of its kind, without a notice.
    pub suppressed: u64,
}

/// The services that take notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Receiver {
    /// A channel of Slack's, by an incoming webhook.
    Slack,
    /// Datadog's events.
    Datadog,
    /// New Relic's custom events.
    NewRelic,
}
