//! Characters: which ones a text may have, and when two texts count as the same.
//!
//! The tables are those of Unicode 18, by ICU4X. The patterns of the API description name the same
//! properties. A reader with tables of another version may judge differently characters that only
//! one of the versions assigns.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Characters that a text may have and that show nothing: blanks, joiners, variation selectors,
/// fillers, the empty Braille pattern. As a class of a regular expression, without its brackets.
macro_rules! invisible {
    () => {
        concat!(
            r"\u0020\u00A0\u00AD\u034F\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200D",
            r"\u202F\u205F-\u2064\u206A-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0",
            r"\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0100}-\u{E01EF}"
        )
    };
}

/// Characters that no text may have: separators of lines and paragraphs, controls of direction,
/// tags, and code points that are not assigned, noncharacters among them.
macro_rules! refused {
    () => {
        concat!(
            r"\p{Cn}\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\u{E0001}",
            r"\u{E0020}-\u{E007F}"
        )
    };
}

/// The pattern of a text of one line.
pub const LINE: &str = concat!(
    "^[",
    invisible!(),
    "]*[^",
    r"\p{Cc}",
    refused!(),
    invisible!(),
    "][^",
    r"\p{Cc}",
    refused!(),
    "]*$"
);

/// A text of several lines, one character of which is visible.
macro_rules! lines {
    () => {
        concat!(
            r"[\t\n\r",
            invisible!(),
            r"]*[^\p{Cc}",
            refused!(),
            invisible!(),
            r"](?:[\t\n\r]|[^\p{Cc}",
            refused!(),
            "])*"
        )
    };
}

/// The pattern of a text of several lines.
pub const TEXT: &str = concat!("^", lines!(), "$");

/// The pattern of a text of several lines that may be empty.
pub const TEXT_OR_NOTHING: &str = concat!("^(?:", lines!(), ")?$");

/// The pattern of a text of one line that starts with an upper-case letter.
pub const CAPITALISED: &str = concat!(
    r"^[\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]*\p{Lu}[^\p{Cc}",
    refused!(),
    "]*$"
);

/// The line breaks and tabs that a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// None: it has to fit into a heading, an address or a mail's subject.
    One,
    /// Tabs, line feeds and carriage returns.
    Many,
}

/// The text in Unicode's form NFC, in which letters are composed with their accents: every way of
/// typing a text gives the same form.
pub fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The form by which texts are compared: NFKC, case-folded, without characters that are ignored
/// by default, runs of blanks as one. Letters of different scripts stay different, even if they
/// look alike.
pub fn compared(text: &str) -> String {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let ignored = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let kept: String = nfkc.normalize(text).chars().filter(|&c| !ignored.contains(c)).collect();
    let folded: String = kept.chars().flat_map(folded).collect();
    let words = nfkc.normalize(&folded).replace(EMPTY_BRAILLE, " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Full case folding by the mappings of the standard library: lower, upper, and lower again. It
/// gives `ẞ`, `ß` and `SS` the same form, and the three sigmas too.
fn folded(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Checks that a text has only characters that it may have.
pub(super) fn check(text: &str, lines: Lines) -> Result<(), &'static str> {
    text.chars().try_for_each(|c| match class_of(c) {
        Class::Control if lines == Lines::Many && matches!(c, '\t' | '\n' | '\r') => Ok(()),
        Class::Control => Err("must not contain control characters"),
        Class::Separator => Err("must not contain separators of lines or paragraphs"),
        Class::Direction => Err("must not contain bidirectional controls"),
        Class::Tag => Err("must not contain tag characters"),
        Class::Unassigned => Err("must not contain unassigned code points"),
        Class::Invisible | Class::Visible => Ok(()),
    })
}

/// Whether the text has a visible character.
pub(super) fn is_visible(text: &str) -> bool {
    text.chars().any(|c| class_of(c) == Class::Visible)
}

/// The text for a line of a mail. Forbidden characters, which an earlier version may have accepted,
/// are replaced. A text that may run from right to left is isolated from its neighbours.
pub fn isolated(text: &str) -> String {
    let safe: String =
        text.chars()
            .map(|c| {
                if matches!(class_of(c), Class::Visible | Class::Invisible) {
                    c
                } else {
                    '\u{FFFD}'
                }
            })
            .collect();
    if safe.is_ascii() { safe } else { format!("\u{2068}{safe}\u{2069}") }
}

/// Whether the text begins with an upper-case letter.
pub fn is_capitalised(text: &str) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new();
    text.starts_with(|c| category.get(c) == GeneralCategory::UppercaseLetter)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Control,
    Separator,
    Direction,
    Tag,
    Unassigned,
    Invisible,
    Visible,
}

const EMPTY_BRAILLE: char = '\u{2800}';

fn class_of(c: char) -> Class {
    match c {
        '!'..='~' => Class::Visible,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Class::Direction
        }
        '\u{E0001}' | '\u{E0020}'..='\u{E007F}' => Class::Tag,
        EMPTY_BRAILLE => Class::Invisible,
        _ => match CodePointMapData::<GeneralCategory>::new().get(c) {
            GeneralCategory::Control => Class::Control,
            GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
                Class::Separator
            }
            GeneralCategory::Unassigned => Class::Unassigned,
            GeneralCategory::SpaceSeparator => Class::Invisible,
            _ if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) => {
                Class::Invisible
            }
            _ => Class::Visible,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pattern and the check agree on every character of the planes with assigned characters,
    /// alone and between two letters. The pattern's reader may not know the latest ones yet.
    #[test]
    fn patterns_and_checks_agree_on_every_character() {
        let validator = |pattern: &str| {
            jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).unwrap()
        };
        let unknown = validator(r"^\p{Cn}$");
        for (pattern, lines) in [(LINE, Lines::One), (TEXT, Lines::Many)] {
            let described = validator(pattern);
            let planes = ('\0'..='\u{3FFFF}').chain('\u{E0000}'..='\u{E0FFF}');
            for c in planes.chain(['\u{F0000}', '\u{10FFFD}', '\u{10FFFE}', char::MAX]) {
                for text in [c.to_string(), format!("a{c}b")] {
                    let enforced = check(&text, lines).is_ok() && is_visible(&text);
                    let known = || !unknown.is_valid(&c.to_string().into());
                    let agreed = described.is_valid(&text.clone().into()) == enforced;
                    assert!(agreed || enforced && !known(), "{lines:?}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_is_capitalised_if_its_first_character_is_in_upper_case() {
        for (text, expected) in
            [("Ann", true), ("\u{C4}pfel", true), ("ann", false), ("1A", false), ("", false)]
        {
            assert_eq!(is_capitalised(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_in_a_mail_keeps_to_its_line_and_its_direction() {
        for (stored, mailed) in [
            ("Ann", "Ann"),
            ("Ann\r\nBcc: bob", "\u{2068}Ann\u{FFFD}\u{FFFD}Bcc: bob\u{2069}"),
            ("Ann\u{202E}", "\u{2068}Ann\u{FFFD}\u{2069}"),
            ("\u{2069}\u{5D0}", "\u{2068}\u{FFFD}\u{5D0}\u{2069}"),
        ] {
            assert_eq!(isolated(stored), mailed, "{stored:?}");
        }
    }

    #[test]
    fn texts_that_look_the_same_are_compared_as_the_same() {
        for (one, other) in [
            ("Kettle", "kettle"),
            ("Kettle", "  KETTLE "),
            ("Kettle Two", "kettle\u{A0}\u{2003}two"),
            ("Kettle", "Ket\u{200B}tle\u{FEFF}\u{AD}"),
            ("Kettle", "Kettle\u{2800}"),
            ("Kettle", "\u{FF2B}ettle"),
            ("Caf\u{E9}", "cafe\u{301}"),
            ("Stra\u{DF}e", "STRASSE"),
            ("STRA\u{1E9E}E", "strasse"),
            ("\u{39F}\u{394}\u{39F}\u{3A3}", "\u{3BF}\u{3B4}\u{3BF}\u{3C2}"),
            ("\u{FB01}sh", "FISH"),
            ("x\u{2460}", "X1"),
        ] {
            assert_eq!(compared(one), compared(other), "{one:?} and {other:?}");
        }
        for (one, other) in [("Kettle", "Kettles"), ("a b", "ab"), ("K", "\u{39A}")] {
            assert_ne!(compared(one), compared(other), "{one:?} and {other:?}");
        }
    }
}
