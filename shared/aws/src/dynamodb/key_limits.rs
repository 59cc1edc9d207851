//! Positions at the limit of a sort key. Pure: no call.

use lifecycle::record::Key;

/// The last possible position before a text that is too long for one; `None` if it is not too long.
pub(super) fn last_before(text: &str) -> Option<String> {
    if text.len() <= Key::SORT_BYTES_MAX {
        return None;
    }
    let end = text.floor_char_boundary(Key::SORT_BYTES_MAX);
    let mut last = text[..end].to_owned();
    // The next character of the text has more bytes than are left. Each shorter one is before it,
    // and these are the last ones of one, two and three bytes.
    match Key::SORT_BYTES_MAX - end {
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
