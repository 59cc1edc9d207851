//! Stage 4: the input of a request, as typed parts.
//!
//! An endpoint's input is one part or a tuple of parts: [`Path`], [`QueryString`], [`Headers`],
//! [`Cookies`], and a body as [`Json`], [`Form`] or [`RawBody`]. Reading is strict, and all
//! field errors of all parts are reported together. Stage 5 is the conversion of the input's value
//! into the command, by [`FromInput`].

mod checked;
mod cookies;
mod document;
mod error;
mod form;
mod from_input;
mod given;
mod list;
mod notes;
mod number;
mod path;
mod raw_body;
mod read;
mod readable;
mod value;

use std::marker::PhantomData;

use percent_encoding::percent_decode;
use schemars::Schema;
use schemars::transform::{RecursiveTransform, Transform};

pub use self::cookies::Cookies;
pub(crate) use self::document::{Document, Kind};
pub use self::form::Form;
pub use self::from_input::FromInput;
pub use self::given::Given;
pub use self::list::List;
use self::notes::Place;
pub use self::number::{Raw, WholeNumber};
pub use self::path::Path;
pub use self::raw_body::RawBody;
pub use self::readable::Readable;
use crate::error::{BodyOffer, FieldErrors, RequestError};
use crate::http::Request;
use crate::route::Route;

/// The media type of an HTML form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The input of an endpoint: a part, a tuple of parts, or `()` for none.
#[diagnostic::on_unimplemented(
    message = "stage 4: `{Self}` is not an input",
    label = "not a part of a request",
    note = "use `Path<P>`, `QueryString<Q>`, `Headers<H>`, `Cookies<C>`, a body (`Json<B>`, `Form<F>`, `RawBody`), a tuple of these, or `()`"
)]
pub trait Input {
    /// Whether it reads the query string. If no part does, a query parameter is a field error.
    const READS_QUERY: bool = false;

    /// The value that is read: `Path<UserId>` gives a `UserId`, a tuple of parts a tuple of values.
    type Value: Send;

    /// Reads the value; `None` if field errors were added.
    ///
    /// # Errors
    ///
    /// Failures that are not field errors, such as a body of an unsupported media type.
    fn read(
        request: &Request,
        route: &Route,
        field_errors: &mut FieldErrors,
    ) -> Result<Option<Self::Value>, RequestError>;

    /// Adds the schemas of the input to a description.
    fn describe(route: &Route, schemas: &mut Schemas);
}

/// The JSON Schemas of an input's parts.
#[derive(Debug, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schemas {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Schema>,
    /// The media type of the body, unless it is JSON; `*/*` for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_type: Option<&'static str>,
}

impl Schemas {
    /// The media types of bodies, if the endpoint has a body and does not read every type.
    pub(crate) fn body_offer(&self, is_patch: bool) -> Option<BodyOffer> {
        self.body.as_ref()?;
        match self.body_type {
            None if is_patch => Some(BodyOffer::MergePatch),
            None => Some(BodyOffer::Json),
            Some(FORM) => Some(BodyOffer::Form),
            Some(_) => None,
        }
    }
}

/// Adds a field error for each query parameter.
pub(crate) fn refuse_query(request: &Request, field_errors: &mut FieldErrors) {
    for (name, _) in &request.query {
        let name = FieldErrors::shortened(name);
        field_errors.add(format!("query.{name}"), "is not a known parameter");
    }
}

/// The names and values of a query string or a form, decoded. `None` is a value that is not UTF-8.
fn decoded(encoded: &[u8]) -> impl Iterator<Item = (String, Option<String>)> {
    let pairs = encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.flat_map(|pair| {
        let is_text = percent_decode(pair).decode_utf8().is_ok();
        let decoded = form_urlencoded::parse(pair).into_owned();
        decoded.map(move |(name, value)| (name, is_text.then_some(value)))
    })
}

/// The query string; an unknown parameter is a field error.
#[derive(Debug)]
pub struct QueryString<Q>(PhantomData<Q>);

/// Headers, by their lower-case names; unknown headers are ignored.
#[derive(Debug)]
pub struct Headers<H>(PhantomData<H>);

/// The body as JSON; an unknown field is a field error.
#[derive(Debug)]
pub struct Json<B>(PhantomData<B>);

impl<Q: Readable> Input for QueryString<Q> {
    const READS_QUERY: bool = true;
    type Value = Q;

    fn read(
        request: &Request,
        _: &Route,
        field_errors: &mut FieldErrors,
    ) -> Result<Option<Self::Value>, RequestError> {
        let pairs: Vec<_> = decoded(request.raw_query.as_bytes()).collect();
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        Ok(keep(read::pairs(Place::Query, pairs), field_errors))
    }

    fn describe(_: &Route, schemas: &mut Schemas) {
        schemas.query = Some(strict(schemars::schema_for!(Q)));
    }
}

impl<H: Readable> Input for Headers<H> {
    type Value = H;

    fn read(
        request: &Request,
        _: &Route,
        field_errors: &mut FieldErrors,
    ) -> Result<Option<Self::Value>, RequestError> {
        let pairs =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().ok()));
        Ok(keep(read::pairs(Place::Headers, pairs), field_errors))
    }

    fn describe(_: &Route, schemas: &mut Schemas) {
        schemas.headers = Some(schemars::schema_for!(H));
    }
}

impl<B: Readable> Input for Json<B> {
    type Value = B;

    fn read(
        request: &Request,
        _: &Route,
        field_errors: &mut FieldErrors,
    ) -> Result<Option<Self::Value>, RequestError> {
        if !request.body.is_empty() {
            request.check_body().map_err(RequestError::UnsupportedMediaType)?;
        }
        Ok(keep(read::json(&request.body), field_errors))
    }

    fn describe(_: &Route, schemas: &mut Schemas) {
        schemas.body = Some(strict(schemars::schema_for!(B)));
    }
}

impl Input for () {
    type Value = ();

    fn read(_: &Request, _: &Route, _: &mut FieldErrors) -> Result<Option<()>, RequestError> {
        Ok(Some(()))
    }

    fn describe(_: &Route, _: &mut Schemas) {}
}

macro_rules! tuple {
    ($($part:ident),+) => {
        impl<$($part: Input),+> Input for ($($part,)+) {
            const READS_QUERY: bool = false $(|| $part::READS_QUERY)+;
            type Value = ($($part::Value,)+);

            fn read(
                request: &Request,
                route: &Route,
                field_errors: &mut FieldErrors,
            ) -> Result<Option<Self::Value>, RequestError> {
                // All parts are read before the first missing one ends the reading, so that all
                // field errors are found.
                let parts = ($($part::read(request, route, field_errors)?,)+);
                #[expect(non_snake_case, reason = "a part is named after its type")]
                let ($($part,)+) = parts;
                Ok((|| Some(($($part?,)+)))())
            }

            fn describe(route: &Route, schemas: &mut Schemas) {
                $($part::describe(route, schemas);)+
            }
        }
    };
}

tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);

/// Adds to a schema that unknown fields are refused.
fn strict(mut schema: Schema) -> Schema {
    let close = |schema: &mut Schema| {
        if schema.get("properties").is_some() {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    };
    RecursiveTransform(close).transform(&mut schema);
    schema
}

fn keep<T>(read: Result<T, FieldErrors>, field_errors: &mut FieldErrors) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(found) => {
            field_errors.extend(found);
            None
        }
    }
}
