//! Writes to keys that no item can have. Pure: no call.

use std::borrow::Cow;

use lifecycle::effects::{Condition, Write, WriteAction};
use lifecycle::ports::{CommitError, FailedCondition, Transaction};

use super::key_limits::may_exist;

/// The writes of a transaction that `DynamoDB` can perform.
///
/// It would refuse a transaction with any other write as invalid. But the key may be the text of a
/// client, and such an item is only missing.
pub(super) struct Possible<'a> {
    pub(super) transaction: Cow<'a, Transaction>,
    /// The places of the writes in the whole transaction; empty if it is the whole.
    places: Vec<usize>,
}

impl<'a> Possible<'a> {
    /// Judges the writes to keys that no item can have, and leaves them out.
    ///
    /// Their conditions hold or fail as for a missing item. A write that would create the item is
    /// invalid. To delete or to check a missing item changes nothing.
    pub(super) fn of(transaction: &'a Transaction) -> Result<Self, CommitError> {
        let is_possible = |write: &Write| may_exist(write.table, &write.key);
        if transaction.writes.iter().all(is_possible) {
            return Ok(Self { transaction: Cow::Borrowed(transaction), places: Vec::new() });
        }
        let (mut writes, mut places) = (Vec::new(), Vec::new());
        let (mut failed, mut invalid) = (Vec::new(), None);
        for (place, write) in transaction.writes.iter().enumerate() {
            let condition = write.condition.as_ref();
            if is_possible(write) {
                writes.push(write.clone());
                places.push(place);
            } else if condition.is_some_and(|condition| !holds_for_none(condition)) {
                failed.push(FailedCondition { write: place, stored: None });
            } else if matches!(write.action, WriteAction::Put(_) | WriteAction::Update(_)) {
                invalid = invalid.or(Some((place, write.table.name())));
            }
        }
        // A failed condition is a result: the others do not matter then.
        if !failed.is_empty() {
            return Err(CommitError::Conditions(failed));
        }
        if let Some((place, table)) = invalid {
            return Err(CommitError::Invalid(format!(
                "write {place} on {table}: no item can have its key, a part of which is empty or \
                 too long"
            )));
        }
        let token = transaction.token.clone();
        Ok(Self { transaction: Cow::Owned(Transaction { token, writes }), places })
    }

    /// The error of committing these writes, with their places in the whole transaction.
    pub(super) fn renumbered(&self, error: CommitError) -> CommitError {
        match error {
            CommitError::Conditions(failed) => {
                let failed = failed.into_iter().map(|one| {
                    let write = self.places.get(one.write).copied().unwrap_or(one.write);
                    FailedCondition { write, ..one }
                });
                CommitError::Conditions(failed.collect())
            }
            other => other,
        }
    }
}

/// Whether a condition holds for a missing item.
fn holds_for_none(condition: &Condition) -> bool {
    match condition {
        Condition::Absent => true,
        Condition::Present
        | Condition::Equals(..)
        | Condition::AtLeast(..)
        | Condition::Below(..) => false,
        Condition::All(all) => all.iter().all(holds_for_none),
        Condition::Any(any) => any.iter().any(holds_for_none),
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::text;
    use lifecycle::record::{Key, Record, TableName};
    use serde::{Deserialize, Serialize};

    use super::*;

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

    fn long() -> String {
        "x".repeat(2049)
    }

    fn book(title: String) -> Book {
        Book { title }
    }

    fn take(title: String) -> Write {
        Write::update::<Book>(Key::new(title)).add("copies", -1)
    }

    fn delete(title: String) -> Write {
        Write::delete::<Book>(Key::new(title))
    }

    fn transaction(writes: Vec<Write>) -> Transaction {
        Transaction { token: "t".to_owned(), writes }
    }

    /// The keys that are left, or the error.
    fn judged(writes: Vec<Write>) -> String {
        let transaction = transaction(writes);
        match Possible::of(&transaction) {
            Ok(left) => {
                let keys = left.transaction.writes.iter().map(|write| write.key.pk.as_str());
                format!("{:?}", keys.collect::<Vec<_>>())
            }
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
        let emma = || "emma".to_owned();
        let at_least = || Condition::AtLeast("copies", 1);
        for title in [String::new(), long()] {
            let title = || title.clone();
            let check = |condition| Write::check::<Book>(Key::new(title()), condition);
            for (writes, expected) in [
                (vec![take(emma()), delete(emma())], r#"["emma", "emma"]"#),
                (vec![take(title()).when(at_least())], "failed [0]"),
                (vec![delete(title()).when(Condition::Present)], "failed [0]"),
                (vec![take(emma()), check(Condition::Present)], "failed [1]"),
                (vec![Write::replace(&book(title()), 1)], "failed [0]"),
                (vec![Write::create(&book(title())), check(at_least())], "failed [1]"),
                (vec![Write::create(&book(title())), take(emma())], invalid),
                (vec![Write::put(&book(title()))], invalid),
                (vec![take(title())], invalid),
                (vec![take(title()).when(Condition::Absent)], invalid),
                (vec![delete(title())], "[]"),
                (vec![delete(title()), check(Condition::Absent), take(emma())], r#"["emma"]"#),
            ] {
                assert_eq!(judged(writes.clone()), expected, "{writes:?}");
            }
        }
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
            assert_eq!(holds_for_none(&condition), holds, "{condition:?}");
        }
    }

    #[test]
    fn a_failed_condition_keeps_its_place_in_the_whole_transaction() {
        let (emma, dune) = (|| take("emma".to_owned()), || delete("dune".to_owned()));
        for (writes, place) in [
            (vec![delete(long()), emma()], 1),
            (vec![emma(), delete(long()), dune()], 2),
            (vec![emma(), dune()], 1),
        ] {
            let transaction = transaction(writes);
            let left = Possible::of(&transaction).unwrap_or_else(|error| panic!("{error:?}"));
            let last = left.transaction.writes.len() - 1;
            let failed = vec![FailedCondition { write: last, stored: None }];
            match left.renumbered(CommitError::Conditions(failed)) {
                CommitError::Conditions(failed) => assert_eq!(failed[0].write, place),
                other => panic!("a failed condition stays one: {other:?}"),
            }
            assert!(matches!(left.renumbered(CommitError::Conflict), CommitError::Conflict));
        }
    }
}
