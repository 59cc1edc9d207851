//! Texts within bounds. Lengths count characters (Unicode scalar values), as JSON Schema does.

/// Defines a text of one line: neither blank nor with control characters, so that it can stand
/// in a heading, in an address or in a mail's subject.
macro_rules! line {
    ($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal) => {
        $crate::syntax::text! { @define $(#[$doc])* $name: $min..=$max, check_line, {
            "type": "string",
            "minLength": $min,
            "maxLength": $max,
            "pattern": r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$"
        }}
    };
}

/// Defines a text of any characters.
macro_rules! text {
    (@define $(#[$doc:meta])* $name:ident: $min:literal..=$max:literal, $check:ident, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(raw: String) -> Result<Self, Self::Error> {
                $crate::syntax::$check(&raw, $min, $max)?;
                Ok(Self(raw))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        lifecycle::checked!($name, String, $schema);
    };
    ($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal) => {
        $crate::syntax::text! { @define $(#[$doc])* $name: $min..=$max, check_text, {
            "type": "string",
            "minLength": $min,
            "maxLength": $max
        }}
    };
}

pub(crate) use {line, text};

/// Says what is wrong with a text of one line.
pub(crate) fn check_line(raw: &str, min: usize, max: usize) -> Result<(), String> {
    check_text(raw, min, max)?;
    if raw.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    if raw.trim().is_empty() {
        return Err("must not be blank".to_owned());
    }
    Ok(())
}

/// Says what is wrong with a text.
pub(crate) fn check_text(raw: &str, min: usize, max: usize) -> Result<(), String> {
    // A character takes at most four bytes: what is longer need not be counted.
    let length = if raw.len() > max * 4 { usize::MAX } else { raw.chars().count() };
    if (min..=max).contains(&length) {
        Ok(())
    } else {
        Err(format!("must have {min} to {max} characters"))
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "a mould makes public types")]
mod tests {
    line! {
        /// A title.
        Title: 2..=5
    }

    text! {
        /// A note.
        Note: 0..=5
    }

    #[test]
    fn a_line_has_its_length_in_characters_and_is_neither_blank_nor_broken() {
        for (raw, taken) in [
            ("ab", true),
            ("a", false),
            ("abcde", true),
            ("abcdef", false),
            ("äöüß€", true),
            ("🦀🦀🦀🦀🦀", true),
            ("   ", false),
            ("a\nb", false),
            ("a\u{0}b", false),
            ("a\u{85}b", false),
        ] {
            let read = Title::try_from(raw.to_owned());
            assert_eq!(read.is_ok_and(|text| text.as_str() == raw), taken, "{raw:?}");
        }
    }

    #[test]
    fn a_text_may_be_empty_and_may_have_several_lines() {
        for (raw, taken) in [("", true), ("a\nb", true), ("abcdef", false)] {
            let read = Note::try_from(raw.to_owned());
            assert_eq!(read.is_ok_and(|text| text.as_str() == raw), taken, "{raw:?}");
        }
    }
}
