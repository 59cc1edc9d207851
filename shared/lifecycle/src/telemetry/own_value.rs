//! The values of a service's log fields and metrics.

/// The value of a [`LogField`](super::LogField). Texts, whole numbers, `f64` and `bool` convert
/// into it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// A text, cut after [`TEXT_CHARS_MAX`](super::LogField::TEXT_CHARS_MAX) characters.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction.
    Fraction(f64),
    /// A flag.
    Flag(bool),
}

/// A recorded value of a [`Metric`](super::Metric).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnValue {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) labels: Vec<(&'static str, &'static str)>,
    pub(super) value: f64,
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for FieldValue {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<i32> for FieldValue {
    fn from(number: i32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<u32> for FieldValue {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<f64> for FieldValue {
    fn from(number: f64) -> Self {
        Self::Fraction(number)
    }
}

impl From<bool> for FieldValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
