//! Deserialises a part of a request, with all field errors and their places.

use eserde::reporter::ErrorReporter;

use super::document::Document;
use super::notes::{Notes, Path, Place};
use super::readable::Readable;
use super::value::Value;
use crate::error::FieldErrors;

/// Reads a JSON body.
pub(super) fn json<T: Readable>(body: &[u8]) -> Result<T, FieldErrors> {
    if body.is_empty() {
        return Err(FieldErrors::one("", "a JSON body is required"));
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        FieldErrors::one("", format!("the body is not UTF-8 from byte {at} on"))
    })?;
    let document = Document::of_json(text)
        .map_err(|error| FieldErrors::one("", format!("the body is not valid JSON: {error}")))?;
    document_into(&document, Place::Body)
}

/// Reads names and texts: path parameters, query strings and headers are as strictly typed as a
/// body. Numbers and booleans are parsed from their texts. `None` is a value that is not valid
/// text.
pub(super) fn pairs<'p, T: Readable>(
    place: Place,
    pairs: impl Iterator<Item = (&'p str, Option<&'p str>)>,
) -> Result<T, FieldErrors> {
    document_into(&Document::of_pairs(pairs), place)
}

/// Reads the text of one named value, as strictly typed as in [`pairs`].
pub(super) fn value<T: Readable>(place: Place, name: &str, value: &str) -> Result<T, FieldErrors> {
    let document = Document::of_pairs([(name, Some(value))].into_iter());
    let root = Path::root(place);
    // The object is node 0, followed by the name and the value.
    node_into(&document, 2, &root.member(name))
}

/// Reads a whole document into a value.
fn document_into<T: Readable>(document: &Document<'_>, place: Place) -> Result<T, FieldErrors> {
    node_into(document, 0, &Path::root(place))
}

/// Reads a node into a value. A valid one is read once. An invalid one is read a second time, by a
/// reader that continues after an error.
fn node_into<T: Readable>(
    document: &Document<'_>,
    node: usize,
    at: &Path<'_>,
) -> Result<T, FieldErrors> {
    let notes = Notes::default();
    let read = T::deserialize(Value { document, node, at, notes: &notes });
    if let Ok(value) = notes.note(at, read) {
        return notes.into_field_errors().or(value);
    }
    let found = every_field_error::<T>(document, node, at);
    Err(if found.is_empty() { notes.into_field_errors() } else { found })
}

/// Returns all field errors of an invalid node.
fn every_field_error<T: Readable>(
    document: &Document<'_>,
    node: usize,
    at: &Path<'_>,
) -> FieldErrors {
    let _collecting = ErrorReporter::start_deserialization();
    let notes = Notes::collecting();
    let _ = T::deserialize_for_errors(Value { document, node, at, notes: &notes });
    notes.claim(at);
    notes.into_field_errors()
}

#[cfg(test)]
mod tests;
