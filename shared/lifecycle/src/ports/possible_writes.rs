//! Writes to keys that no item can have.

use super::store::{CommitError, FailedCondition, Transaction};
use crate::effects::WriteAction;

impl Transaction {
    /// Judges the writes to keys that [no item can have](crate::record::TableName::can_have), and
    /// returns the places of the others.
    ///
    /// Their conditions hold or fail as for a missing item. A write that would create the item is
    /// invalid. To delete or to check a missing item changes nothing.
    pub fn possible_writes(&self) -> Result<Vec<usize>, CommitError> {
        let (mut possible, mut failed, mut invalid) = (Vec::new(), Vec::new(), None);
        for (place, write) in self.writes.iter().enumerate() {
            if write.table.can_have(&write.key) {
                possible.push(place);
            } else if write.condition.as_ref().is_some_and(|condition| !condition.holds(None)) {
                failed.push(FailedCondition { write: place, stored: None });
            } else if matches!(write.action, WriteAction::Put(_) | WriteAction::Update(_)) {
                invalid = invalid.or(Some((place, write.table.name())));
            }
        }
        // A failed condition is a result: the others do not matter then.
        if !failed.is_empty() {
            return Err(CommitError::Conditions(failed));
        }
        match invalid {
            None => Ok(possible),
            Some((place, table)) => Err(CommitError::Invalid(format!(
                "write {place} on {table}: no item can have its key, a part of which is empty or \
                 too long"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::effects::{Condition, Write};
    use crate::record::{Key, Record, TableName};

    #[derive(Serialize, Deserialize)]
    struct Book {
        title: String,
    }

    impl Record for Book {
        const TABLE: TableName = TableName::new("books");

        fn key(&self) -> Key {
            Key::new(&self.title)
        }
    }

    fn book(title: &str) -> Book {
        Book { title: title.to_owned() }
    }

    fn take(title: &str) -> Write {
        Write::update::<Book>(Key::new(title)).add("copies", -1)
    }

    fn delete(title: &str) -> Write {
        Write::delete::<Book>(Key::new(title))
    }

    /// The places that are left, or the error.
    fn judged(writes: Vec<Write>) -> String {
        match (Transaction { token: "t".to_owned(), writes }).possible_writes() {
            Ok(places) => format!("{places:?}"),
            Err(CommitError::Conditions(failed)) => {
                assert!(failed.iter().all(|one| one.stored.is_none()));
                format!("failed {:?}", failed.iter().map(|one| one.write).collect::<Vec<_>>())
            }
            Err(CommitError::Invalid(reason)) => reason,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_write_to_an_impossible_key_is_judged_as_to_a_missing_item() {
        let invalid = "write 0 on books: no item can have its key, a part of which is empty or \
                       too long";
        let at_least = || Condition::AtLeast("copies", 1);
        for title in ["", "x".repeat(2049).as_str()] {
            let check = |condition| Write::check::<Book>(Key::new(title), condition);
            for (writes, expected) in [
                (vec![take("emma"), delete("emma")], "[0, 1]"),
                (vec![take(title).when(at_least())], "failed [0]"),
                (vec![delete(title).when(Condition::Present)], "failed [0]"),
                (vec![take("emma"), check(Condition::Present)], "failed [1]"),
                (vec![Write::replace(&book(title), 1)], "failed [0]"),
                (vec![Write::create(&book(title)), check(at_least())], "failed [1]"),
                (vec![Write::create(&book(title)), take("emma")], invalid),
                (vec![Write::put(&book(title))], invalid),
                (vec![take(title)], invalid),
                (vec![take(title).when(Condition::Absent)], invalid),
                (vec![delete(title)], "[]"),
                (vec![delete(title), check(Condition::Absent), take("emma")], "[2]"),
            ] {
                assert_eq!(judged(writes.clone()), expected, "{writes:?}");
            }
        }
    }
}
