//! Errors of deserialisation, as sentences for the client.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// The reason why a value cannot be read.
#[derive(Debug)]
pub(super) enum Error {
    /// A sentence for the client.
    Worded(Cow<'static, str>),
    /// A value of another type, without a more precise reason.
    WrongType,
    /// A field is missing. The name is that on the wire, or the one in Rust.
    Missing(Cow<'static, str>),
    /// The error has been recorded already, at its place.
    Recorded,
}

impl Error {
    /// An error with the type or value that is expected.
    pub(super) const fn wanted(sentence: &'static str) -> Self {
        Self::Worded(Cow::Borrowed(sentence))
    }

    /// Replaces `WrongType` by this sentence.
    pub(super) fn or_worded(self, sentence: impl FnOnce() -> String) -> Self {
        match self {
            Self::WrongType => Self::Worded(sentence().into()),
            other => other,
        }
    }
}

/// `eserde` reports errors as text.
impl From<&str> for Error {
    fn from(text: &str) -> Self {
        let missing = text.strip_prefix(MISSING).and_then(|rest| rest.strip_suffix('`'));
        match missing {
            Some(field) => Self::Missing(field.trim_start_matches("r#").to_owned().into()),
            None if text.is_empty() => Self::Recorded,
            None => Self::Worded(text.to_owned().into()),
        }
    }
}

/// The beginning of the message of `eserde` and `serde` for a missing field.
const MISSING: &str = "missing field `";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worded(sentence) => f.write_str(sentence),
            Self::WrongType => f.write_str("is of another type than is expected"),
            Self::Missing(field) => write!(f, "{MISSING}{field}`"),
            Self::Recorded => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// The texts of `serde` contain Rust types and the client's values, so they are replaced.
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
