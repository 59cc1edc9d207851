//! Texts within bounds.
//!
//! A text from a client is normalised to NFC, and a line is also trimmed. Lengths count characters
//! (Unicode code points, as JSON Schema does) of the text in NFC. The maximum counts the blanks
//! around a line too, the minimum does not.

use super::characters::{self, Lines};

/// Defines a text of one line, which is safe in a heading, in an address or in a mail's subject.
///
/// Its length has bounds, both of them included. Blanks around it are removed. It has no control
/// characters, line breaks, controls of direction or unassigned characters, and one of its
/// characters is visible. A stored text is read without these rules: see
/// [`stored`](crate::stored).
///
/// ```
/// lifecycle::single_line! {
///     /// The title of a book.
///     BookTitle: 1..=100
/// }
///
/// let title = BookTitle::try_from(" Emma ".to_owned()).unwrap();
/// assert_eq!(title.as_str(), "Emma");
/// let refused = |raw: &str| BookTitle::try_from(raw.to_owned()).unwrap_err();
/// assert_eq!(refused(""), "must have 1 to 100 characters");
/// assert_eq!(refused("Em\nma"), "must not contain control characters");
/// // The store keeps it as a text.
/// let item: serde_dynamo::AttributeValue = serde_dynamo::to_attribute_value(&title).unwrap();
/// assert_eq!(item, serde_dynamo::AttributeValue::S("Emma".to_owned()));
/// ```
#[macro_export]
macro_rules! single_line {
    ($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal) => {
        $crate::text! { @define $(#[$doc])* $name: $min..=$max, entered_line, LINE }
    };
}

/// Defines a text of several lines: as [`single_line!`](crate::single_line), with tabs and line
/// breaks, and with the blanks around it. With a minimum of 0 it may be empty.
///
/// ```
/// lifecycle::text! {
///     /// A review of a book.
///     Review: 0..=2000
/// }
///
/// assert_eq!(Review::try_from("Good.\n".to_owned()).unwrap().as_str(), "Good.\n");
/// assert!(Review::try_from("\0".to_owned()).is_err());
/// ```
#[macro_export]
macro_rules! text {
    (@define $(#[$doc:meta])* $name:ident: $min:literal..=$max:literal, $enter:ident, $pattern:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text as it may stand in a line of a mail.
            pub fn mailed(&self) -> String {
                $crate::newtypes::isolated(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(raw: String) -> Result<Self, Self::Error> {
                $crate::newtypes::$enter(&raw, $min, $max).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $crate::serialize_inner!($name);

        $crate::checked!($name, String, {
            "type": "string",
            "minLength": $min,
            "maxLength": $max,
            "pattern": $crate::newtypes::$pattern
        }, stored: Self);
    };
    ($(#[$doc:meta])* $name:ident: 0..=$max:literal) => {
        $crate::text! { @define $(#[$doc])* $name: 0..=$max, entered_text, TEXT_OR_NOTHING }
    };
    ($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal) => {
        $crate::text! { @define $(#[$doc])* $name: $min..=$max, entered_text, TEXT }
    };
}

pub use crate::{single_line, text};

/// The stored form of a text of one line.
///
/// # Errors
///
/// The sentence for the client.
pub fn entered_line(raw: &str, min: usize, max: usize) -> Result<String, String> {
    let text = bounded(raw, min, max)?;
    characters::check(&text, Lines::One)?;
    let text = text.trim();
    if !characters::is_visible(text) {
        return Err("must not be blank".to_owned());
    }
    check_length(text, min, max)?;
    Ok(text.to_owned())
}

/// The stored form of a text of several lines.
///
/// # Errors
///
/// The sentence for the client.
pub fn entered_text(raw: &str, min: usize, max: usize) -> Result<String, String> {
    let text = bounded(raw, min, max)?;
    characters::check(&text, Lines::Many)?;
    if !text.is_empty() && !characters::is_visible(&text) {
        return Err("must not be blank".to_owned());
    }
    Ok(text)
}

/// The text in NFC, if it is neither too short nor too long. Lengths count characters.
///
/// # Errors
///
/// The sentence for the client: `must have 1 to 100 characters`.
pub fn bounded(raw: &str, min: usize, max: usize) -> Result<String, String> {
    // A composed character comes from four code points at most, and each takes four bytes at
    // most: a longer text need not be composed.
    if raw.len() > max * 16 {
        return Err(length(min, max));
    }
    let text = characters::composed(raw);
    check_length(&text, min, max)?;
    Ok(text.into_owned())
}

fn check_length(text: &str, min: usize, max: usize) -> Result<(), String> {
    if (min..=max).contains(&text.chars().count()) { Ok(()) } else { Err(length(min, max)) }
}

fn length(min: usize, max: usize) -> String {
    format!("must have {min} to {max} characters")
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro defines public types")]
mod tests {
    use proptest::prelude::*;
    use schemars::{JsonSchema, schema_for};

    use super::*;

    single_line! {
        /// A title.
        Title: 2..=5
    }

    text! {
        /// A note.
        Note: 0..=5
    }

    text! {
        /// A text that must not be empty.
        Letter: 1..=5
    }

    #[test]
    fn a_text_of_another_length_is_refused_with_the_limits() {
        for text in ["a", "abcdef", &"a".repeat(81)] {
            assert_eq!(bounded(text, 2, 5), Err("must have 2 to 5 characters".to_owned()));
        }
    }

    #[test]
    fn a_line_is_kept_composed_and_trimmed() {
        for (raw, kept) in [
            ("ab", "ab"),
            ("abcde", "abcde"),
            (" ab\u{3000}", "ab"),
            ("\u{E4}\u{F6}\u{FC}\u{DF}\u{20AC}", "\u{E4}\u{F6}\u{FC}\u{DF}\u{20AC}"),
            ("a\u{308}o\u{308}u\u{308}e\u{301}a\u{301}", "\u{E4}\u{F6}\u{FC}\u{E9}\u{E1}"),
            (
                "e\u{304}\u{301}e\u{304}\u{301}e\u{304}\u{301}e\u{304}\u{301}e\u{304}\u{301}",
                "\u{1E17}\u{1E17}\u{1E17}\u{1E17}\u{1E17}",
            ),
            (
                "\u{1F980}\u{1F980}\u{1F980}\u{1F980}\u{1F980}",
                "\u{1F980}\u{1F980}\u{1F980}\u{1F980}\u{1F980}",
            ),
            // Persian, whose words need a non-joiner, and an emoji that is made of two.
            ("\u{645}\u{6CC}\u{200C}\u{6A9}", "\u{645}\u{6CC}\u{200C}\u{6A9}"),
            ("\u{1F468}\u{200D}\u{1F466}", "\u{1F468}\u{200D}\u{1F466}"),
            ("\u{2764}\u{FE0F}", "\u{2764}\u{FE0F}"),
        ] {
            assert_eq!(Title::try_from(raw.to_owned()).unwrap().as_str(), kept, "{raw:?}");
        }
    }

    #[test]
    fn a_line_of_a_wrong_length_or_with_forbidden_characters_is_refused() {
        for raw in [
            "",
            "a",
            " a ",
            "abcdef",
            "   ",
            "abc   ",
            "e\u{301}",
            "a\nb",
            "ab\n",
            "a\0b",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "ab\u{2029}",
            "a\u{202E}b",
            "a\u{2066}b",
            "a\u{200F}b",
            "a\u{61C}b",
            "a\u{FFFE}b",
            "a\u{FFFF}b",
            "a\u{FDD0}b",
            "a\u{1FFFF}b",
            "a\u{378}b",
            "a\u{E0001}b",
            "a\u{E0061}b",
            "\u{200B}\u{200B}",
            "\u{2060}\u{2060}",
            "\u{FEFF}\u{FEFF}",
            "\u{AD}\u{AD}",
            "\u{2800}\u{2800}",
            "\u{3164}\u{3164}",
            "\u{115F}\u{1160}",
            "\u{FE0F}\u{FE0F}",
            "\u{A0}\u{200B}",
            "\u{200C}\u{200D}",
        ] {
            assert!(Title::try_from(raw.to_owned()).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_text_keeps_its_line_breaks_and_refuses_forbidden_characters() {
        for (raw, taken) in [
            ("", true),
            ("a\nb", true),
            ("\ta\r\n", true),
            ("abcdef", false),
            ("a\0b", false),
            ("a\u{7}b", false),
            ("a\u{2028}b", false),
            ("a\u{202E}b", false),
            ("a\u{FFFF}b", false),
            (" \n ", false),
            ("\u{200B}", false),
        ] {
            let read = Note::try_from(raw.to_owned());
            assert_eq!(read.is_ok_and(|text| text.as_str() == raw), taken, "{raw:?}");
        }
        assert!(Letter::try_from(String::new()).is_err());
        assert_eq!(Letter::try_from(" a\n".to_owned()).unwrap().as_str(), " a\n");
    }

    #[test]
    fn a_text_of_any_kind_is_isolated_in_a_mail() {
        let raw = || "\u{5D0}\u{5D1}".to_owned();
        let mailed = [
            Title::try_from(raw()).unwrap().mailed(),
            Note::try_from(raw()).unwrap().mailed(),
            Letter::try_from(raw()).unwrap().mailed(),
        ];
        assert!(mailed.iter().all(|text| *text == format!("\u{2068}{}\u{2069}", raw())));
    }

    proptest! {
        #[test]
        fn a_composed_text_is_accepted_exactly_if_its_json_schema_accepts_it(
            raw in "[ a-cA-C\u{0}-\u{9F}\u{A0}-\u{3FF}\u{2000}-\u{206F}\u{FE00}-\u{FFFF}\u{E0000}-\u{E01EF}]{0,7}",
        ) {
            let raw = characters::composed(&raw).into_owned();
            agree::<Note>(&raw)?;
            agree::<Letter>(&raw)?;
            // The minimum of a line does not count the blanks around it, which JSON Schema cannot
            // express.
            if raw.trim().chars().count() >= 2 || raw.chars().count() < 2 {
                agree::<Title>(&raw)?;
            }
        }
    }

    fn agree<T: JsonSchema + TryFrom<String>>(raw: &str) -> Result<(), TestCaseError> {
        let described = jsonschema::is_valid(&schema_for!(T).into(), &raw.into());
        prop_assert_eq!(T::try_from(raw.to_owned()).is_ok(), described, "{:?}", raw);
        Ok(())
    }
}
