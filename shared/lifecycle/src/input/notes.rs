//! The field errors that are found while a document is read, with their places.

use std::cell::{Cell, RefCell};
use std::fmt;

use eserde::reporter::ErrorReporter;

use super::error::Error;
use crate::error::FieldErrors;

/// The number of unknown and repeated fields has no limit: beyond this, they are only counted.
const LISTED_MAX: usize = 2 * FieldErrors::LISTED_MAX;

/// The part of a request that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The body, as JSON.
    Body,
    /// The parameters of the path.
    Path,
    /// The parameters of the query string.
    Query,
    /// The headers.
    Headers,
    /// The cookies.
    Cookies,
    /// The body, as an HTML form.
    Form,
}

impl Place {
    /// Whether unknown names are ignored.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Headers | Self::Cookies)
    }
}

/// The path to a value. It is formatted only for field errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'r> {
    before: Option<&'r Path<'r>>,
    step: Step<'r>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'r> {
    Root(Place),
    Element(usize),
    Member(&'r str),
}

impl<'r> Path<'r> {
    pub(super) const fn root(place: Place) -> Self {
        Self { before: None, step: Step::Root(place) }
    }

    pub(super) const fn element(&'r self, index: usize) -> Path<'r> {
        Path { before: Some(self), step: Step::Element(index) }
    }

    pub(super) const fn member(&'r self, name: &'r str) -> Path<'r> {
        Path { before: Some(self), step: Step::Member(name) }
    }

    pub(super) fn place(&self) -> Place {
        match (self.step, self.before) {
            (Step::Root(place), _) => place,
            (_, Some(before)) => before.place(),
            (_, None) => Place::Body,
        }
    }
}

/// A JSON Pointer (RFC 6901), or `path.productId`, `query.limit`, `header.If-Match`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            before.fmt(f)?;
        }
        match self.step {
            Step::Root(Place::Body | Place::Form) => Ok(()),
            Step::Root(Place::Path) => f.write_str("path."),
            Step::Root(Place::Query) => f.write_str("query."),
            Step::Root(Place::Headers) => f.write_str("header."),
            Step::Root(Place::Cookies) => f.write_str("cookie."),
            Step::Element(index) => write!(f, "/{index}"),
            Step::Member(name) => match self.place() {
                Place::Body | Place::Form => write!(
                    f,
                    "/{}",
                    FieldErrors::shortened(name).replace('~', "~0").replace('/', "~1")
                ),
                Place::Headers => f.write_str(&crate::http::title_case(name)),
                Place::Path | Place::Query | Place::Cookies => {
                    f.write_str(&FieldErrors::shortened(name))
                }
            },
        }
    }
}

/// The field errors so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    field_errors: RefCell<FieldErrors>,
    /// The number of unknown or repeated fields among them.
    listed: Cell<usize>,
    /// The names on the wire of the last struct.
    fields: Cell<&'static [&'static str]>,
    /// Whether `eserde` collects errors.
    collecting: Cell<bool>,
    /// The number of values that were read.
    #[cfg(test)]
    values: Cell<usize>,
}

impl Notes {
    /// The notes of a reader that continues after an error.
    pub(super) fn collecting() -> Self {
        Self { collecting: Cell::new(true), ..Self::default() }
    }

    pub(super) fn into_field_errors(self) -> FieldErrors {
        self.field_errors.into_inner()
    }

    /// Records an unknown or a repeated field.
    pub(super) fn list(&self, at: &Path<'_>, sentence: &'static str) {
        if self.listed.get() < LISTED_MAX {
            self.listed.set(self.listed.get() + 1);
            self.field_errors.borrow_mut().add(at.to_string(), sentence);
        } else {
            self.field_errors.borrow_mut().add_unlisted();
        }
    }

    /// Remembers the fields of the last struct: its missing fields are reported afterwards.
    pub(super) fn read_struct(&self, fields: &'static [&'static str]) {
        self.fields.set(fields);
    }

    /// Records the error of a value, and the errors that `eserde` reported about it.
    pub(super) fn note<T>(&self, at: &Path<'_>, read: Result<T, Error>) -> Result<T, Error> {
        #[cfg(test)]
        self.values.set(self.values.get() + 1);
        self.claim(at);
        read.map_err(|error| {
            self.add(at, error);
            Error::Recorded
        })
    }

    /// Records the errors since the last call at this value: values inside it have recorded theirs
    /// already.
    pub(super) fn claim(&self, at: &Path<'_>) {
        if self.collecting.get() && ErrorReporter::n_errors() > 0 {
            for error in ErrorReporter::take_errors() {
                self.add(at, error.message().into());
            }
        }
    }

    #[cfg(test)]
    pub(super) fn values_met(&self) -> usize {
        self.values.get()
    }

    fn add(&self, at: &Path<'_>, error: Error) {
        let mut field_errors = self.field_errors.borrow_mut();
        match error {
            Error::Recorded => {}
            Error::Missing(field) => {
                let field = self.on_the_wire(&field);
                field_errors.add(at.member(field).to_string(), "is required");
            }
            other => field_errors.add(at.to_string(), other.to_string()),
        }
    }

    /// Returns the name of a field on the wire. `eserde` reports the name in Rust, which differs in
    /// case and in word separators.
    fn on_the_wire<'f>(&self, field: &'f str) -> &'f str {
        fn letters(name: &str) -> impl Iterator<Item = u8> {
            let letters = name.bytes().filter(|byte| !matches!(byte, b'_' | b'-'));
            letters.map(|byte| byte.to_ascii_lowercase())
        }
        let fields = self.fields.get().iter();
        fields.copied().find(|known| letters(known).eq(letters(field))).unwrap_or(field)
    }
}
