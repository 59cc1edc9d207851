//! Stage 6: records in the order of their positions. Reading requires a permit.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use lifecycle::paging::Direction;
use lifecycle::record::{IndexName, Record, TableName};
use lifecycle::telemetry::observe_query;
use lifecycle::{Permit, ServiceError};
use serde_dynamo::Item;

use super::expressions::{SdkItem, key_in};
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
/// let loans_of_a_member = Range::partition("member#7").starting_with("loan#");
/// let january = Range::partition("shop").between("2026-01-01", "2026-01-31~");
/// ```
///
/// Each method that limits the positions replaces the limit before it. [`after`](Self::after) is
/// combined with it.
#[derive(Debug, Clone)]
pub struct Range {
    index: Option<IndexName>,
    partitions: Vec<String>,
    direction: Direction,
    after: Option<String>,
    section: Option<Section>,
}

/// Positions that follow one another. They are compared byte by byte, as the table sorts them.
#[derive(Debug, Clone)]
enum Section {
    /// Up to the position, including it, in the range's direction.
    UpTo(String),
    /// From the first to the second, including both.
    Between(String, String),
    /// The positions with this beginning.
    StartingWith(String),
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
        Self { after: Some(position.to_string()), ..self }
    }

    /// Only records up to a position, including it, in the range's direction.
    #[must_use]
    pub fn up_to(self, position: impl ToString) -> Self {
        Self { section: Some(Section::UpTo(position.to_string())), ..self }
    }

    /// Only records from the lower position to the upper one, including both, in any direction.
    /// None if the lower one is above the upper one.
    #[must_use]
    pub fn between(self, lower: impl ToString, upper: impl ToString) -> Self {
        Self { section: Some(Section::Between(lower.to_string(), upper.to_string())), ..self }
    }

    /// Only records whose position begins with a text, such as the items of one type in a
    /// partition. An empty text is no limit.
    #[must_use]
    pub fn starting_with(self, beginning: impl ToString) -> Self {
        let beginning = beginning.to_string();
        let section = (!beginning.is_empty()).then_some(Section::StartingWith(beginning));
        Self { section, ..self }
    }

    fn new(index: Option<IndexName>, partitions: Vec<String>) -> Self {
        Self { index, partitions, direction: Direction::Ascending, after: None, section: None }
    }

    /// The parts that identify the range: index, direction, partitions, and its section if that is
    /// the same for every page.
    pub(crate) fn names(&self) -> Vec<&str> {
        let index = self.index.map_or("", IndexName::name);
        let partitions = self.partitions.iter().map(String::as_str);
        let section = match &self.section {
            None | Some(Section::UpTo(_)) => Vec::new(),
            Some(Section::Between(lower, upper)) => vec!["between", lower.as_str(), upper.as_str()],
            Some(Section::StartingWith(beginning)) => vec!["starting with", beginning.as_str()],
        };
        [index, self.direction.as_str()].into_iter().chain(partitions).chain(section).collect()
    }

    fn partition_attribute(&self, table: TableName) -> String {
        self.index.map_or_else(|| table.partition_key().to_owned(), IndexName::partition_attribute)
    }

    fn position_attribute(&self, table: TableName) -> String {
        self.index.map_or_else(|| table.sort_key().to_owned(), IndexName::position_attribute)
    }

    fn is_ascending(&self) -> bool {
        self.direction == Direction::Ascending
    }

    /// Whether no position is within the limits.
    fn is_empty(&self) -> bool {
        matches!(&self.section, Some(Section::Between(lower, upper)) if lower > upper)
    }

    /// Whether a position is within the section.
    fn contains(&self, position: &str) -> bool {
        match &self.section {
            None => true,
            Some(Section::UpTo(last)) if self.is_ascending() => position <= last.as_str(),
            Some(Section::UpTo(last)) => position >= last.as_str(),
            Some(Section::Between(lower, upper)) => {
                (lower.as_str()..=upper.as_str()).contains(&position)
            }
            Some(Section::StartingWith(beginning)) => position.starts_with(beginning.as_str()),
        }
    }

    /// Whether the section begins behind the position, in the range's direction.
    fn begins_behind(&self, position: &str) -> bool {
        let (first, last) = match &self.section {
            None | Some(Section::UpTo(_)) => return false,
            Some(Section::Between(lower, upper)) => (lower.as_str(), upper.as_str()),
            Some(Section::StartingWith(beginning)) => (beginning.as_str(), beginning.as_str()),
        };
        let is_outside = !self.contains(position);
        is_outside && if self.is_ascending() { position < first } else { position > last }
    }

    /// The limits of the positions as a key condition, and its values.
    ///
    /// A key condition has only one comparison of the sort key. With both limits, it is the one at
    /// which the range begins; [`Range::contains`] finds where it ends.
    fn condition(&self) -> (&'static str, Vec<&str>) {
        let (behind, up_to) = if self.is_ascending() {
            (" AND #position > :bound0", " AND #position <= :bound0")
        } else {
            (" AND #position < :bound0", " AND #position >= :bound0")
        };
        match (&self.after, &self.section) {
            (Some(after), _) if !self.begins_behind(after) => (behind, vec![after.as_str()]),
            (_, None) => ("", Vec::new()),
            (_, Some(Section::UpTo(last))) => (up_to, vec![last.as_str()]),
            (_, Some(Section::Between(lower, upper))) => {
                (" AND #position BETWEEN :bound0 AND :bound1", vec![lower.as_str(), upper.as_str()])
            }
            (_, Some(Section::StartingWith(beginning))) => {
                (" AND begins_with(#position, :bound0)", vec![beginning.as_str()])
            }
        }
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
        if range.is_empty() {
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
                .expression_attribute_values(format!(":bound{number}"), text(value));
        }
        let started = Instant::now();
        let answer = request.send().await;
        observe_query("Query", R::TABLE.name(), started.elapsed());
        let answer = answer.map_err(|error| fault("Query", R::TABLE.name(), error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_and_a_section_are_one_condition_where_the_range_begins() {
        let (up, down) = (Direction::Ascending, Direction::Descending);
        let loans = || Range::partition("ann").starting_with("loan#");
        let days = || Range::partition("ann").between("03", "05");
        for (range, condition, values) in [
            (Range::partition("ann"), "", &[][..]),
            (Range::partition("ann").starting_with(""), "", &[]),
            (loans(), " AND begins_with(#position, :bound0)", &["loan#"]),
            (loans().after("loan#3"), " AND #position > :bound0", &["loan#3"]),
            (loans().after("fee#1"), " AND begins_with(#position, :bound0)", &["loan#"]),
            (loans().ordered(down).after("loan#3"), " AND #position < :bound0", &["loan#3"]),
            (
                loans().ordered(down).after("user"),
                " AND begins_with(#position, :bound0)",
                &["loan#"],
            ),
            (days(), " AND #position BETWEEN :bound0 AND :bound1", &["03", "05"]),
            (days().after("02"), " AND #position BETWEEN :bound0 AND :bound1", &["03", "05"]),
            (days().after("04"), " AND #position > :bound0", &["04"]),
            (
                days().ordered(down).after("06"),
                " AND #position BETWEEN :bound0 AND :bound1",
                &["03", "05"],
            ),
            (days().ordered(up).up_to("05").after("04"), " AND #position > :bound0", &["04"]),
            (days().ordered(down).up_to("05"), " AND #position >= :bound0", &["05"]),
        ] {
            assert_eq!(range.condition(), (condition, values.to_vec()), "{range:?}");
        }
    }

    #[test]
    fn a_list_is_identified_by_its_section_unless_that_moves_with_time() {
        let all = || Range::partition("ann");
        assert_eq!(all().names(), ["", "asc", "ann"]);
        assert_eq!(all().up_to("2026-01-31").names(), ["", "asc", "ann"]);
        assert_ne!(all().starting_with("a").names(), all().starting_with("b").names());
        assert_ne!(all().between("a", "b").names(), all().between("a", "c").names());
    }
}
