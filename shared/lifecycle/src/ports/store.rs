//! The port to tables.

use std::collections::HashSet;

use async_trait::async_trait;
use serde_dynamo::Item;

use crate::Timestamp;
use crate::effects::Write;
use crate::error::ServiceError;
use crate::record::{Key, TableName};

/// Reads and writes tables.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Performs all writes of a transaction, or none.
    ///
    /// A repeated call with the same token has no second effect.
    async fn commit(&self, transaction: &Transaction) -> Result<(), CommitError>;

    /// Reads one item, strongly consistent.
    async fn read(&self, table: TableName, key: &Key) -> Result<Option<Item>, ServiceError>;

    /// Adds to a counter in one conditional update and returns the total.
    async fn count(&self, counter: &Counter) -> Result<Count, ServiceError>;
}

/// Writes that happen together or not at all.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Identifies the attempt, so that a retry by the SDK does not commit twice. At most 36
    /// characters.
    pub token: String,
    /// At most [`Transaction::WRITES_MAX`] writes, no two on the same item.
    pub writes: Vec<Write>,
}

impl Transaction {
    /// `DynamoDB`'s limit for one transaction.
    pub const WRITES_MAX: usize = 100;
    /// `DynamoDB`'s limit for one transaction, in bytes of item data.
    pub const BYTES_MAX: usize = 4 * 1024 * 1024;

    /// Checks the limits of the store before the transaction is sent.
    pub fn check(&self) -> Result<(), CommitError> {
        if self.writes.len() > Self::WRITES_MAX {
            return Err(CommitError::Invalid(format!(
                "{} writes in one transaction, at most {}",
                self.writes.len(),
                Self::WRITES_MAX
            )));
        }
        let mut seen = HashSet::new();
        for write in &self.writes {
            if !seen.insert((write.table, &write.key)) {
                return Err(CommitError::Invalid(format!(
                    "two writes to one item of table {}",
                    write.table.name()
                )));
            }
        }
        let bytes: usize = self.writes.iter().map(Write::size_bytes).sum();
        if bytes > Self::BYTES_MAX {
            return Err(CommitError::Invalid(format!("{bytes} bytes in one transaction")));
        }
        Ok(())
    }
}

/// The reason why nothing was written.
#[derive(Debug)]
pub enum CommitError {
    /// Conditions did not hold.
    Conditions(Vec<FailedCondition>),
    /// Another transaction uses the same items, or they are throttled: decide again and retry.
    Conflict,
    /// The store would never accept it: a defect of the endpoint.
    Invalid(String),
    /// The store failed.
    ServiceError(ServiceError),
}

/// A condition that did not hold.
#[derive(Debug, Clone)]
pub struct FailedCondition {
    /// The index of the write in the transaction.
    pub write: usize,
    /// The stored item, if there is one.
    pub stored: Option<Item>,
}

/// A counter that expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The key of the item in the table of limits.
    pub key: String,
    /// The amount to add; a negative amount takes back an earlier count.
    pub amount: i32,
    /// The highest total. An addition that would exceed it is refused.
    pub maximum: Option<u32>,
    /// The time from which the store may delete the counter.
    pub expires_at: Timestamp,
}

/// The result of adding to a [`Counter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// The new total.
    Total(u32),
    /// Nothing was added, because the total would exceed the maximum.
    Exceeded,
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::record::Record;

    #[derive(Serialize, Deserialize)]
    struct Note {
        id: u8,
        text: String,
    }

    impl Record for Note {
        const TABLE: TableName = TableName::new("notes");

        fn key(&self) -> Key {
            Key::new(self.id)
        }
    }

    fn put(id: u8, bytes: usize) -> Write {
        Write::put(&Note { id, text: "x".repeat(bytes) })
    }

    fn checked(writes: Vec<Write>) -> Result<(), String> {
        match (Transaction { token: "t".to_owned(), writes }).check() {
            Ok(()) => Ok(()),
            Err(CommitError::Invalid(reason)) => Err(reason),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_transaction_has_at_most_100_writes_to_as_many_items() {
        assert_eq!(checked((0..100).map(|id| put(id, 1)).collect()), Ok(()));
        let error = checked((0..101).map(|id| put(id, 1)).collect()).unwrap_err();
        assert_eq!(error, "101 writes in one transaction, at most 100");
        let error = checked(vec![put(1, 1), put(2, 1), put(1, 1)]).unwrap_err();
        assert_eq!(error, "two writes to one item of table notes");
    }

    #[test]
    fn a_transaction_has_at_most_4_mib() {
        let of = |bytes: usize| vec![put(1, bytes / 2), put(2, bytes - bytes / 2)];
        let frame: usize = of(0).iter().map(Write::size_bytes).sum();
        let most = Transaction::BYTES_MAX - frame;
        assert_eq!(checked(of(most)), Ok(()));
        let error = checked(of(most + 1)).unwrap_err();
        assert_eq!(error, "4194305 bytes in one transaction");
    }
}
