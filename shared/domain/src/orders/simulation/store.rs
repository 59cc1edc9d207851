//! A store that commits writes as `DynamoDB` does: all or none, if their conditions hold.

use std::collections::HashMap;

use lifecycle::effects::{Change, Condition, Write, WriteAction};
use lifecycle::ports::Transaction;
use lifecycle::record::{Key, Record, TableName};
use serde_dynamo::{AttributeValue, Item, from_item};

#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Store(HashMap<(TableName, Key), Item>);

impl Store {
    pub(super) fn get<R: Record>(&self, key: &Key) -> Option<R> {
        let item = self.0.get(&(R::TABLE, key.clone()))?;
        Some(from_item(item.clone()).expect("a record that was written can be read"))
    }

    /// Every record of a table whose key begins with this prefix.
    pub(super) fn all<R: Record>(&self, prefix: &str) -> Vec<R> {
        let keys =
            self.0.keys().filter(|(table, key)| *table == R::TABLE && key.pk.starts_with(prefix));
        keys.filter_map(|(_, key)| self.get(key)).collect()
    }

    /// Commits all writes or none, and returns whether it has.
    pub(super) fn commit(&mut self, writes: &[Write]) -> bool {
        let transaction = Transaction { token: String::new(), writes: writes.to_vec() };
        transaction.check().expect("DynamoDB would accept it");
        let place = |write: &Write| (write.table, write.key.clone());
        let holds = |write: &Write| {
            let item = self.0.get(&place(write));
            write.condition.as_ref().is_none_or(|condition| holds(condition, item))
        };
        if !writes.iter().all(holds) {
            return false;
        }
        for write in writes {
            match &write.action {
                WriteAction::Put(item) => {
                    self.0.insert(place(write), item.clone());
                }
                WriteAction::Update(changes) => {
                    let item = self.0.entry(place(write)).or_default();
                    for change in changes {
                        perform(change, item);
                    }
                }
                WriteAction::Delete => {
                    self.0.remove(&place(write));
                }
                WriteAction::Check => {}
            }
        }
        true
    }
}

fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    match condition {
        Condition::Absent => item.is_none(),
        Condition::Present => item.is_some(),
        Condition::Equals(name, value) => item.and_then(|item| item.get(*name)) == Some(value),
        Condition::AtLeast(name, least) => number(item, name).is_some_and(|found| found >= *least),
        Condition::Below(name, end) => number(item, name).is_some_and(|found| found < *end),
        Condition::All(all) => all.iter().all(|condition| holds(condition, item)),
        Condition::Any(any) => any.iter().any(|condition| holds(condition, item)),
    }
}

fn perform(change: &Change, item: &mut Item) {
    match change {
        Change::Set(name, value) => item.insert((*name).to_owned(), value.clone()),
        Change::Add(name, amount) => {
            let sum = number(Some(item), name).unwrap_or(0) + amount;
            item.insert((*name).to_owned(), AttributeValue::N(sum.to_string()))
        }
        Change::Remove(name) => item.remove(*name),
    };
}

fn number(item: Option<&Item>, name: &str) -> Option<i64> {
    match item?.get(name)? {
        AttributeValue::N(number) => number.parse().ok(),
        _ => None,
    }
}
