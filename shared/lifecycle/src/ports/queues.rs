//! The port to queues.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::effects::QueueName;
use crate::envelope::Envelope;
use crate::error::ServiceError;

/// Sends messages to queues, and decides about received ones.
#[async_trait]
pub trait Queues: Send + Sync + 'static {
    /// Sends messages to their queues, in batches; the order within a queue is kept. Returns the
    /// index and the error of each message that was not sent.
    async fn send(&self, messages: &[Outgoing]) -> Vec<(usize, ServiceError)>;

    /// Changes the visibility timeout of received messages.
    async fn change_visibility(
        &self,
        queue: QueueName,
        hidden: &[VisibilityChange],
    ) -> Result<(), ServiceError>;

    /// Sends an unparseable message to its queue's dead-letter queue.
    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), ServiceError>;
}

/// A message that cannot be parsed, for the dead-letter queue of its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue that the message came from.
    pub queue: QueueName,
    /// The id of the message. A FIFO queue takes an id once in five minutes.
    pub id: String,
    /// The message group, whose order a FIFO queue keeps.
    pub group: String,
    /// The body.
    pub body: String,
    /// The reason, in full.
    pub reason: String,
}

/// A message in its envelope, ready to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The destination.
    pub queue: QueueName,
    /// The content.
    pub envelope: Envelope<Value>,
    /// The delivery delay.
    pub delay: Duration,
    /// The message group, in a queue that several groups share.
    pub group: Option<String>,
}

/// The error of a message that its queue refuses because of its content. A retry would fail again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RefusedMessage(pub String);

impl From<RefusedMessage> for ServiceError {
    fn from(refused: RefusedMessage) -> Self {
        Self::internal(refused)
    }
}

impl RefusedMessage {
    /// Whether the queue refused a message because of its content.
    pub fn is(fault: &ServiceError) -> bool {
        matches!(fault, ServiceError::Internal(source) if source.is::<Self>())
    }
}

/// A received message with its new visibility timeout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibilityChange {
    /// The SQS receipt handle.
    pub receipt: String,
    /// The new visibility timeout, in whole seconds, at most 12 hours.
    pub wait: Duration,
}
