//! The definition of a queue.

use crate::Millis;

/// The maximum size of a message with its attributes, and of a batch, in bytes.
pub(super) const BYTES_MAX: usize = 1024 * 1024;

/// The maximum number of messages in flight, on AWS.
const IN_FLIGHT_MAX: usize = 120_000;

/// A queue. Its name ends with `.fifo` if it is a FIFO queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueDefinition {
    /// The name.
    pub name: String,
    /// How long a received message is hidden.
    pub visibility_timeout: Millis,
    /// How long a new message is hidden.
    pub delay: Millis,
    /// How long a message is kept.
    pub retention: Millis,
    /// How long a receive call waits without a time of the call.
    pub receive_wait: Millis,
    /// The maximum size of a message, in bytes.
    pub message_bytes_max: usize,
    /// The treatment of messages that were received too often.
    pub redrive: Option<Redrive>,
    /// Whether the content of a message is its deduplication id.
    pub content_based_deduplication: bool,
    /// The maximum number of messages in flight.
    pub in_flight_max: usize,
}

/// A redrive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The name of the dead-letter queue.
    pub dead_letter_queue: String,
    /// How often a message may be received.
    pub receive_count_max: u32,
}

impl QueueDefinition {
    /// A queue with the defaults of SQS.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            visibility_timeout: Millis::seconds(30),
            delay: Millis(0),
            retention: Millis::hours(4 * 24),
            receive_wait: Millis(0),
            message_bytes_max: BYTES_MAX,
            redrive: None,
            content_based_deduplication: false,
            in_flight_max: IN_FLIGHT_MAX,
        }
    }

    /// The queue with this visibility timeout.
    #[must_use]
    pub fn with_visibility_timeout(mut self, timeout: Millis) -> Self {
        self.visibility_timeout = timeout;
        self
    }

    /// The queue with a delay of all messages.
    #[must_use]
    pub fn with_delay(mut self, delay: Millis) -> Self {
        self.delay = delay;
        self
    }

    /// The queue with this retention.
    #[must_use]
    pub fn with_retention(mut self, retention: Millis) -> Self {
        self.retention = retention;
        self
    }

    /// The queue with a dead-letter queue.
    #[must_use]
    pub fn with_redrive(mut self, dead_letter_queue: &str, receive_count_max: u32) -> Self {
        let dead_letter_queue = dead_letter_queue.to_owned();
        self.redrive = Some(Redrive { dead_letter_queue, receive_count_max });
        self
    }

    /// The FIFO queue with deduplication by content.
    #[must_use]
    pub fn with_content_based_deduplication(mut self) -> Self {
        self.content_based_deduplication = true;
        self
    }

    /// The queue with another maximum of messages in flight.
    #[must_use]
    pub fn with_in_flight_max(mut self, max: usize) -> Self {
        self.in_flight_max = max;
        self
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.name.strip_suffix(".fifo").is_some()
    }
}
