//! Writes: the primary effects of a decision.

use serde_dynamo::{AttributeValue, Item};

use crate::error::DomainError;
use crate::record::{Key, Record, TableName, item_of};

/// One conditional write to one item.
#[derive(Debug, Clone)]
pub struct Write {
    /// The table, by its logical name.
    pub table: TableName,
    /// The item's key.
    pub key: Key,
    /// Whether the key is personal data, which the log hashes: [`Record::KEY_IS_PERSONAL`].
    pub key_is_personal: bool,
    /// The change to the item.
    pub action: WriteAction,
    /// The condition on the stored item. If it does not hold, nothing of the commit happens.
    pub condition: Option<Condition>,
    /// The meaning of a failed condition.
    pub on_condition_failed: OnConditionFailed,
}

/// The operation of a [`Write`]. An adapter performs each one, so this list is exhaustive.
#[derive(Debug, Clone)]
pub enum WriteAction {
    /// Stores the whole item, including its key attributes.
    Put(Item),
    /// Changes single attributes.
    Update(Vec<Change>),
    /// Removes the item.
    Delete,
    /// Changes nothing; only checks the condition, as part of the commit.
    Check,
}

/// A change to one attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Sets the attribute.
    Set(&'static str, AttributeValue),
    /// Adds a whole number, which may be negative; a missing attribute counts as 0.
    Add(&'static str, i64),
    /// Removes the attribute.
    Remove(&'static str),
}

/// A condition on the stored item. An adapter checks each one, so this list is exhaustive.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// No item has this key.
    Absent,
    /// An item has this key.
    Present,
    /// The attribute has this value.
    Equals(&'static str, AttributeValue),
    /// The attribute is a number of at least this much.
    AtLeast(&'static str, i64),
    /// The attribute is a number below this.
    Below(&'static str, i64),
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
}

impl Condition {
    /// Whether it holds for the stored item, as in `DynamoDB`: no comparison holds for a missing
    /// attribute.
    pub(crate) fn holds(&self, item: Option<&Item>) -> bool {
        let attribute = |name: &str| item.and_then(|item| item.get(name));
        let number = |name: &str| attribute(name).and_then(whole_number);
        match self {
            Self::Absent => item.is_none(),
            Self::Present => item.is_some(),
            Self::Equals(name, value) => attribute(name) == Some(value),
            Self::AtLeast(name, least) => number(name).is_some_and(|n| n >= *least),
            Self::Below(name, limit) => number(name).is_some_and(|n| n < *limit),
            Self::All(all) => all.iter().all(|condition| condition.holds(item)),
            Self::Any(any) => any.iter().any(|condition| condition.holds(item)),
        }
    }
}

/// The meaning of a failed condition.
#[derive(Debug, Clone)]
pub enum OnConditionFailed {
    /// The facts are stale: stages 6 to 8 run again.
    Retry,
    /// A business rule is violated: the client gets this rejection. A consumer has no client; see
    /// [`Write::or_reject`].
    Reject(DomainError),
}

impl Write {
    /// Stores a record whose key does not exist yet.
    ///
    /// # Panics
    ///
    /// As [`item_of`].
    pub fn create<R: Record>(record: &R) -> Self {
        Self::new::<R>(record.key(), WriteAction::Put(item_of(record))).when(Condition::Absent)
    }

    /// Stores a record and overwrites an existing one.
    ///
    /// # Panics
    ///
    /// As [`Write::create`].
    pub fn put<R: Record>(record: &R) -> Self {
        Self::new::<R>(record.key(), WriteAction::Put(item_of(record)))
    }

    /// Replaces a record if its stored version ([`Record::VERSION_ATTRIBUTE`]) still equals `read_version`.
    ///
    /// # Panics
    ///
    /// As [`Write::create`].
    pub fn replace<R: Record>(record: &R, read_version: u64) -> Self {
        Self::put(record).when(Condition::Equals(R::VERSION_ATTRIBUTE, number(read_version)))
    }

    /// Changes single attributes of a record; add them with [`Write::set`] and [`Write::add`].
    pub fn update<R: Record>(key: Key) -> Self {
        Self::new::<R>(key, WriteAction::Update(Vec::new()))
    }

    /// Removes a record.
    pub fn delete<R: Record>(key: Key) -> Self {
        Self::new::<R>(key, WriteAction::Delete)
    }

    /// Changes nothing, but the commit fails unless this record meets the condition.
    pub fn check<R: Record>(key: Key, condition: Condition) -> Self {
        Self::new::<R>(key, WriteAction::Check).when(condition)
    }

    /// Sets an attribute. Only for [`Write::update`].
    #[must_use]
    pub fn set(self, attribute: &'static str, value: AttributeValue) -> Self {
        self.change(Change::Set(attribute, value))
    }

    /// Adds to a numeric attribute; a negative number subtracts. Only for [`Write::update`].
    #[must_use]
    pub fn add(self, attribute: &'static str, amount: i64) -> Self {
        self.change(Change::Add(attribute, amount))
    }

    /// Adds a condition; several must all hold.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(match self.condition.take() {
            None => condition,
            Some(Condition::All(mut all)) => {
                all.push(condition);
                Condition::All(all)
            }
            Some(first) => Condition::All(vec![first, condition]),
        });
        self
    }

    /// Sets the rejection for a failed condition. Without one, a failed condition means that the
    /// facts are stale, and stages 6 to 8 run again.
    ///
    /// In a consumer they run again in both cases, so that its decision rejects by the facts; a
    /// decision that does not look at them fails with its record, which is delivered again. In a
    /// [part](super::Effects::part) the rejection fails the run of the schedule; without one, the part
    /// is left to the next run.
    #[must_use]
    pub fn or_reject(mut self, rejection: impl Into<DomainError>) -> Self {
        self.on_condition_failed = OnConditionFailed::Reject(rejection.into());
        self
    }

    /// The size of the item data, in bytes, close enough to the store's count to check a limit.
    pub(crate) fn size_bytes(&self) -> usize {
        match &self.action {
            WriteAction::Put(item) => size_bytes_of(item),
            WriteAction::Update(changes) => changes.iter().map(size_of_change).sum(),
            WriteAction::Delete | WriteAction::Check => 0,
        }
    }

    fn new<R: Record>(key: Key, action: WriteAction) -> Self {
        Self {
            table: R::TABLE,
            key,
            key_is_personal: R::KEY_IS_PERSONAL,
            action,
            condition: None,
            on_condition_failed: OnConditionFailed::Retry,
        }
    }

    fn change(mut self, change: Change) -> Self {
        match &mut self.action {
            WriteAction::Update(changes) => changes.push(change),
            other => unreachable!("`set` and `add` need an update, not {other:?}"),
        }
        self
    }
}

/// A number attribute.
pub fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// The whole number in an attribute, if it has one.
pub(crate) fn whole_number(value: &AttributeValue) -> Option<i64> {
    match value {
        AttributeValue::N(text) => text.parse().ok(),
        _ => None,
    }
}

/// A string attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The size of an item, in bytes, close enough to the store's count to check a limit.
pub fn size_bytes_of(item: &Item) -> usize {
    item.inner().iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

fn size_of_change(change: &Change) -> usize {
    match change {
        Change::Set(name, value) => name.len() + size_of_value(value),
        Change::Add(name, _) => name.len() + 21,
        Change::Remove(name) => name.len(),
    }
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::N(text) | AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + size_of_value(value)).sum::<usize>()
        }
        AttributeValue::L(values) => 3 + values.iter().map(|v| 1 + size_of_value(v)).sum::<usize>(),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
            texts.iter().map(String::len).sum()
        }
        AttributeValue::Bs(blobs) => blobs.iter().map(Vec::len).sum(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::commit::OutboxRow;

    #[test]
    fn the_size_of_a_write_is_that_of_its_names_and_values() {
        let map = |name: &str, value| HashMap::from([(name.to_owned(), value)]);
        for (value, size) in [
            (text("Zoë"), 4),
            (number(-12_i64), 3),
            (AttributeValue::B(vec![0; 5]), 5),
            (AttributeValue::Bool(false), 1),
            (AttributeValue::Null(true), 1),
            (AttributeValue::M(map("ab", text("cde"))), 3 + 1 + 2 + 3),
            (AttributeValue::L(vec![text("a"), text("bc")]), 3 + 2 + 3),
            (AttributeValue::Ss(vec!["ab".to_owned(), "c".to_owned()]), 3),
            (AttributeValue::Ns(vec!["12".to_owned(), "3".to_owned()]), 3),
            (AttributeValue::Bs(vec![vec![0; 2], vec![0; 3]]), 5),
        ] {
            let item = Item::from(map("name", value.clone()));
            assert_eq!(size_bytes_of(&item), 4 + size, "{value:?}");
            let update = Write::update::<OutboxRow>(Key::new("1")).set("name", value);
            let update = update.add("count", 1).change(Change::Remove("gone"));
            assert_eq!(update.size_bytes(), 4 + size + 5 + 21 + 4);
        }
        assert_eq!(Write::delete::<OutboxRow>(Key::new("1")).size_bytes(), 0);
    }

    #[test]
    fn a_missing_item_meets_a_combination_of_conditions_as_in_dynamodb() {
        use Condition as C;
        let equals = || C::Equals("title", text("emma"));
        for (condition, holds) in [
            (C::Absent, true),
            (C::Present, false),
            (equals(), false),
            (C::AtLeast("copies", 0), false),
            (C::Below("copies", 9), false),
            (C::Any(vec![C::Absent, equals()]), true),
            (C::All(vec![C::Absent, equals()]), false),
            (C::All(vec![]), true),
            (C::Any(vec![]), false),
        ] {
            assert_eq!(condition.holds(None), holds, "{condition:?}");
        }
    }
}
