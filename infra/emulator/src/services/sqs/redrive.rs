//! The redrive of dead letters to their source queues, as `StartMessageMoveTask` does it on AWS; the
//! embedded SQS has no such call. A moved message is a new one: it has a new id and no receives, and
//! keeps its body, attributes, trace and group.
//!
//! Source: "Learn how to configure a dead-letter queue redrive" in the developer guide.

use std::sync::Arc;

use serde_json::{Value, json};

use super::queues::{Queues, ReceivedMessage};
use crate::services::error::{NoSuch, QueueError};
use crate::services::physical_names::{Names, QueueName};

/// The visibility timeout of dead letters while others are moved, in seconds.
const HIDDEN_S: u32 = 60;
/// The attribute of a dead letter: the ARN of the queue that it was in before.
const SOURCE: &str = "DeadLetterQueueSourceArn";

/// The result of a redrive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redriven {
    /// The moved messages.
    pub moved: Vec<MovedMessage>,
    /// The number of messages whose source queue is not known. They stay.
    pub left: usize,
}

/// A dead letter that has become a new message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedMessage {
    /// Its id as a dead letter.
    pub dead_letter_id: String,
    /// Its new id.
    pub message_id: String,
    /// Its body.
    pub body: String,
    /// The logical id of its queue.
    pub queue: String,
}

/// The reason why no message is moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedriveError {
    /// The template has no such queue.
    #[error(transparent)]
    NoSuch(#[from] NoSuch),
    /// No queue sends its dead letters to this one.
    #[error("{0} is the dead-letter queue of no queue")]
    NoDeadLetters(String),
    /// The queue does not return the message.
    #[error(
        "{queue} does not return the message {id} now: it is gone or in flight, or a message of its \
         group is before it"
    )]
    NotReceived {
        /// The queue's logical id.
        queue: String,
        /// The message's id.
        id: String,
    },
    /// Several queues have this dead-letter queue, and the message was sent to it.
    #[error("it is not known from which queue the message {0} is")]
    NoSource(String),
    /// SQS returned an error.
    #[error(transparent)]
    Queues(#[from] QueueError),
}

/// A redrive in progress.
struct Redrive<'a> {
    queues: &'a Queues,
    names: &'a Names,
    from: &'a QueueName,
    /// The physical names of the queues whose dead letters it has.
    sources: Vec<String>,
    /// The only message that is meant.
    only: Option<&'a str>,
    redriven: Redriven,
    /// The messages that were received and stay.
    staying: Vec<ReceivedMessage>,
}

impl Queues {
    /// Moves all visible messages of a dead-letter queue, or one of them, to the queues where they
    /// were before. A message that was sent to the dead-letter queue goes to the only queue that has
    /// it as such. Messages that stay count one receive more in SQS.
    ///
    /// # Errors
    /// If the queue has no dead letters, or the one message cannot be moved.
    pub(crate) async fn redrive(
        &self,
        names: &Names,
        queue: &str,
        only: Option<&str>,
    ) -> Result<Redriven, RedriveError> {
        let from = names.queue(queue).ok_or_else(|| NoSuch::new("queue", queue))?;
        let sources = self.sqs.journal().sources_of(&from.name);
        if sources.is_empty() {
            return Err(RedriveError::NoDeadLetters(queue.to_owned()));
        }
        let (redriven, staying) = (Redriven::default(), Vec::new());
        let mut redrive = Redrive { queues: self, names, from, sources, only, redriven, staying };
        redrive.hand_over().await?;
        let ended = redrive.run().await;
        redrive.show_again().await?;
        ended?;
        let Redrive { redriven, staying, .. } = redrive;
        match only {
            Some(id) if redriven.moved.is_empty() => {
                let id = id.to_owned();
                Err(if staying.iter().any(|message| message.message_id == id) {
                    RedriveError::NoSource(id)
                } else {
                    RedriveError::NotReceived { queue: queue.to_owned(), id }
                })
            }
            _ => Ok(redriven),
        }
    }
}

impl<'a> Redrive<'a> {
    /// Lets the source queues move their dead letters. They do so at a receive, which must not
    /// return another message.
    async fn hand_over(&self) -> Result<(), QueueError> {
        for source in &self.sources {
            let (sqs, queue) = (Arc::clone(&self.queues.sqs), source.clone());
            let look = async move { sqs.journal().has_only_dead_letters(&queue) };
            if let Some(url) = self.url(source)
                && self.queues.time.run(look).await
            {
                let receive = json!({
                    "QueueUrl": url, "MaxNumberOfMessages": 1, "VisibilityTimeout": 0,
                    "WaitTimeSeconds": 0,
                });
                self.queues.ask("ReceiveMessage", receive).await?;
            }
        }
        Ok(())
    }

    /// Receives and moves messages. A moved message that comes back is not moved again: not more are
    /// received than there are at the beginning.
    async fn run(&mut self) -> Result<(), QueueError> {
        let (sqs, queue) = (Arc::clone(&self.queues.sqs), self.from.name.clone());
        let count = self.queues.time.run(async move { sqs.journal().count(&queue) }).await;
        let mut received = 0;
        while received < count {
            let messages = self.receive((count - received).min(10)).await?;
            if messages.is_empty() {
                break;
            }
            received += messages.len();
            for message in messages {
                self.settle(message).await?;
            }
            if self.only.is_some() && !self.redriven.moved.is_empty() {
                break;
            }
        }
        Ok(())
    }

    async fn receive(&self, count_max: usize) -> Result<Vec<ReceivedMessage>, QueueError> {
        let receive = json!({
            "QueueUrl": self.from.url,
            "MaxNumberOfMessages": count_max,
            "WaitTimeSeconds": 0,
            "VisibilityTimeout": HIDDEN_S,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let messages = self.queues.ask("ReceiveMessage", receive).await?["Messages"].take();
        // Without messages, the response has no list.
        Ok(serde_json::from_value(messages).unwrap_or_default())
    }

    /// Moves a message, or lets it stay.
    async fn settle(&mut self, message: ReceivedMessage) -> Result<(), QueueError> {
        let is_meant = self.only.is_none_or(|id| id == message.message_id);
        let target = self.target(&message).filter(|_| is_meant);
        let Some((queue, url)) = target else {
            self.redriven.left += usize::from(is_meant);
            self.staying.push(message);
            return Ok(());
        };
        let sent = self.queues.ask("SendMessage", copy(&message, url)).await?;
        // In this order, an error leaves two messages rather than none.
        self.queues.delete(self.from, &[&message.receipt_handle]).await?;
        self.redriven.moved.push(MovedMessage {
            dead_letter_id: message.message_id,
            message_id: sent["MessageId"].as_str().unwrap_or_default().to_owned(),
            body: message.body,
            queue: queue.to_owned(),
        });
        Ok(())
    }

    /// The logical id and the URL of the queue that a message goes to.
    fn target(&self, message: &ReceivedMessage) -> Option<(&'a str, &'a str)> {
        let arn = message.attributes.get(SOURCE).and_then(Value::as_str);
        let name = match (arn, self.sources.as_slice()) {
            (Some(arn), _) => arn.rsplit(':').next()?,
            (None, [only]) => only,
            _ => return None,
        };
        let mut queues = self.names.queues();
        let (id, queue) = queues.find(|(_, queue)| queue.name == name)?;
        Some((id, queue.url.as_str()))
    }

    fn url(&self, name: &str) -> Option<&'a str> {
        let mut queues = self.names.queues();
        queues.find(|(_, queue)| queue.name == name).map(|(_, queue)| queue.url.as_str())
    }

    /// Makes the messages that stay visible again.
    async fn show_again(&self) -> Result<(), QueueError> {
        for message in &self.staying {
            let change = json!({
                "QueueUrl": self.from.url,
                "ReceiptHandle": message.receipt_handle,
                "VisibilityTimeout": 0,
            });
            self.queues.ask("ChangeMessageVisibility", change).await?;
            self.queues.sqs.journal().take_back_receive(&message.message_id);
        }
        Ok(())
    }
}

/// The input that sends a received message to another queue.
fn copy(message: &ReceivedMessage, url: &str) -> Value {
    let mut input = json!({"QueueUrl": url, "MessageBody": message.body});
    if !message.message_attributes.is_empty() {
        input["MessageAttributes"] = Value::Object(message.message_attributes.clone());
    }
    for name in ["MessageGroupId", "MessageDeduplicationId"] {
        if let Some(value) = message.attributes.get(name) {
            input[name] = value.clone();
        }
    }
    input
}
