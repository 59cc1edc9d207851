//! The sizes of keys.

use super::{Key, TableName};

impl Key {
    /// `DynamoDB`'s limit for a partition key, of a table or of an index, in bytes.
    pub const PARTITION_BYTES_MAX: usize = 2048;
    /// `DynamoDB`'s limit for a sort key, of a table or of an index, in bytes.
    pub const SORT_BYTES_MAX: usize = 1024;

    /// Whether a text can be a partition key, of a table or of an index.
    pub fn can_be_partition(text: &str) -> bool {
        (1..=Self::PARTITION_BYTES_MAX).contains(&text.len())
    }

    /// Whether a text can be a sort key, of a table or of an index.
    pub fn can_be_sort(text: &str) -> bool {
        (1..=Self::SORT_BYTES_MAX).contains(&text.len())
    }
}

impl TableName {
    /// Whether the table can have an item with this key: no part of it is empty or too long.
    ///
    /// `DynamoDB` refuses a call with another key, as a defect of the caller. But a key may be the
    /// text of a client, and then the item is only missing. So an adapter does not send such a key.
    ///
    /// Only sizes are judged. A sort key too many or too few is a defect.
    ///
    /// ```
    /// # use lifecycle::record::{Key, TableName};
    /// const USERS: TableName = TableName::new("users");
    /// assert!(USERS.can_have(&Key::new("ann")));
    /// assert!(!USERS.can_have(&Key::new("")));
    /// assert!(!USERS.can_have(&Key::new("é".repeat(1025))));
    /// ```
    pub fn can_have(self, key: &Key) -> bool {
        let sort_key = key.sk.as_deref().filter(|_| self.is_sorted);
        Key::can_be_partition(&key.pk) && sort_key.is_none_or(Key::can_be_sort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: TableName = TableName::new("users");
    const LOANS: TableName = TableName::new("loans").sorted();

    #[test]
    fn a_key_has_1_to_2048_bytes_and_a_sort_key_1_to_1024() {
        let of = |count: usize| "a".repeat(count);
        for (partition, sort, can) in [
            (0, 1, false),
            (1, 0, false),
            (1, 1, true),
            (2048, 1024, true),
            (2049, 1, false),
            (1, 1025, false),
        ] {
            let key = Key::sorted(of(partition), of(sort));
            assert_eq!(LOANS.can_have(&key), can, "{partition} {sort}");
        }
        for (partition, can) in [(0, false), (1, true), (2048, true), (2049, false)] {
            assert_eq!(USERS.can_have(&Key::new(of(partition))), can, "{partition}");
        }
        assert!(!USERS.can_have(&Key::new("é".repeat(1025))), "bytes count, not characters");
    }

    #[test]
    fn a_key_of_the_wrong_shape_is_left_to_the_store() {
        assert!(LOANS.can_have(&Key::new("ann")));
        assert!(USERS.can_have(&Key::sorted("ann", "")));
    }
}
