//! What those who operate the system do with it: whole tables and dead letters, past all
//! endpoints. Only with the feature `operator`, which no function has: a function reads by permit.

mod letters;
mod scan;

use lifecycle::Fault;
use lifecycle::effects::Write;
use lifecycle::platform::{CommitError, Platform, Transaction};
use lifecycle::record::{Key, Record};

pub use self::letters::{DeadLetter, LETTERS_MAX};
pub use self::scan::{Page, Segment};
use crate::together::gather;
use crate::{Aws, KeyRotation, Positioned, Range, Table, Wanted};

/// Access to everything that is in use, without a request that it is for.
#[derive(Clone)]
pub struct Operator(Aws);

impl Operator {
    /// Whoever has these credentials may do this.
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

    /// Records as they are now, as [`together`](crate::together()) reads them.
    ///
    /// # Errors
    ///
    /// As [`together`](crate::together()).
    pub async fn together<W: Wanted>(&self, wanted: W) -> Result<W::Found, Fault> {
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
    ) -> Result<Vec<Positioned<R>>, Fault> {
        self.table().load_first_of(range, count_max).await
    }

    /// Whether there is an item, of a table whose records nobody but the lifecycle knows.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn has(&self, table: lifecycle::record::Table, key: &Key) -> Result<bool, Fault> {
        Ok(self.0.get_item(table, key, true).await?.is_some())
    }

    /// Rotates the keys that tokens are signed with.
    ///
    /// # Panics
    ///
    /// As [`Aws::key_rotation`].
    pub fn key_rotation(&self) -> KeyRotation {
        self.0.key_rotation()
    }

    /// Writes one item, if its condition holds, and tells whether it did.
    ///
    /// # Errors
    ///
    /// When the table cannot be written to, or somebody else is at the item.
    pub async fn write(&self, write: Write) -> Result<bool, Fault> {
        let token = format!("operator-{:016x}", fastrand::u64(..));
        match self.0.commit(&Transaction { token, writes: vec![write] }).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conditions(_)) => Ok(false),
            Err(CommitError::Conflict) => Err(crate::faults::unavailable("the item is in use")),
            Err(CommitError::Invalid(reason)) => Err(Fault::internal(reason)),
            Err(CommitError::Fault(fault)) => Err(fault),
        }
    }
}
