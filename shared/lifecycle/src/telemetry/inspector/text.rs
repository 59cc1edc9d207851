//! Texts of records, cut to a length that fits into a line.

use std::fmt::{self, Debug, Write};

use super::super::reason::shortened_to;

/// The longest input. JSON may double it.
const INPUT_BYTES_MAX: usize = 64 * 1024;
/// The longest of all other texts, in characters.
const CHARS_MAX: usize = 1_000;

/// Cuts a text.
pub(super) fn shortened(text: String) -> String {
    shortened_to(CHARS_MAX, text)
}

/// Returns a value as Rust prints it, on several lines, cut at the maximum length.
///
/// Only the beginning of a long value is printed, because printing costs time.
pub(super) fn printed(value: &impl Debug) -> String {
    let mut printed = Printed(String::new());
    // An error means that the rest was cut.
    if write!(printed, "{value:#?}").is_err() {
        printed.0.push('…');
    }
    printed.0
}

struct Printed(String);

impl Write for Printed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = INPUT_BYTES_MAX - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_printed_on_several_lines_and_cut_at_64_kib() {
        assert_eq!(printed(&Some(7)), "Some(\n    7,\n)");
        for text in ["x", "ä", "€"] {
            let printed = printed(&text.repeat(100_000));
            assert!(printed.len() <= INPUT_BYTES_MAX + '…'.len_utf8(), "{}", printed.len());
            assert!(printed.starts_with('"') && printed.ends_with('…'));
        }
    }
}
