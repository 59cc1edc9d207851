//! Sequences: positions that are counted in one item.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use lifecycle::effects::Change;
use lifecycle::ports::{Count, Counter};
use lifecycle::record::{Key, Record, TableName};
use lifecycle::since::Since;
use lifecycle::telemetry::observe_query;
use lifecycle::{Permit, ServiceError, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::expressions::{Expressions, SdkItem, key_of};
use crate::Aws;
use crate::errors::fault;

/// The most positions that one call takes: more than the records of any batch.
const BLOCK_MAX: u32 = 1_000;
/// After this time the rest of a call's positions is left out, so that positions follow the time.
const BLOCK_LIFE: Duration = Duration::from_secs(1);

/// A sequence: each caller gets another position, from 1.
///
/// The position is taken outside of the commit that uses it, by an addition to an attribute of one
/// item. So commits do not wait for each other, as they do if each one changes the item. The price is
/// that positions are left out: after a crash, a lost response, or a commit that does not happen.
///
/// Callers of one execution environment that wait at the same time share a call. So the calls follow
/// the number of environments, and not the number of positions: an item takes 1 000 additions a second.
pub struct Sequence {
    aws: Aws,
    table: TableName,
    key: Key,
    attribute: &'static str,
    /// The callers without a position.
    waiting: AtomicU32,
    /// The positions that the last call took and that are left.
    block: Mutex<Block>,
}

impl Aws {
    /// The sequence in a numeric attribute of an item of the record's table. It begins at 1 if there
    /// is no such item.
    ///
    /// It needs [`Action::UpdateItem`](lifecycle::resource::Action::UpdateItem) on the table.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks the table. Its first start shows this bug.
    pub fn sequence<R: Record>(&self, key: Key, attribute: &'static str) -> Sequence {
        let (table, name) = (R::TABLE, R::TABLE.name());
        assert!(self.configuration().table(table).is_some(), "RESOURCES lacks the table {name}");
        let (waiting, block) = (AtomicU32::new(0), Mutex::default());
        Sequence { aws: self.clone(), table, key, attribute, waiting, block }
    }
}

impl Sequence {
    /// Takes the next position.
    ///
    /// # Errors
    ///
    /// When the table cannot be written.
    pub async fn next<C>(&self, _: &Permit<C>) -> Result<u64, ServiceError> {
        let _waiting = Waiting::of(&self.waiting);
        let mut block = self.block.lock().await;
        if let Some(position) = block.take() {
            return Ok(position);
        }
        let count = self.waiting.load(Ordering::Relaxed).clamp(1, BLOCK_MAX);
        *block = Block::ending(self.add(count).await?, count);
        let position = block.take();
        position.ok_or_else(|| ServiceError::internal("a sequence counts below 1"))
    }

    /// Adds to the attribute, and returns the sum. An SDK retry after a lost response adds twice.
    async fn add(&self, count: u32) -> Result<u64, ServiceError> {
        if let Some(adapter) = self.aws.in_memory() {
            let counter = Counter {
                key: format!("sequence#{}#{}", self.table.name(), self.key.pk),
                amount: i32::try_from(count).map_err(ServiceError::internal)?,
                maximum: None,
                expires_at: Timestamp::from_millis(0),
            };
            return match adapter.count(&counter).await? {
                Count::Total(total) => Ok(total.into()),
                Count::Exceeded => Err(ServiceError::internal("a sequence has no maximum")),
            };
        }
        let mut expressions = Expressions::on(self.table);
        let update = expressions.update(&[Change::Add(self.attribute, count.into())]);
        let request = self
            .aws
            .dynamodb()
            .update_item()
            .table_name(self.aws.table_name(self.table)?)
            .set_key(Some(key_of(self.table, &self.key)))
            .set_update_expression(update)
            .set_expression_attribute_names(expressions.names())
            .set_expression_attribute_values(expressions.values())
            .return_values(ReturnValue::UpdatedNew);
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("UpdateItem", self.table.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("UpdateItem", self.table.name(), error))?;
        sum(answer.attributes.as_ref(), self.attribute)
    }
}

fn sum(item: Option<&SdkItem>, attribute: &str) -> Result<u64, ServiceError> {
    match item.and_then(|item| item.get(attribute)) {
        Some(AttributeValue::N(sum)) => sum.parse().map_err(ServiceError::internal),
        other => Err(ServiceError::internal(format!("a sequence holds {other:?}"))),
    }
}

/// Consecutive positions that one call has taken.
#[derive(Debug, Default)]
struct Block {
    next: u64,
    left: u32,
    /// `None` before the first call.
    taken_at: Option<Since>,
}

impl Block {
    /// The block whose last position is this one.
    fn ending(last: u64, count: u32) -> Self {
        // If an operator has set the attribute below 0, the call took fewer positions above 0.
        let left = u32::try_from(last).map_or(count, |last| last.min(count));
        let next = (last + 1).saturating_sub(left.into());
        Self { next, left, taken_at: Some(Since::now()) }
    }

    /// The next position, if there is one that is not too old.
    fn take(&mut self) -> Option<u64> {
        let is_fresh = self.taken_at.is_some_and(|at| at.elapsed() < BLOCK_LIFE);
        if self.left == 0 || !is_fresh {
            return None;
        }
        self.left -= 1;
        self.next += 1;
        Some(self.next - 1)
    }
}

/// A caller without a position, until it is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn of(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lifecycle::testing::simulated::within;

    use super::*;
    use crate::every::tests::WallClock;

    #[tokio::test(start_paused = true)]
    async fn a_block_has_consecutive_positions_that_do_not_last() {
        let mut block = Block::default();
        assert_eq!(block.take(), None);
        block = Block::ending(12, 3);
        assert_eq!([block.take(), block.take()], [Some(10), Some(11)]);
        tokio::time::advance(BLOCK_LIFE).await;
        assert_eq!(block.take(), None, "the last position is too old");
        let mut block = Block::ending(2, 5);
        assert_eq!([block.take(), block.take(), block.take()], [Some(1), Some(2), None]);
        assert_eq!(Block::ending(0, 5).take(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_block_ages_while_the_process_is_frozen() {
        let clock = Arc::<WallClock>::default();
        within(clock.clone(), async {
            let mut block = Block::ending(12, 3);
            assert_eq!(block.take(), Some(10));
            clock.pass(BLOCK_LIFE);
            assert_eq!(block.take(), None);
        })
        .await;
    }

    #[test]
    fn a_sum_is_read_and_another_attribute_is_an_error() {
        let item = |value| SdkItem::from([("last".to_owned(), value)]);
        let number = item(AttributeValue::N("101".to_owned()));
        assert_eq!(sum(Some(&number), "last").unwrap(), 101);
        for wrong in [AttributeValue::N("-1".to_owned()), AttributeValue::S("101".to_owned())] {
            sum(Some(&item(wrong)), "last").unwrap_err();
        }
        sum(None, "last").unwrap_err();
    }

    #[test]
    fn a_caller_that_gives_up_is_not_counted() {
        let count = AtomicU32::new(0);
        let waiting = Waiting::of(&count);
        assert_eq!(count.load(Ordering::Relaxed), 1);
        drop(waiting);
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }
}
