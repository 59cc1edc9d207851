//! Serial numbers: 1 to 100, then 1 again.

use lifecycle::effects::{Condition, Write, number};
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::SerialNumber;
use crate::resources::COUNTERS;

/// The last serial number. There is one such record, and every approval increments it.
///
/// It is part of the approval's commit: a failed attempt loses no number, and the numbers of any
/// 100 consecutive approvals differ. The price is that approvals happen one after the other: the
/// item allows as many transactions as fit in a second, some 50.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SerialNumbers {
    last: SerialNumber,
}

impl SerialNumbers {
    /// The key of the one record.
    pub fn the_key() -> Key {
        Key::new("serial-numbers")
    }

    /// The number after the last one.
    pub fn next(read: Option<&Self>) -> SerialNumber {
        let next = read.and_then(|numbers| SerialNumber::try_from(numbers.last.get() + 1).ok());
        next.unwrap_or(SerialNumber::MIN)
    }

    /// Gives the next number, if the last one is still the one that was read.
    pub fn give_next(read: Option<&Self>) -> Write {
        let next = Self { last: Self::next(read) };
        match read {
            None => Write::create(&next),
            Some(Self { last }) => {
                Write::put(&next).when(Condition::Equals("last", number(last.get())))
            }
        }
    }
}

impl Record for SerialNumbers {
    const TABLE: TableName = COUNTERS;

    fn key(&self) -> Key {
        Self::the_key()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_numbers_of_any_100_consecutive_approvals_differ() {
        let mut numbers = None;
        let given: Vec<_> = (0..350)
            .map(|_| {
                let last = SerialNumbers::next(numbers.as_ref());
                numbers = Some(SerialNumbers { last });
                last
            })
            .collect();
        assert_eq!(given[0], SerialNumber::MIN);
        for window in given.windows(100) {
            assert_eq!(window.iter().collect::<BTreeSet<_>>().len(), 100, "{window:?}");
        }
    }
}
