//! Queues and their redrive policies.

use std::time::Duration;

/// `AWS::SQS::Queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its logical id.
    pub logical_id: String,
    /// Its physical name: the template's, or else `local-EmailsQueue`.
    pub name: String,
    /// Whether messages keep their order within a group.
    pub fifo: bool,
    /// Whether a FIFO queue deduplicates messages by their bodies.
    pub content_based_deduplication: bool,
    /// The visibility timeout.
    pub visibility_timeout: Duration,
    /// The delay of a new message.
    pub delay: Duration,
    /// The retention time of a message.
    pub retention: Duration,
    /// The default wait of a receive.
    pub receive_wait: Duration,
    /// The maximum bytes of a message with its attributes.
    pub message_bytes_max: usize,
    /// The redrive policy.
    pub redrive: Option<Redrive>,
}

/// The redrive policy of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the dead-letter queue.
    pub dead_letter_queue: String,
    /// The maximum number of receives of a message.
    pub max_receive_count: u32,
}
