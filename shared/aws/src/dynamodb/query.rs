//! Stage 6: records in the order of their positions. Reading requires a permit.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use lifecycle::paging::Direction;
use lifecycle::record::{Key, Record};
use lifecycle::telemetry::observe_query;
use lifecycle::{Permit, ServiceError};
use serde_dynamo::Item;
use tokio::time::Instant;

use super::expressions::{SdkItem, key_in};
use super::range::Range;
use super::table::record;
use crate::Table;
use crate::errors::fault;

/// How many unreadable items of one partition are skipped. Beyond this, more than single items is
/// wrong, and reading on costs more than it is worth.
const LEFT_OUT_MAX: usize = 1_000;

/// A record and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
        let readable = |item: SdkItem| record(&key_in(R::TABLE, &item)?, item).ok();
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
            let read = record(&key_in(R::TABLE, &item)?, item.clone());
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
    /// early at 1 MB. More items are read in place of the items that `read` rejects. The first item
    /// behind the range's section ends the read.
    async fn first_in<T>(
        &self,
        partition: &str,
        range: &Range,
        count_max: usize,
        read: impl Fn(SdkItem) -> Option<T>,
    ) -> Result<Vec<(String, T)>, ServiceError> {
        let attribute = range.position_attribute(R::TABLE);
        let mut found = Vec::new();
        // `DynamoDB` would refuse the query, but the partition may be the text of a client.
        if range.is_empty() || !Key::can_be_partition(partition) {
            return Ok(found);
        }
        let mut start = None;
        let mut left_out = 0;
        while found.len() < count_max {
            let limit = (count_max - found.len()).max(left_out);
            let (items, next) = self.query(partition, range, limit, start).await?;
            for item in items {
                let Some(AttributeValue::S(position)) = item.get(&attribute) else {
                    left_out += 1;
                    continue;
                };
                if !range.contains(position) {
                    return Ok(found);
                }
                let position = position.clone();
                match read(item) {
                    Some(one) => found.push((position, one)),
                    None => left_out += 1,
                }
            }
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
        let (bound, values) = range.condition();
        let mut request = self
            .aws()
            .dynamodb()
            .query()
            .table_name(self.aws().table_name(R::TABLE)?)
            .set_index_name(range.index.map(|index| index.name().to_owned()))
            .key_condition_expression(format!("#partition = :partition{bound}"))
            .expression_attribute_names("#partition", range.partition_attribute(R::TABLE))
            .expression_attribute_values(":partition", text(partition))
            .scan_index_forward(range.is_ascending())
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        for (number, value) in values.into_iter().enumerate() {
            request = request
                .expression_attribute_names("#position", range.position_attribute(R::TABLE))
                .expression_attribute_values(format!(":bound{number}"), text(&value));
        }
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("Query", R::TABLE.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("Query", R::TABLE.name(), error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}
