//! Keys that no item can have: the adapter on `DynamoDB` does not send them.

use crate::effects::WriteAction;
use crate::ports::{CommitError, FailedCondition, Items, Transaction};
use crate::record::{Key, TableName};

/// `DynamoDB`'s limit for a partition key, in bytes.
const PARTITION_BYTES_MAX: usize = 2048;
/// `DynamoDB`'s limit for a sort key, in bytes.
const SORT_BYTES_MAX: usize = 1024;

/// Whether the table may have an item with this key. Only sizes are judged.
pub(super) fn may_exist(table: TableName, key: &Key) -> bool {
    let sort_key = key.sk.as_deref().filter(|_| table.is_sorted());
    (1..=PARTITION_BYTES_MAX).contains(&key.pk.len())
        && sort_key.is_none_or(|sk| (1..=SORT_BYTES_MAX).contains(&sk.len()))
}

/// Judges the writes to keys that no item can have. As on AWS, they are judged before the others:
/// their conditions hold or fail as for a missing item, and one that would create it is invalid.
pub(super) fn check(transaction: &Transaction) -> Result<(), CommitError> {
    transaction.check()?;
    let (mut failed, mut invalid) = (Vec::new(), None);
    for (place, write) in transaction.writes.iter().enumerate() {
        if may_exist(write.table, &write.key) {
            continue;
        }
        let alone = Transaction { token: transaction.token.clone(), writes: vec![write.clone()] };
        if let Err(CommitError::Conditions(_)) = Items::default().commit(&alone) {
            failed.push(FailedCondition { write: place, stored: None });
        } else if matches!(write.action, WriteAction::Put(_) | WriteAction::Update(_)) {
            invalid = invalid.or(Some((place, write.table.name())));
        }
    }
    if !failed.is_empty() {
        return Err(CommitError::Conditions(failed));
    }
    let Some((place, table)) = invalid else { return Ok(()) };
    Err(CommitError::Invalid(format!(
        "write {place} on {table}: no item can have its key, a part of which is empty or too long"
    )))
}
