//! Messages to queues.

use serde_json::Value;

use super::event::Event;
use crate::envelope::Envelope;
use crate::record::is_snake_case;

/// A queue, by its logical name. Its URL is in the environment variable `<NAME>_QUEUE_URL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueName(&'static str);

impl QueueName {
    /// Names a queue in `snake_case`: `emails` is found under `EMAILS_QUEUE_URL`.
    ///
    /// # Panics
    ///
    /// If the name has more than `a` to `z`, digits and `_`, or does not begin with `a` to `z`.
    /// In a constant, this is an error of the compiler:
    ///
    /// ```compile_fail,E0080
    /// use lifecycle::effects::QueueName;
    /// const MAILS: QueueName = QueueName::new("late-mails");
    /// ```
    pub const fn new(name: &'static str) -> Self {
        assert!(Self::is_valid(name), "a queue's name has a-z, 0-9 and _ only, and a-z first");
        Self(name)
    }

    /// Whether [`QueueName::new`] accepts the name.
    pub const fn is_valid(name: &str) -> bool {
        is_snake_case(name)
    }

    /// The logical name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The environment variable that holds the queue's URL.
    pub fn variable(self) -> String {
        format!("{}_QUEUE_URL", self.0.to_uppercase())
    }

    /// The environment variable that holds the URL of the queue's dead-letter queue.
    pub fn dead_letter_variable(self) -> String {
        format!("{}_DEAD_LETTER_QUEUE_URL", self.0.to_uppercase())
    }
}

/// A message to a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The destination.
    pub queue: QueueName,
    /// The content; it is sent in an [`Envelope`].
    pub content: Content,
    /// The delivery delay in seconds, 0 to 900.
    pub delay_s: u16,
    /// The message group: 1 to 128 letters, digits and punctuation marks. A standard queue serves
    /// all groups fairly. In a FIFO queue the aggregate is the group.
    pub group: Option<String>,
}

/// The content of a [`Message`].
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// New data: the lifecycle puts it into an envelope with a new id.
    New(Event),
    /// An existing envelope, which is passed on unchanged.
    Forward(Box<Envelope<Value>>),
}

impl Message {
    /// A message with new data.
    pub fn new(queue: QueueName, event: Event) -> Self {
        Self { queue, content: Content::New(event), delay_s: 0, group: None }
    }

    /// A message that passes an envelope on unchanged.
    pub fn forward(queue: QueueName, envelope: Envelope<Value>) -> Self {
        Self { queue, content: Content::Forward(Box::new(envelope)), delay_s: 0, group: None }
    }

    /// Delays the delivery; SQS allows at most 900 s.
    #[must_use]
    pub fn delayed(mut self, seconds: u16) -> Self {
        self.delay_s = seconds.min(900);
        self
    }

    /// Sets the message group.
    #[must_use]
    pub fn of_group(self, group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_found_by_the_variables_with_its_name() {
        let queue = QueueName::new("order_events");
        assert_eq!(queue.variable(), "ORDER_EVENTS_QUEUE_URL");
        assert_eq!(queue.dead_letter_variable(), "ORDER_EVENTS_DEAD_LETTER_QUEUE_URL");
    }
}
