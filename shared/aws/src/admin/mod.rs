//! Operators' access to whole tables and dead letters, without endpoints. It needs the feature
//! `admin`, which no function enables: functions read only with a permit.

mod dead_letters;
mod rewrite;
mod scan;

use lifecycle::effects::Write;
use lifecycle::ports::{CommitError, Store, Transaction};
use lifecycle::record::{Key, Record};
use lifecycle::{ServiceError, random};

pub use self::dead_letters::{DEAD_LETTERS_MAX, DeadLetter};
pub use self::rewrite::{Attempt, Changed, ItemPage};
pub use self::scan::{Page, Segment};
use crate::dynamodb::batch_get::gather;
use crate::{Aws, BatchRequest, KeyRotation, Positioned, Range, Table};

/// Access to all declared resources, without a request's permit.
#[derive(Clone)]
pub struct Operator(Aws);

impl Operator {
    /// Operator access with the credentials of `aws`.
    pub fn new(aws: Aws) -> Self {
        Self(aws)
    }

    /// The table of a record type.
    ///
    /// # Panics
    ///
    /// As [`Aws::table`].
    pub fn table<R: Record>(&self) -> Table<R> {
        self.0.table()
    }

    /// Reads records as [`batch_get`](crate::batch_get()) does.
    ///
    /// # Errors
    ///
    /// As [`batch_get`](crate::batch_get()).
    pub async fn together<W: BatchRequest>(&self, wanted: W) -> Result<W::Found, ServiceError> {
        gather(wanted).await
    }

    /// The first records of a range.
    ///
    /// # Errors
    ///
    /// As [`Table::first_of`].
    pub async fn first_of<R: Record>(
        &self,
        range: &Range,
        count_max: usize,
    ) -> Result<Vec<Positioned<R>>, ServiceError> {
        self.table().load_first_of(range, count_max).await
    }

    /// Whether an item exists, in a table whose record type only the lifecycle knows.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn has(
        &self,
        table: lifecycle::record::TableName,
        key: &Key,
    ) -> Result<bool, ServiceError> {
        Ok(self.0.get_item(table, key, true).await?.is_some())
    }

    /// Rotates the keys that sign tokens.
    ///
    /// # Panics
    ///
    /// As [`Aws::key_rotation`].
    pub fn key_rotation(&self) -> KeyRotation {
        self.0.key_rotation()
    }

    /// Writes one item if its condition holds. Returns whether it was written.
    ///
    /// # Errors
    ///
    /// When the table cannot be written to, or another transaction is writing the item.
    pub async fn write(&self, write: Write) -> Result<bool, ServiceError> {
        let token = format!("operator-{:016x}", random::up_to(u64::MAX));
        match self.0.commit(&Transaction { token, writes: vec![write] }).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conditions(_)) => Ok(false),
            Err(CommitError::Conflict) => Err(crate::errors::unavailable("the item is in use")),
            Err(CommitError::Invalid(reason)) => Err(ServiceError::internal(reason)),
            Err(CommitError::ServiceError(fault)) => Err(fault),
        }
    }
}
