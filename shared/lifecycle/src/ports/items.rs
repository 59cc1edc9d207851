//! The items of tables in memory, with the conditions and transactions of the store.

use std::collections::BTreeMap;

use serde_dynamo::{AttributeValue, Item};

use super::store::{CommitError, FailedCondition, Transaction};
use crate::effects::{Change, Write, WriteAction, size_bytes_of, whole_number};
use crate::record::{Key, TableName};

/// `DynamoDB`'s limit for one item, in bytes.
const ITEM_BYTES_MAX: usize = 400 * 1024;

/// The place of an item: its table and its key.
type Place = (&'static str, String, Option<String>);

/// The items of all tables, ordered by table and key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Items(BTreeMap<Place, Item>);

impl Items {
    pub(crate) fn get(&self, table: TableName, key: &Key) -> Option<&Item> {
        self.0.get(&place(table, key))
    }

    pub(crate) fn put(&mut self, table: TableName, key: Key, item: Item) {
        self.0.insert((table.name(), key.pk, key.sk), item);
    }

    /// The items of a table, in the order of their keys.
    pub(crate) fn of(&self, table: TableName) -> impl Iterator<Item = &Item> {
        let items = self.0.iter();
        items.filter(move |((name, ..), _)| *name == table.name()).map(|(_, item)| item)
    }

    /// Performs all writes of a transaction, or none.
    pub(crate) fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        transaction.check()?;
        let failed = transaction.writes.iter().enumerate().filter_map(|(write, wanted)| {
            let stored = self.get(wanted.table, &wanted.key);
            let holds = wanted.condition.as_ref().is_none_or(|condition| condition.holds(stored));
            (!holds).then(|| FailedCondition { write, stored: stored.cloned() })
        });
        let failed: Vec<FailedCondition> = failed.collect();
        if !failed.is_empty() {
            return Err(CommitError::Conditions(failed));
        }
        let mut after = self.clone();
        for (place, write) in transaction.writes.iter().enumerate() {
            after.perform(write)?;
            let bytes = after.get(write.table, &write.key).map_or(0, size_bytes_of);
            if bytes > ITEM_BYTES_MAX {
                return Err(CommitError::Invalid(format!(
                    "write {place} on {}: an item of {bytes} bytes, at most {ITEM_BYTES_MAX}",
                    write.table.name()
                )));
            }
        }
        *self = after;
        Ok(())
    }

    fn perform(&mut self, write: &Write) -> Result<(), CommitError> {
        let place = place(write.table, &write.key);
        match &write.action {
            WriteAction::Put(item) => drop(self.0.insert(place, item.clone())),
            WriteAction::Delete => drop(self.0.remove(&place)),
            WriteAction::Check => {}
            WriteAction::Update(changes) => {
                let item =
                    self.0.entry(place).or_insert_with(|| item_of_key(write.table, &write.key));
                changes.iter().try_for_each(|change| apply(change, item))?;
            }
        }
        Ok(())
    }
}

fn place(table: TableName, key: &Key) -> Place {
    (table.name(), key.pk.clone(), key.sk.clone())
}

/// A new item has the attributes of its key.
fn item_of_key(table: TableName, key: &Key) -> Item {
    let mut item = Item::default();
    item.insert(table.partition_key().to_owned(), AttributeValue::S(key.pk.clone()));
    if let Some(sk) = &key.sk {
        item.insert(table.sort_key().to_owned(), AttributeValue::S(sk.clone()));
    }
    item
}

fn apply(change: &Change, item: &mut Item) -> Result<(), CommitError> {
    match change {
        Change::Set(name, value) => drop(item.insert((*name).to_owned(), value.clone())),
        Change::Remove(name) => drop(item.remove(*name)),
        Change::Add(name, amount) => {
            let before = match item.get(*name) {
                None => 0,
                Some(value) => whole_number(value)
                    .ok_or_else(|| CommitError::Invalid(format!("{name} is not a whole number")))?,
            };
            let after = AttributeValue::N((before + amount).to_string());
            item.insert((*name).to_owned(), after);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::effects::{Condition, text};
    use crate::record::Record;

    #[derive(Serialize, Deserialize)]
    struct Visit {}

    impl Record for Visit {
        const TABLE: TableName =
            TableName::new("visits").partition_key_named("customerId").sorted();

        fn key(&self) -> Key {
            Key::sorted("ann", 1)
        }
    }

    #[test]
    fn an_item_has_at_most_400_kb_and_a_larger_one_is_not_written() {
        let attributes = "customerIdannsk1notes".len();
        let update = |bytes: usize| {
            let notes = text("x".repeat(bytes - attributes));
            let write = Write::update::<Visit>(Visit {}.key()).set("notes", notes);
            Transaction { token: "t".to_owned(), writes: vec![write] }
        };
        let mut items = Items::default();
        assert!(items.commit(&update(ITEM_BYTES_MAX)).is_ok());
        let CommitError::Invalid(reason) = items.commit(&update(ITEM_BYTES_MAX + 1)).unwrap_err()
        else {
            panic!("the store would never accept it")
        };
        assert_eq!(reason, "write 0 on visits: an item of 409601 bytes, at most 409600");
        let item = items.get(Visit::TABLE, &Visit {}.key()).unwrap();
        assert_eq!(size_bytes_of(item), ITEM_BYTES_MAX);
    }

    #[test]
    fn an_update_creates_a_missing_item_with_its_key_and_holds_below_a_limit_only() {
        let mut items = Items::default();
        let below = |limit| Condition::Below("count", limit);
        for (condition, holds) in [
            (Condition::Present, false),
            (Condition::Absent, true),
            (below(2), false),
            (below(3), true),
        ] {
            let write = Write::update::<Visit>(Visit {}.key()).add("count", 2).when(condition);
            let transaction = Transaction { token: "t".to_owned(), writes: vec![write] };
            assert_eq!(items.commit(&transaction).is_ok(), holds, "{transaction:?}");
        }
        let item = items.get(Visit::TABLE, &Visit {}.key()).unwrap();
        let [pk, sk, count] = ["customerId", "sk", "count"].map(|name| item.get(name).cloned());
        assert_eq!([pk, sk], [Some(text("ann")), Some(text("1"))]);
        assert_eq!(count, Some(AttributeValue::N("4".to_owned())));
    }
}
