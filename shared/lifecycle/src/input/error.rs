//! What makes a value unreadable, in the words of the client.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// Why a value cannot be read.
#[derive(Debug)]
pub(super) enum Error {
    /// A sentence for the client.
    Worded(Cow<'static, str>),
    /// A value of another type, of which nothing better is known.
    WrongType,
    /// A field is not there. It is named as on the wire, or as in Rust.
    Missing(Cow<'static, str>),
    /// What is wrong has been noted already, where it is.
    Told,
}

impl Error {
    /// Of a type that the client should have sent.
    pub(super) const fn wanted(sentence: &'static str) -> Self {
        Self::Worded(Cow::Borrowed(sentence))
    }

    /// With this sentence, where there is none.
    pub(super) fn or_worded(self, sentence: impl FnOnce() -> String) -> Self {
        match self {
            Self::WrongType => Self::Worded(sentence().into()),
            other => other,
        }
    }
}

/// What `eserde` reports comes back as text.
impl From<&str> for Error {
    fn from(text: &str) -> Self {
        let missing = text.strip_prefix(MISSING).and_then(|rest| rest.strip_suffix('`'));
        match missing {
            Some(field) => Self::Missing(field.trim_start_matches("r#").to_owned().into()),
            None if text.is_empty() => Self::Told,
            None => Self::Worded(text.to_owned().into()),
        }
    }
}

/// How `eserde` and `serde` begin to tell of a missing field.
const MISSING: &str = "missing field `";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worded(sentence) => f.write_str(sentence),
            Self::WrongType => f.write_str("is of another type than is expected"),
            Self::Missing(field) => write!(f, "{MISSING}{field}`"),
            Self::Told => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// `serde` speaks of Rust's types, and quotes what was sent; clients are told neither.
impl de::Error for Error {
    fn custom<T: fmt::Display>(sentence: T) -> Self {
        Self::Worded(sentence.to_string().into())
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::WrongType
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::wanted("is not an allowed value")
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::wanted("has another number of elements than is expected")
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Worded(format!("must be one of {}", expected.join(", ")).into())
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::wanted("has an unknown field")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.into())
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::wanted("has a repeated field")
    }
}
