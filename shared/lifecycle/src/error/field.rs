//! Errors in the fields of a request.

use std::borrow::Cow;
use std::convert::Infallible;

use serde::Serialize;

/// One error in a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FieldError {
    /// A JSON Pointer into the body (`/items/0/quantity`), or `path.productId`, `query.limit`,
    /// `header.Idempotency-Key`.
    pub field: String,
    /// One sentence.
    pub message: String,
}

/// All errors in a request; not empty when part of a failure.
///
/// A client can make any number of errors, in texts of any length. So the number that is kept and
/// the size of the response are limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    kept: Vec<FieldError>,
    /// The number of field errors that were not kept.
    unlisted: usize,
}

/// A conversion that cannot fail has no errors: an input may be its own command.
impl From<Infallible> for FieldErrors {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl FieldErrors {
    /// The maximum number of field errors in a response.
    pub const LISTED_MAX: usize = 50;
    /// The maximum number of field errors that are kept to choose from.
    const KEPT_MAX: usize = 1_000;
    /// The maximum length of a field or a sentence, in bytes of JSON.
    const TEXT_BYTES_MAX: usize = 200;
    /// The maximum length of the list in a response, in bytes of JSON. With everything around it, a
    /// response stays below 16 KiB.
    const LIST_BYTES_MAX: usize = 12 * 1024;

    /// An empty list.
    pub fn none() -> Self {
        Self::default()
    }

    /// A list with one field error.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut field_errors = Self::none();
        field_errors.add(field, message);
        field_errors
    }

    /// Adds a field error.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.kept.len() >= Self::KEPT_MAX {
            return self.add_unlisted();
        }
        let short = |text: String| match Self::shortened(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(short) => short,
        };
        self.kept.push(FieldError { field: short(field.into()), message: short(message.into()) });
    }

    /// Counts a field error without keeping it.
    pub(crate) fn add_unlisted(&mut self) {
        self.unlisted += 1;
    }

    /// Adds all field errors of another list.
    pub fn extend(&mut self, other: Self) {
        self.unlisted += other.unlisted;
        for field_error in other.kept {
            self.add(field_error.field, field_error.message);
        }
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns `Ok` with the value if there are no field errors.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Returns an iterator over the field errors that were kept.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.kept.iter()
    }

    /// Returns a sorted list without duplicates, and whether there are more field errors. If there
    /// are too many, those nearest to the root are listed.
    pub(crate) fn into_details(mut self) -> (Vec<FieldError>, bool) {
        self.kept.sort();
        self.kept.dedup();
        let total = self.kept.len() + self.unlisted;
        if self.kept.len() > Self::LISTED_MAX {
            self.kept.sort_by_key(|field_error| field_error.field.matches('/').count());
            self.kept.truncate(Self::LISTED_MAX);
            self.kept.sort();
        }
        let listed = Self::within_bytes(self.kept);
        let more = listed.len() < total;
        (listed, more)
    }

    /// Returns the first field errors, as many as fit into a response.
    pub(super) fn within_bytes(mut field_errors: Vec<FieldError>) -> Vec<FieldError> {
        let frame = r#"{"field":"","message":""},"#.len();
        let mut left = Self::LIST_BYTES_MAX;
        let fits = |field_error: &&FieldError| {
            let texts = [&field_error.field, &field_error.message].into_iter();
            let length: usize = texts.flat_map(|text| text.chars()).map(json_bytes).sum();
            let rest = left.checked_sub(frame + length);
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        let count = field_errors.iter().take_while(fits).count();
        field_errors.truncate(count);
        field_errors
    }

    /// Shortens a client's text so that a response may repeat it.
    pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
        let mut length = 0;
        let long = text.char_indices().find(|(_, character)| {
            length += json_bytes(*character);
            length > Self::TEXT_BYTES_MAX
        });
        match long {
            Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
            None => Cow::Borrowed(text),
        }
    }
}

/// The length of a character in JSON, in bytes.
fn json_bytes(character: char) -> usize {
    match character {
        '"' | '\\' => 2,
        '\0'..' ' => 6,
        other => other.len_utf8(),
    }
}

impl<'a> IntoIterator for &'a FieldErrors {
    type Item = &'a FieldError;
    type IntoIter = std::slice::Iter<'a, FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_were_not_kept_make_a_list_incomplete_also_in_another_list() {
        let mut counted = FieldErrors::one("/a", "is odd");
        let (listed, more) = counted.clone().into_details();
        assert_eq!((listed.len(), more), (1, false));
        counted.add_unlisted();
        let mut all = FieldErrors::one("/b", "is odd");
        all.add_unlisted();
        all.extend(counted);
        assert_eq!((all.kept.len(), all.unlisted), (2, 2));
        assert_eq!(
            (&all).into_iter().map(|found| &found.field[..]).collect::<Vec<_>>(),
            ["/b", "/a"]
        );
        let (listed, more) = all.into_details();
        assert_eq!((listed.len(), more), (2, true));
    }
}
