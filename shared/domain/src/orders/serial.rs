//! Serial numbers: 1 to 100, then 1 again.

use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::SerialNumber;
use crate::resources::COUNTERS;

/// The numbers of a run.
const RUN: u64 = 100;

/// The last position in the sequence of approvals. There is one such record.
///
/// An approval takes the next position before its commit, so that approvals do not wait for each
/// other. The serial number is the place of the position in its run of 100: two approvals of one run
/// have different numbers. An approval that does not commit leaves its position out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SerialNumbers {
    /// Earlier versions count to 100 and begin again at 1, also after a higher number.
    last: u64,
}

impl SerialNumbers {
    /// The attribute with the last position.
    pub const LAST: &'static str = "last";

    /// The key of the one record.
    pub fn the_key() -> Key {
        Key::new("serial-numbers")
    }

    /// The number at a position, which counts from 1.
    ///
    /// # Panics
    ///
    /// Never: a place in a run is a serial number.
    pub fn at(position: u64) -> SerialNumber {
        let earlier = i64::try_from((position.max(1) - 1) % RUN).unwrap_or_default();
        SerialNumber::try_from(earlier + 1).expect("a place in a run is from 1 to 100")
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

    use lifecycle::effects::number;
    use lifecycle::record::item_of;
    use serde_json::json;

    use super::*;
    use crate::examples::read;

    #[test]
    fn the_numbers_of_any_100_consecutive_positions_differ() {
        let given: Vec<SerialNumber> = (1..=350).map(SerialNumbers::at).collect();
        assert_eq!((given[0], given[99], given[100]), (given[100], SerialNumber::MAX, given[0]));
        assert_eq!(given[0], SerialNumber::MIN);
        for window in given.windows(100) {
            assert_eq!(window.iter().collect::<BTreeSet<_>>().len(), 100, "{window:?}");
        }
    }

    #[test]
    fn the_counter_of_an_earlier_version_is_continued() {
        let numbers: SerialNumbers = read(json!({ "last": 7 }));
        assert_eq!(item_of(&numbers).get(SerialNumbers::LAST), Some(&number(7)));
        assert_eq!(numbers, SerialNumbers { last: 7 });
        assert_eq!(SerialNumbers::at(8).get(), 8);
    }
}
