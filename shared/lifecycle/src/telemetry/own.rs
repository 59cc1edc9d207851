//! Log fields and metrics that a service adds to those of the lifecycle.
//!
//! Both are declared as constants, whose names are checked while compiling. They are recorded while
//! a request or a record is processed, in stages 2 to 9, and are bounded: at most
//! [`LogField::COUNT_MAX`] fields and [`Metric::VALUES_MAX`] values each time; the rest is dropped
//! with a warning. If the facts are stale and stages 6 to 8 run again, the values of the discarded
//! run are discarded too.
//!
//! ```
//! use lifecycle::telemetry::{LogField, Metric};
//! const SHELF: LogField = LogField::new("shelf");
//! const LOANS: Metric<1> = Metric::count("loans_total").by(["kind"]);
//!
//! fn note_loan() {
//!     SHELF.set(7);
//!     LOANS.record(1.0, ["book"]);
//! }
//! # note_loan();
//! ```

use super::document::VALUES_MAX;
use super::observations::note;
use super::own_value::{FieldValue, OwnValue};
use super::reason::shortened_to;

/// The parts of names that suggest a secret.
const SECRETS: [&str; 7] =
    ["password", "secret", "token", "authorization", "cookie", "credential", "apikey"];

/// The metrics of the lifecycle and of `aws`, which no service may redefine.
const TAKEN: [&str; 8] = [
    "http_requests_total",
    "http_request_duration_seconds",
    "db_query_duration_seconds",
    "cache_hits_total",
    "cache_misses_total",
    "errors_total",
    "records_total",
    "token_verdicts_total",
];

/// A field of a service in the canonical log line of a request or a record, in the object `fields`.
///
/// Its values must be neither personal nor secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogField(&'static str);

impl LogField {
    /// The maximum number of fields of one request or record.
    pub const COUNT_MAX: usize = 16;
    /// The maximum length of a text, in characters.
    pub const TEXT_CHARS_MAX: usize = 200;
    const NAME_BYTES_MAX: usize = 40;

    /// Declares a field. Its name is in `camelCase`, with at most 40 ASCII characters.
    ///
    /// # Panics
    ///
    /// When the name has another form, or suggests a secret. In a constant it does not compile:
    ///
    /// ```compile_fail
    /// # use lifecycle::telemetry::LogField;
    /// const FIELD: LogField = LogField::new("accessToken");
    /// ```
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= Self::NAME_BYTES_MAX,
            "a field has a name of 1 to 40 characters"
        );
        assert!(bytes[0].is_ascii_lowercase(), "the name of a field begins in lower case");
        let mut index = 0;
        while index < bytes.len() {
            assert!(bytes[index].is_ascii_alphanumeric(), "the name of a field is in camelCase");
            index += 1;
        }
        let mut index = 0;
        while index < SECRETS.len() {
            assert!(
                !contains(bytes, SECRETS[index].as_bytes()),
                "the log has no secrets: the name of this field suggests one"
            );
            index += 1;
        }
        Self(name)
    }

    /// Sets the field for the current request or record; a later value replaces an earlier one.
    /// Without a current request or record it does nothing.
    pub fn set(self, value: impl Into<FieldValue>) {
        let value = match value.into() {
            FieldValue::Text(text) => FieldValue::Text(shortened_to(Self::TEXT_CHARS_MAX, text)),
            other => other,
        };
        let name = self.0;
        note(|noted| {
            let known = noted.fields.iter_mut().find(|(field, _)| *field == name);
            if let Some((_, known)) = known {
                *known = value;
            } else if noted.fields.len() < Self::COUNT_MAX {
                noted.fields.push((name, value));
            } else {
                noted.drop_own("field", name);
            }
        });
    }
}

/// A metric of a service, with `LABELS` labels, in the namespace of the service.
///
/// Each combination of label values is a metric that `CloudWatch` bills. So labels are constants of
/// the program, never values of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric<const LABELS: usize> {
    name: &'static str,
    unit: &'static str,
    labels: [&'static str; LABELS],
}

impl Metric<0> {
    /// The maximum number of values of one request or record, of all metrics together.
    pub const VALUES_MAX: usize = 100;
    /// The maximum number of labels of a metric.
    pub const LABELS_MAX: usize = 3;

    /// A number of things or events: `loans_total`.
    ///
    /// # Panics
    ///
    /// When the name is not in `snake_case` with at most 60 characters, or is a name of the
    /// lifecycle. In a constant it does not compile:
    ///
    /// ```compile_fail
    /// # use lifecycle::telemetry::Metric;
    /// const METRIC: Metric<0> = Metric::count("errors_total");
    /// ```
    pub const fn count(name: &'static str) -> Self {
        Self::of(name, "Count")
    }

    /// A duration in seconds: `valuation_duration_seconds`.
    ///
    /// # Panics
    ///
    /// As [`Metric::count`].
    pub const fn seconds(name: &'static str) -> Self {
        Self::of(name, "Seconds")
    }

    /// A size in bytes: `upload_size_bytes`.
    ///
    /// # Panics
    ///
    /// As [`Metric::count`].
    pub const fn bytes(name: &'static str) -> Self {
        Self::of(name, "Bytes")
    }

    /// The metric with labels, by their names.
    ///
    /// # Panics
    ///
    /// When there are more than three labels, a name is not in `snake_case`, or two names are equal,
    /// including that of the metric: they are members of one line.
    #[must_use]
    pub const fn by<const LABELS: usize>(self, labels: [&'static str; LABELS]) -> Metric<LABELS> {
        assert!(LABELS <= Self::LABELS_MAX, "a metric has at most 3 labels");
        let mut index = 0;
        while index < LABELS {
            let label = labels[index].as_bytes();
            check_snake_case(label);
            assert!(!is_equal(label, self.name.as_bytes()), "a label has the name of its metric");
            let mut other = 0;
            while other < index {
                assert!(!is_equal(label, labels[other].as_bytes()), "two labels have one name");
                other += 1;
            }
            index += 1;
        }
        Metric { name: self.name, unit: self.unit, labels }
    }

    const fn of(name: &'static str, unit: &'static str) -> Self {
        check_snake_case(name.as_bytes());
        let mut index = 0;
        while index < TAKEN.len() {
            let is_taken = is_equal(name.as_bytes(), TAKEN[index].as_bytes());
            assert!(!is_taken, "the lifecycle has a metric of this name");
            index += 1;
        }
        Self { name, unit, labels: [] }
    }
}

impl<const LABELS: usize> Metric<LABELS> {
    /// Records a value with the values of its labels. A value that is not finite is ignored.
    /// Without a current request or record it does nothing.
    pub fn record(&self, value: f64, labels: [&'static str; LABELS]) {
        if !value.is_finite() {
            return;
        }
        let labels = self.labels.into_iter().zip(labels).collect();
        let own = OwnValue { name: self.name, unit: self.unit, labels, value };
        note(|noted| {
            if noted.values.len() < Metric::<0>::VALUES_MAX {
                noted.values.push(own);
            } else {
                noted.drop_own("metric", own.name);
            }
        });
    }
}

// All values of a request fit into one line of each metric.
const _: () = assert!(Metric::<0>::VALUES_MAX <= VALUES_MAX);

const fn check_snake_case(name: &[u8]) {
    assert!(!name.is_empty() && name.len() <= 60, "a metric or a label has 1 to 60 characters");
    assert!(name[0].is_ascii_lowercase(), "a metric or a label begins in lower case");
    let mut index = 0;
    while index < name.len() {
        let byte = name[index];
        assert!(
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_',
            "a metric or a label is in snake_case"
        );
        index += 1;
    }
}

/// Whether two names in lower case are equal.
const fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && contains(one, other)
}

/// Whether a text contains another, which is in lower case, in either case.
const fn contains(text: &[u8], part: &[u8]) -> bool {
    let mut start = 0;
    while start + part.len() <= text.len() {
        let mut length = 0;
        while length < part.len() && text[start + length].to_ascii_lowercase() == part[length] {
            length += 1;
        }
        if length == part.len() {
            return true;
        }
        start += 1;
    }
    false
}

#[cfg(test)]
mod tests;
