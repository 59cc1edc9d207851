//! The sizes of keys. Pure: no call.
//!
//! `DynamoDB` refuses a call with a key that no item can have, as if it were a defect of the caller.
//! But a key may be the text of a client. So such a key is not sent: there is no item with it.

use lifecycle::record::{Key, TableName};

/// `DynamoDB`'s limit for a partition key, in bytes.
const PARTITION_BYTES_MAX: usize = 2048;
/// `DynamoDB`'s limit for a sort key, in bytes.
const SORT_BYTES_MAX: usize = 1024;

/// Whether the table may have an item with this key.
///
/// Only sizes are judged. A key with a sort key too many or too few is a defect, which `DynamoDB`
/// refuses.
pub(super) fn may_exist(table: TableName, key: &Key) -> bool {
    let sort_key = key.sk.as_deref().filter(|_| table.is_sorted());
    is_partition(&key.pk) && sort_key.is_none_or(is_position)
}

/// Whether a text can be a partition key, of a table or of an index.
pub(super) fn is_partition(text: &str) -> bool {
    (1..=PARTITION_BYTES_MAX).contains(&text.len())
}

/// Whether a text can be a sort key, of a table or of an index.
pub(super) fn is_position(text: &str) -> bool {
    (1..=SORT_BYTES_MAX).contains(&text.len())
}

/// The last possible position before a text that is too long for one; `None` if it is not too long.
pub(super) fn last_before(text: &str) -> Option<String> {
    if text.len() <= SORT_BYTES_MAX {
        return None;
    }
    let end = text.floor_char_boundary(SORT_BYTES_MAX);
    let mut last = text[..end].to_owned();
    // The next character of the text has more bytes than are left. Each shorter one is before it,
    // and these are the last ones of one, two and three bytes.
    match SORT_BYTES_MAX - end {
        1 => last.push('\u{7F}'),
        2 => last.push('\u{7FF}'),
        3 => last.push('\u{FFFF}'),
        _ => {}
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: TableName = TableName::new("users");
    const LOANS: TableName = TableName::new("loans").sorted();

    #[test]
    fn a_key_has_1_to_2048_bytes_and_a_sort_key_1_to_1024() {
        let of = |count: usize| "a".repeat(count);
        for (partition, position, may) in [
            (0, 1, false),
            (1, 0, false),
            (1, 1, true),
            (2048, 1024, true),
            (2049, 1, false),
            (1, 1025, false),
        ] {
            let key = Key::sorted(of(partition), of(position));
            assert_eq!(may_exist(LOANS, &key), may, "{partition} {position}");
        }
        for (partition, may) in [(0, false), (1, true), (2048, true), (2049, false)] {
            assert_eq!(may_exist(USERS, &Key::new(of(partition))), may, "{partition}");
        }
        assert!(!may_exist(USERS, &Key::new("é".repeat(1025))), "bytes count, not characters");
    }

    #[test]
    fn a_key_of_the_wrong_shape_is_left_to_dynamodb() {
        assert!(may_exist(LOANS, &Key::new("ann")));
        assert!(may_exist(USERS, &Key::sorted("ann", "")));
    }

    #[test]
    fn the_last_position_before_a_long_text_has_all_bytes_and_no_other_is_between() {
        assert_eq!(last_before(&"a".repeat(1024)), None);
        assert_eq!(last_before(""), None);
        let of = |beginning: usize, character: char| {
            let text = format!("{}{character}{character}", "a".repeat(beginning));
            let last = last_before(&text).unwrap();
            assert!(last < text && last.len() == 1024, "{last}");
            last[beginning..].to_owned()
        };
        assert_eq!(of(1024, 'b'), "");
        assert_eq!(of(1023, 'é'), "\u{7F}");
        assert_eq!(of(1022, '€'), "\u{7FF}");
        assert_eq!(of(1021, '🦀'), "\u{FFFF}");
        assert_eq!(of(1023, '🦀'), "\u{7F}");
    }
}
