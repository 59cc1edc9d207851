//! Stage 6: any number of records of one table.

use futures::future::try_join_all;
use lifecycle::record::{Key, Record};
use lifecycle::{Permit, ServiceError};

use super::batch_get::{KEYS_MAX, Looked, batch_get};
use crate::Table;

/// Maximum concurrent calls of one read, each of which needs a connection.
const CALLS_AT_ONCE: usize = 4;

impl<R: Record> Table<R> {
    /// Reads any number of records, for a list or as a hint, in the order of their keys. Missing and
    /// unreadable records are left out. A call reads [`KEYS_MAX`] records, and four calls run at a
    /// time.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn get_many_readable<C>(
        &self,
        permit: &Permit<C>,
        keys: &[Key],
    ) -> Result<Vec<R>, ServiceError> {
        let mut records = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_MAX * CALLS_AT_ONCE) {
            let mut calls = Vec::with_capacity(CALLS_AT_ONCE);
            for keys in keys.chunks(KEYS_MAX) {
                calls.push(batch_get(permit, self.many(keys.iter().cloned()).each()));
            }
            let found = try_join_all(calls).await?;
            records.extend(found.into_iter().flatten().filter_map(Looked::record));
        }
        Ok(records)
    }
}
