//! Stage 6: records in the order of their positions. Reading requires a permit.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use lifecycle::paging::Direction;
use lifecycle::record::{IndexName, PARTITION_KEY, Record, SORT_KEY};
use lifecycle::telemetry::observe_query;
use lifecycle::{Permit, ServiceError};
use serde_dynamo::Item;

use super::batch_get::key_in;
use super::expressions::SdkItem;
use super::table::record;
use crate::Table;
use crate::errors::fault;

/// How many unreadable items of one partition are skipped. Beyond this, more than single items is
/// wrong, and reading on costs more than it is worth.
const LEFT_OUT_MAX: usize = 1_000;

/// The records of a table to read, and their order.
///
/// ```
/// # use aws::Range;
/// # use lifecycle::paging::Direction;
/// # use lifecycle::record::IndexName;
/// const BY_DEADLINE: IndexName = IndexName::new("by_deadline");
/// let overdue = Range::sharded(BY_DEADLINE).up_to("2026-01-31T23:59:59.000Z");
/// let newest_first = Range::partition("customer").ordered(Direction::Descending);
/// ```
#[derive(Debug, Clone)]
pub struct Range {
    index: Option<IndexName>,
    partitions: Vec<String>,
    direction: Direction,
    bound: Option<Bound>,
}

#[derive(Debug, Clone)]
enum Bound {
    /// Only records behind the position.
    After(String),
    /// Only records up to the position, including it.
    UpTo(String),
}

impl Range {
    /// All records of an index that is spread over [`IndexName::WRITE_SHARDS`].
    pub fn sharded(index: IndexName) -> Self {
        Self::new(Some(index), IndexName::WRITE_SHARDS.map(str::to_owned).to_vec())
    }

    /// One partition of a table with a sort key. The sort key is the position.
    pub fn partition(partition: impl ToString) -> Self {
        Self::new(None, vec![partition.to_string()])
    }

    /// One partition of an index.
    pub fn of(index: IndexName, partition: impl ToString) -> Self {
        Self::new(Some(index), vec![partition.to_string()])
    }

    /// Sets the direction, instead of ascending.
    #[must_use]
    pub fn ordered(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    /// Only records behind a position, in the range's direction.
    #[must_use]
    pub fn after(self, position: impl ToString) -> Self {
        Self { bound: Some(Bound::After(position.to_string())), ..self }
    }

    /// Only records up to a position, including it, in the range's direction.
    #[must_use]
    pub fn up_to(self, position: impl ToString) -> Self {
        Self { bound: Some(Bound::UpTo(position.to_string())), ..self }
    }

    fn new(index: Option<IndexName>, partitions: Vec<String>) -> Self {
        Self { index, partitions, direction: Direction::Ascending, bound: None }
    }

    /// The parts that identify the range: index, direction and partitions.
    pub(crate) fn names(&self) -> Vec<&str> {
        let index = self.index.map_or("", IndexName::name);
        let partitions = self.partitions.iter().map(String::as_str);
        [index, self.direction.as_str()].into_iter().chain(partitions).collect()
    }

    fn partition_attribute(&self) -> String {
        self.index.map_or(PARTITION_KEY.to_owned(), IndexName::partition_attribute)
    }

    fn position_attribute(&self) -> String {
        self.index.map_or(SORT_KEY.to_owned(), IndexName::position_attribute)
    }

    /// The bound as a key condition, and its value.
    fn condition(&self) -> Option<(&'static str, &str)> {
        let ascending = self.direction == Direction::Ascending;
        self.bound.as_ref().map(|bound| match bound {
            Bound::After(position) if ascending => (" AND #position > :bound", position.as_str()),
            Bound::After(position) => (" AND #position < :bound", position.as_str()),
            Bound::UpTo(position) if ascending => (" AND #position <= :bound", position.as_str()),
            Bound::UpTo(position) => (" AND #position >= :bound", position.as_str()),
        })
    }
}

/// A record and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positioned<R> {
    /// Its position, from which the next read continues.
    pub position: String,
    /// The record.
    pub record: R,
}

/// An entry of a range: a record, or an item that is not one.
#[derive(Debug)]
pub enum Found<R> {
    /// A record.
    Record(R),
    /// An unreadable item, as it is stored.
    Unreadable(Item),
}

impl<R: Record> Table<R> {
    /// Reads the first records of a range with eventual consistency, in the range's order.
    ///
    /// An item that is not such a record is skipped, logged with its key and counted as
    /// `UNREADABLE_RECORD`. The next record takes its place.
    ///
    /// The partitions are read at the same time, each up to `count_max` records. So a spread index
    /// reads up to four times as many records as it returns.
    ///
    /// # Errors
    ///
    /// As [`Table::get`].
    pub async fn first_of<C>(
        &self,
        _: &Permit<C>,
        range: &Range,
        count_max: usize,
    ) -> Result<Vec<Positioned<R>>, ServiceError> {
        self.load_first_of(range, count_max).await
    }

    pub(crate) async fn load_first_of(
        &self,
        range: &Range,
        count_max: usize,
    ) -> Result<Vec<Positioned<R>>, ServiceError> {
        let readable = |item: SdkItem| record(&key_in(&item)?, item).ok();
        let found = self.in_order(range, count_max, readable).await?;
        let positioned = |(position, record)| Positioned { position, record };
        Ok(found.into_iter().map(positioned).collect())
    }

    /// Reads the first items of a range, including unreadable ones. It serves work that must remove
    /// such an item from the range, because it would find the item again each time.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn everything_in<C>(
        &self,
        _: &Permit<C>,
        range: &Range,
        count_max: usize,
    ) -> Result<Vec<Found<R>>, ServiceError> {
        let either = |item: SdkItem| {
            let read = record(&key_in(&item)?, item.clone());
            Some(read.map_or_else(|_| Found::Unreadable(item.into()), Found::Record))
        };
        let found = self.in_order(range, count_max, either).await?;
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }

    async fn in_order<T>(
        &self,
        range: &Range,
        count_max: usize,
        read: impl Fn(SdkItem) -> Option<T>,
    ) -> Result<Vec<(String, T)>, ServiceError> {
        let partitions = range.partitions.iter();
        let partitions =
            partitions.map(|partition| self.first_in(partition, range, count_max, &read));
        let mut found: Vec<_> = try_join_all(partitions).await?.into_iter().flatten().collect();
        found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        if range.direction == Direction::Descending {
            found.reverse();
        }
        found.truncate(count_max);
        Ok(found)
    }

    /// The first items of one partition that `read` accepts, with their positions. A response ends
    /// early at 1 MB. More items are read in place of the items that `read` rejects.
    async fn first_in<T>(
        &self,
        partition: &str,
        range: &Range,
        count_max: usize,
        read: impl Fn(SdkItem) -> Option<T>,
    ) -> Result<Vec<(String, T)>, ServiceError> {
        let position = range.position_attribute();
        let mut found = Vec::new();
        let mut start = None;
        let mut left_out = 0;
        while found.len() < count_max {
            let limit = (count_max - found.len()).max(left_out);
            let (items, next) = self.query(partition, range, limit, start).await?;
            let items_count = items.len();
            let before = found.len();
            found.extend(items.into_iter().filter_map(|item| {
                let Some(AttributeValue::S(position)) = item.get(&position) else { return None };
                Some((position.clone(), read(item)?))
            }));
            left_out += items_count - (found.len() - before);
            if left_out > LEFT_OUT_MAX {
                let table = R::TABLE.name();
                return Err(ServiceError::internal(format!(
                    "{left_out} unreadable items in {table}"
                )));
            }
            start = next;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// One `Query`: the items found, and the key to continue from.
    async fn query(
        &self,
        partition: &str,
        range: &Range,
        limit: usize,
        start: Option<SdkItem>,
    ) -> Result<(Vec<SdkItem>, Option<SdkItem>), ServiceError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let (bound, value) = range.condition().unzip();
        let request = self
            .aws()
            .dynamodb()
            .query()
            .table_name(self.aws().table_name(R::TABLE)?)
            .set_index_name(range.index.map(|index| index.name().to_owned()))
            .key_condition_expression(format!("#partition = :partition{}", bound.unwrap_or("")))
            .expression_attribute_names("#partition", range.partition_attribute())
            .expression_attribute_values(":partition", text(partition))
            .scan_index_forward(range.direction == Direction::Ascending)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        let request = match value {
            None => request,
            Some(value) => request
                .expression_attribute_names("#position", range.position_attribute())
                .expression_attribute_values(":bound", text(value)),
        };
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("Query", R::TABLE.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("Query", R::TABLE.name(), error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}
