//! The form of drawn text: width, colours, and the characters that the terminal can show.
//!
//! Texts of requests are foreign: control characters in them never reach the terminal.

use crate::text::{cut, is_unshown, split};

/// The form of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Characters a line.
    pub(crate) width: usize,
    /// Whether escape sequences may set colours.
    pub(crate) colours: bool,
    /// Whether characters other than ASCII are shown.
    pub(crate) unicode: bool,
}

/// A colour, by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Plain,
    Title,
    Good,
    Bad,
    Waiting,
    Quiet,
}

impl Style {
    /// Text in a colour. The text has its final width: escape sequences have none.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Plain => return text.to_owned(),
            Colour::Title => "1",
            Colour::Good => "32",
            Colour::Bad => "31",
            Colour::Waiting => "33",
            Colour::Quiet => "2",
        };
        if self.colours && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// One of two spellings, by the characters that are shown.
    pub(crate) fn either(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// Foreign text in one line: white space is one space, and no character moves the cursor or
    /// changes the direction of the text.
    pub(crate) fn clean(self, text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut clean = String::with_capacity(text.len());
        for character in words.join(" ").chars() {
            self.push(&mut clean, character);
        }
        clean
    }

    fn push(self, text: &mut String, character: char) {
        match character {
            _ if is_unshown(character) => {
                text.push_str(self.either("\u{fffd}", "?"));
            }
            _ if self.unicode || character.is_ascii() => text.push(character),
            '…' => text.push_str("..."),
            '•' => text.push('*'),
            '–' | '—' => text.push('-'),
            '→' => text.push_str("->"),
            '‘' | '’' => text.push('\''),
            '“' | '”' => text.push('"'),
            _ => text.push('?'),
        }
    }

    /// At most `width` characters; an ellipsis stands for the rest.
    pub(crate) fn cut(self, text: &str, width: usize) -> String {
        if split(text, width).1.is_empty() {
            return text.to_owned();
        }
        let ellipsis = self.either("…", "...");
        cut(text, width.saturating_sub(ellipsis.chars().count()), ellipsis)
    }

    /// A cleaned text in lines of at most `width` characters, broken between words where possible.
    pub(crate) fn wrapped(self, text: &str, width: usize) -> Vec<String> {
        let width = width.max(WIDTH_MIN);
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut length = 0;
        for word in self.clean(text).split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            if length > 0 && length + 1 + word.len() > width {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            while word.len() > width {
                lines.push(word.drain(..width).collect());
            }
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            length += word.len();
            line.extend(word);
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// A text wrapped behind a first part: later lines begin below its end.
    pub(crate) fn hanging(self, first: &str, text: &str, colour: Colour) -> Vec<String> {
        let indent = first.chars().count();
        let lines = self.wrapped(text, self.width.saturating_sub(indent));
        let lines = lines.iter().enumerate().map(|(number, line)| {
            let line = self.paint(colour, line);
            if number == 0 { format!("{first}{line}") } else { format!("{:indent$}{line}", "") }
        });
        lines.collect()
    }
}

/// The least width of wrapped text. A narrower terminal breaks the lines.
const WIDTH_MIN: usize = 16;

/// A text with spaces behind it, in a column of that width.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text:width$}")
}

/// A duration in milliseconds, for people.
pub(crate) fn took(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1_000.0 {
        format!("{ms:.0} ms")
    } else if ms < 60_000.0 {
        format!("{:.1} s", ms / 1_000.0)
    } else {
        format!("{:.1} min", ms / 60_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { width: 80, colours: false, unicode: true };
    const ASCII: Style = Style { unicode: false, ..PLAIN };

    #[test]
    fn foreign_text_moves_no_cursor_and_sets_no_colour() {
        let text = "a\u{1b}[31mb\nc\t\u{202e}d\u{9b}e";
        assert_eq!(PLAIN.clean(text), "a\u{fffd}[31mb c \u{fffd}d\u{fffd}e");
        assert_eq!(ASCII.clean(text), "a?[31mb c ?d?e");
    }

    #[test]
    fn a_terminal_without_unicode_gets_ascii() {
        let text = "••• “a” → b… ä";
        assert_eq!(ASCII.clean(text), "*** \"a\" -> b... ?");
        assert_eq!(PLAIN.clean(text), text);
    }

    #[test]
    fn text_is_wrapped_between_words_and_long_words_are_broken() {
        let text = "one two three four 01234567890123456789 five";
        assert_eq!(
            PLAIN.wrapped(text, 16),
            ["one two three", "four", "0123456789012345", "6789 five"]
        );
        assert_eq!(PLAIN.wrapped("", 16), Vec::<String>::new());
    }

    #[test]
    fn cut_text_ends_with_an_ellipsis() {
        assert_eq!(PLAIN.cut("abcdef", 6), "abcdef");
        assert_eq!(PLAIN.cut("abcdefg", 6), "abcde…");
        assert_eq!(ASCII.cut("abcdefg", 6), "abc...");
    }

    #[test]
    fn colours_are_escape_sequences_only_where_they_are_allowed() {
        assert_eq!(PLAIN.paint(Colour::Bad, "no"), "no");
        let coloured = Style { colours: true, ..PLAIN };
        assert_eq!(coloured.paint(Colour::Bad, "no"), "\u{1b}[31mno\u{1b}[0m");
        assert_eq!(coloured.paint(Colour::Plain, "yes"), "yes");
    }

    #[test]
    fn durations_have_a_unit_for_people() {
        for (ms, text) in [
            (0.04, "0.0 ms"),
            (9.94, "9.9 ms"),
            (12.3, "12 ms"),
            (1_500.0, "1.5 s"),
            (90_000.0, "1.5 min"),
        ] {
            assert_eq!(took(ms), text);
        }
    }
}
