//! What the lifecycle needs of the world, as one trait. `adapters` implements it on AWS; the
//! tests implement it by a recorder.

use std::time::Duration;

use async_trait::async_trait;
use serde_dynamo::Item;

use crate::Timestamp;
use crate::effects::{Mail, Queue, Write};
use crate::envelope::Envelope;
use crate::failure::Fault;
use crate::notice::Notice;
use crate::record::{Key, Table};

/// Tables, queues, mail and telemetry, as the lifecycle sees them.
#[async_trait]
pub trait Platform: Send + Sync + 'static {
    /// Does all of a transaction or nothing of it.
    ///
    /// A repeated call with the same token after an unknown outcome has no second effect.
    async fn commit(&self, transaction: &Transaction) -> Result<(), CommitError>;

    /// Reads one item as it is now (strongly consistent).
    async fn read(&self, table: Table, key: &Key) -> Result<Option<Item>, Fault>;

    /// Adds to a counter in one conditional update and tells where it stands.
    async fn count(&self, counter: &Counter) -> Result<Count, Fault>;

    /// Hands messages to their queues, in batches, order kept per queue. Returns the indices of
    /// those that no queue took, with the reason.
    async fn send(&self, messages: &[Outgoing]) -> Vec<(usize, Fault)>;

    /// Hides messages of a queue that were received from it for so long from now.
    async fn hide(&self, queue: Queue, hidden: &[Hidden]) -> Result<(), Fault>;

    /// Puts a message that cannot be understood into the dead-letter queue of its queue.
    async fn bury(&self, queue: Queue, body: &str, reason: &str) -> Result<(), Fault>;

    /// Hands a mail to the mail service.
    async fn mail(&self, mail: &Mail) -> Result<(), Fault>;

    /// Hands a notice to its receiver.
    async fn notify(&self, notice: &Notice) -> Result<(), Fault>;

    /// Posts JSON to a telemetry collector.
    async fn export(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: Vec<u8>,
    ) -> Result<(), Fault>;

    /// Opens the connections that the first request will need. Called once, during init, where
    /// the processor is not throttled and no client waits. A failure is no harm.
    async fn warm(&self);
}

/// Writes that happen together or not at all.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Identifies the attempt, so that a retry by the SDK is not a second commit: at most 36
    /// characters.
    pub token: String,
    /// At most [`Transaction::WRITES_MAX`], no two on the same item.
    pub writes: Vec<Write>,
}

impl Transaction {
    /// `DynamoDB`'s limit for one transaction.
    pub const WRITES_MAX: usize = 100;
    /// `DynamoDB`'s limit for one transaction, in bytes of item data.
    pub const BYTES_MAX: usize = 4 * 1024 * 1024;

    /// Checks what the store would refuse, before it is asked.
    pub fn check(&self) -> Result<(), CommitError> {
        if self.writes.len() > Self::WRITES_MAX {
            return Err(CommitError::Invalid(format!(
                "{} writes in one transaction, at most {}",
                self.writes.len(),
                Self::WRITES_MAX
            )));
        }
        let mut seen = std::collections::HashSet::new();
        for write in &self.writes {
            if !seen.insert((write.table, &write.key)) {
                return Err(CommitError::Invalid(format!(
                    "two writes to one item of table {}",
                    write.table.name()
                )));
            }
        }
        let bytes: usize = self.writes.iter().map(crate::commit::size_of_write).sum();
        if bytes > Self::BYTES_MAX {
            return Err(CommitError::Invalid(format!("{bytes} bytes in one transaction")));
        }
        Ok(())
    }
}

/// Why nothing was written.
#[derive(Debug)]
pub enum CommitError {
    /// Conditions did not hold.
    Conditions(Vec<FailedCondition>),
    /// Another transaction is at the same items, or they are throttled; decide and try again.
    Conflict,
    /// It would never be accepted: a fault of the endpoint.
    Invalid(String),
    /// The store failed.
    Fault(Fault),
}

/// A condition that did not hold.
#[derive(Debug, Clone)]
pub struct FailedCondition {
    /// Which of the transaction's writes.
    pub write: usize,
    /// The item as it is stored, if there is one.
    pub stored: Option<Item>,
}

/// A counter that ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// What is counted; the key of the item in the table of limits.
    pub key: String,
    /// How much to add; less than nothing gives back what was counted before.
    pub amount: i32,
    /// Refuse to go beyond this.
    pub maximum: Option<u32>,
    /// When the store may forget it.
    pub expires_at: Timestamp,
}

/// Where a [`Counter`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// The total, what was added included.
    Total(u32),
    /// Nothing was added: it would have gone beyond the maximum.
    Exceeded,
}

/// A message that is ready to go.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Where it goes.
    pub queue: Queue,
    /// What it says.
    pub envelope: Envelope<serde_json::Value>,
    /// How long the queue hides it.
    pub delay: Duration,
    /// Which of those that share a standard queue it is from.
    pub group: Option<String>,
}

/// A message that its queue refuses for what it is: it will not get better by being sent again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RefusedMessage(pub String);

impl From<RefusedMessage> for Fault {
    fn from(refused: RefusedMessage) -> Self {
        Self::internal(refused)
    }
}

impl RefusedMessage {
    /// Whether a message failed for what it is.
    pub(crate) fn is(fault: &Fault) -> bool {
        matches!(fault, Fault::Internal(source) if source.is::<Self>())
    }
}

/// A message that was received, and is to be hidden again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// By what the queue knows the delivery.
    pub receipt: String,
    /// For how long, in whole seconds and at most 12 hours.
    pub wait: Duration,
}
