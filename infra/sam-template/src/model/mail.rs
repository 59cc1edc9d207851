//! The mail events of SES, and the rules that send events to queues.

use std::collections::BTreeSet;

use serde_json::Value;

/// `AWS::SES::ConfigurationSetEventDestination`: the mail events that `EventBridge` gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDestination {
    /// The logical id of the mails' configuration set.
    pub configuration_set: String,
    /// The types of events.
    pub event_types: BTreeSet<MailEventType>,
}

/// The supported types of mail events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailEventType {
    /// The mail was not delivered.
    Bounce,
    /// The recipient has marked the mail as spam.
    Complaint,
}

/// `AWS::Events::Rule`: sends matching events of the default bus to queues.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRule {
    /// Its logical id.
    pub logical_id: String,
    /// The pattern of the events, with unresolved references.
    pub pattern: Value,
    /// The logical ids of the queues.
    pub queues: Vec<String>,
}
