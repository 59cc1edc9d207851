//! The parameters of the path: one value, or a struct with a field for each.

use std::cell::Cell;
use std::marker::PhantomData;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::error::Error;
use super::notes::Place;
use super::readable::Readable;
use super::{Input, Schemas, keep, read, strict};
use crate::error::{FieldErrors, RequestError};
use crate::http::Request;
use crate::route::Route;

/// The parameters of the path, decoded.
///
/// Of a route with one parameter it is the type of that parameter: `Path<UserId>`. Of a route with
/// several it is a struct with a field for each.
#[derive(Debug)]
pub struct Path<P>(PhantomData<P>);

impl<P: Readable> Input for Path<P> {
    type Value = P;

    fn read(
        request: &Request,
        route: &Route,
        violations: &mut FieldErrors,
    ) -> Result<Option<P>, RequestError> {
        let given = &request.path_parameters;
        let read = if is_struct::<P>() {
            let pairs = given.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
            read::pairs(Place::Path, pairs)
        } else {
            let name = route.parameters().next().unwrap_or_default();
            match given.get(name) {
                Some(value) => read::value(Place::Path, name, value),
                None => Err(FieldErrors::one(format!("path.{name}"), "is required")),
            }
        };
        Ok(keep(read, violations))
    }

    fn describe(route: &Route, schemas: &mut Schemas) {
        schemas.path = Some(strict(if is_struct::<P>() {
            schemars::schema_for!(P)
        } else {
            named::<P>(route.parameters().next().unwrap_or_default())
        }));
    }
}

/// The schema of an object with one parameter.
fn named<P: Readable>(name: &str) -> Schema {
    let mut generator = SchemaGenerator::default();
    let parameter = generator.subschema_for::<P>();
    let mut schema = json_schema!({
        "type": "object",
        "properties": { name: parameter },
        "required": [name],
    });
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), definitions.into());
    }
    schema
}

/// Whether the type is read from an object: a struct of parameters, and not one parameter.
fn is_struct<P: Readable>() -> bool {
    let is_struct = Cell::new(false);
    // The probe has no data: only the kind of data that the type asks for is of interest.
    let _ = P::deserialize(Probe(&is_struct));
    is_struct.get()
}

/// A deserialiser without data, which remembers whether an object is asked for.
struct Probe<'p>(&'p Cell<bool>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::Told)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.set(true);
        Err(Error::Told)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.0.set(true);
        Err(Error::Told)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct enum identifier ignored_any
    }
}
