//! A part of a table or an index: its partitions, and the positions in them. Pure: no call.

use std::borrow::Cow;

use lifecycle::paging::Direction;
use lifecycle::record::{IndexName, Key, TableName};

use super::key_limits::last_before;

/// A comparison of positions, as the end of a key condition.
const ABOVE: &str = " AND #position > :bound0";
const AT_LEAST: &str = " AND #position >= :bound0";
const BELOW: &str = " AND #position < :bound0";
const AT_MOST: &str = " AND #position <= :bound0";

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
/// combined with it. A partition and a limit may be any text of a client. No record is in a partition
/// that is empty or too long for `DynamoDB`. A limit of such a size is still compared, byte by byte.
#[derive(Debug, Clone)]
pub struct Range {
    pub(super) index: Option<IndexName>,
    pub(super) partitions: Vec<String>,
    pub(super) direction: Direction,
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

    pub(super) fn partition_attribute(&self, table: TableName) -> String {
        self.index.map_or_else(|| table.partition_key().to_owned(), IndexName::partition_attribute)
    }

    pub(super) fn position_attribute(&self, table: TableName) -> String {
        self.index.map_or_else(|| table.sort_key().to_owned(), IndexName::position_attribute)
    }

    pub(super) fn is_ascending(&self) -> bool {
        self.direction == Direction::Ascending
    }

    /// Whether no position is within the limits.
    pub(super) fn is_empty(&self) -> bool {
        let is_before_all = !self.is_ascending() && self.after.as_deref() == Some("");
        is_before_all
            || match &self.section {
                None => false,
                Some(Section::UpTo(last)) => self.is_ascending() && last.is_empty(),
                Some(Section::Between(lower, upper)) => lower > upper || upper.is_empty(),
                Some(Section::StartingWith(beginning)) => !Key::can_be_sort(beginning),
            }
    }

    /// Whether a position is within the section.
    pub(super) fn contains(&self, position: &str) -> bool {
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
    pub(super) fn condition(&self) -> (&'static str, Vec<Cow<'_, str>>) {
        let is_ascending = self.is_ascending();
        let (behind, up_to) = if is_ascending { (ABOVE, AT_MOST) } else { (BELOW, AT_LEAST) };
        match (&self.after, &self.section) {
            (Some(after), _) if !self.begins_behind(after) => compared(behind, after),
            (_, None) => ("", Vec::new()),
            (_, Some(Section::UpTo(last))) => compared(up_to, last),
            (_, Some(Section::Between(lower, upper))) => {
                if Key::can_be_sort(lower) && Key::can_be_sort(upper) {
                    let limits = vec![Cow::Borrowed(lower.as_str()), Cow::Borrowed(upper.as_str())];
                    (" AND #position BETWEEN :bound0 AND :bound1", limits)
                } else if is_ascending {
                    compared(AT_LEAST, lower)
                } else {
                    compared(AT_MOST, upper)
                }
            }
            (_, Some(Section::StartingWith(beginning))) => {
                (" AND begins_with(#position, :bound0)", vec![Cow::Borrowed(beginning.as_str())])
            }
        }
    }
}

/// A comparison with any limit, as `DynamoDB` accepts it: it refuses a limit that no position can be.
fn compared<'a>(comparison: &'static str, limit: &'a str) -> (&'static str, Vec<Cow<'a, str>>) {
    if limit.is_empty() {
        // Each position is above it. A range with all positions below it is empty, and is not read.
        return ("", Vec::new());
    }
    match last_before(limit) {
        None => (comparison, vec![Cow::Borrowed(limit)]),
        Some(last) if [ABOVE, AT_LEAST].contains(&comparison) => (ABOVE, vec![Cow::Owned(last)]),
        Some(last) => (AT_MOST, vec![Cow::Owned(last)]),
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
            let values: Vec<_> = values.iter().map(|value| Cow::Borrowed(*value)).collect();
            assert_eq!(range.condition(), (condition, values), "{range:?}");
        }
    }

    #[test]
    fn a_limit_that_no_position_can_be_is_compared_by_the_last_position_before_it() {
        let (up, down) = (Direction::Ascending, Direction::Descending);
        let all = |direction| Range::partition("ann").ordered(direction);
        let long = "b".repeat(1025);
        let last = &long[..1024];
        for (range, condition, values) in [
            (all(up).after(&long), ABOVE, &[last][..]),
            (all(down).after(&long), AT_MOST, &[last]),
            (all(up).up_to(&long), AT_MOST, &[last]),
            (all(down).up_to(&long), ABOVE, &[last]),
            (all(up).between(&long, "c"), ABOVE, &[last]),
            (all(down).between(&long, "c"), AT_MOST, &["c"]),
            (all(up).between("a", &long), AT_LEAST, &["a"]),
            (all(down).between("a", &long), AT_MOST, &[last]),
            (all(up).after(""), "", &[]),
            (all(down).up_to(""), "", &[]),
            (all(up).between("", "c"), "", &[]),
            (all(down).between("", "c"), AT_MOST, &["c"]),
        ] {
            assert!(!range.is_empty(), "{range:?}");
            let values: Vec<_> = values.iter().map(|value| Cow::Borrowed(*value)).collect();
            assert_eq!(range.condition(), (condition, values), "{range:?}");
        }
        for range in [
            all(down).after(""),
            all(up).up_to(""),
            all(up).between("", ""),
            all(up).starting_with(&long),
        ] {
            assert!(range.is_empty(), "{range:?}");
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
