//! Writes to keys that no item can have. Pure: no call.

use std::borrow::Cow;

use lifecycle::ports::{CommitError, FailedCondition, Transaction};

/// The writes of a transaction that `DynamoDB` can perform.
///
/// It would refuse a transaction with any other write as invalid. But the key may be the text of a
/// client, and such an item is only missing.
pub(super) struct Possible<'a> {
    pub(super) transaction: Cow<'a, Transaction>,
    /// The places of the writes in the whole transaction.
    places: Vec<usize>,
}

impl<'a> Possible<'a> {
    /// Judges the writes to keys that no item can have, and leaves them out.
    pub(super) fn of(transaction: &'a Transaction) -> Result<Self, CommitError> {
        let places = transaction.possible_writes()?;
        if places.len() == transaction.writes.len() {
            return Ok(Self { transaction: Cow::Borrowed(transaction), places });
        }
        let writes = places.iter().map(|place| transaction.writes[*place].clone()).collect();
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

#[cfg(test)]
mod tests {
    use lifecycle::effects::Write;
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

    fn take(title: String) -> Write {
        Write::update::<Book>(Key::new(title)).add("copies", -1)
    }

    fn delete(title: String) -> Write {
        Write::delete::<Book>(Key::new(title))
    }

    fn transaction(writes: Vec<Write>) -> Transaction {
        Transaction { token: "t".to_owned(), writes }
    }

    #[test]
    fn a_write_to_an_impossible_key_is_left_out_or_an_error() {
        let writes = vec![delete(long()), take("emma".to_owned())];
        let whole = transaction(writes);
        let left = Possible::of(&whole).unwrap_or_else(|error| panic!("{error:?}"));
        let keys = left.transaction.writes.iter().map(|write| write.key.pk.as_str());
        assert_eq!(keys.collect::<Vec<_>>(), ["emma"]);
        let invalid = transaction(vec![take(long())]);
        assert!(matches!(Possible::of(&invalid), Err(CommitError::Invalid(_))));
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
