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
        field_errors: &mut FieldErrors,
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
        Ok(keep(read, field_errors))
    }

    fn describe(route: &Route, schemas: &mut Schemas) {
        schemas.path = Some(strict(if is_struct::<P>() {
            schemars::schema_for!(P)
        } else {
            named::<P>(only_parameter(route))
        }));
    }
}

/// The name of the route's parameter.
///
/// # Panics
///
/// When the route has none, or several: of several, the value would be the first one's. So
/// `--describe`, and every check that needs it, fails.
fn only_parameter(route: &Route) -> &'static str {
    let names: Vec<_> = route.parameters().collect();
    let path = route.path;
    assert!(names.len() == 1, "{path} has {} parameters: its `Path` needs a struct", names.len());
    names[0]
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
        Err(Error::Recorded)
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
        Err(Error::Recorded)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.0.set(true);
        Err(Error::Recorded)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::{Value, json};

    use super::*;

    const ONE: Route = Route::get("/plants/{plantId}");
    const TWO: Route = Route::get("/plants/{plantId}/leaves/{leaf}");

    #[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct Leaf {
        plant_id: u32,
        leaf: String,
    }

    #[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "UPPERCASE")]
    enum Family {
        Fern,
    }

    fn read<P: Readable>(route: &Route, parameters: Value) -> (Option<P>, FieldErrors) {
        let event = json!({
            "version": "2.0", "rawPath": "/", "routeKey": format!("GET {}", route.path),
            "pathParameters": parameters, "headers": {},
            "requestContext": { "http": { "method": "GET", "sourceIp": "192.0.2.1" } },
        });
        let request = Request::from_event(event.to_string().as_bytes(), route).unwrap();
        let mut field_errors = FieldErrors::none();
        let value = Path::<P>::read(&request, route, &mut field_errors).unwrap();
        (value, field_errors)
    }

    fn schema<P: Readable>(route: &Route) -> Value {
        let mut schemas = Schemas::default();
        Path::<P>::describe(route, &mut schemas);
        serde_json::to_value(schemas).unwrap()["path"].take()
    }

    #[test]
    fn one_parameter_is_read_as_its_own_type() {
        assert_eq!(read::<u32>(&ONE, json!({ "plantId": "7" })).0, Some(7));
        assert_eq!(read::<String>(&ONE, json!({ "plantId": "7" })).0, Some("7".to_owned()));
        assert_eq!(read::<Family>(&ONE, json!({ "plantId": "FERN" })).0, Some(Family::Fern));
    }

    #[test]
    fn several_parameters_are_read_into_the_fields_of_a_struct() {
        let leaf = read::<Leaf>(&TWO, json!({ "plantId": "7", "leaf": "top" })).0;
        assert_eq!(leaf, Some(Leaf { plant_id: 7, leaf: "top".to_owned() }));
    }

    #[test]
    fn a_field_error_names_the_parameter_of_the_route() {
        let named = |(value, field_errors): (Option<u32>, FieldErrors)| {
            assert_eq!(value, None);
            format!("{field_errors:?}")
        };
        let invalid = named(read(&ONE, json!({ "plantId": "seven" })));
        assert!(invalid.contains("\"path.plantId\""), "{invalid}");
        let missing = named(read(&ONE, json!({})));
        assert!(
            missing.contains("\"path.plantId\"") && missing.contains("is required"),
            "{missing}"
        );
    }

    #[test]
    fn a_type_and_a_struct_of_one_field_have_the_same_field_errors() {
        #[derive(eserde::Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        struct Parameters {
            #[expect(dead_code, reason = "only its field errors are of interest")]
            plant_id: u32,
        }
        for parameters in [json!({ "plantId": "seven" }), json!({ "plantId": "" }), json!({})] {
            let alone = read::<u32>(&ONE, parameters.clone()).1;
            let in_a_struct = read::<Parameters>(&ONE, parameters).1;
            assert_eq!(format!("{alone:?}"), format!("{in_a_struct:?}"));
        }
    }

    #[test]
    fn the_schema_of_one_parameter_is_an_object_with_its_name() {
        let described = schema::<u32>(&ONE);
        assert_eq!(described["properties"]["plantId"]["type"], "integer");
        assert_eq!(described["required"], json!(["plantId"]));
        assert_eq!(described["additionalProperties"], false);
        let described = schema::<Family>(&ONE);
        let reference = described["properties"]["plantId"]["$ref"].as_str().unwrap();
        let family = described.pointer(reference.trim_start_matches('#')).unwrap();
        assert_eq!(family["enum"], json!(["FERN"]), "definitions are at the root");
    }

    #[test]
    fn the_schema_of_several_parameters_is_that_of_the_struct() {
        let described = schema::<Leaf>(&TWO);
        assert_eq!(described["properties"]["leaf"]["type"], "string");
        assert_eq!(described["required"], json!(["plantId", "leaf"]));
    }

    #[test]
    #[should_panic(expected = "/plants/{plantId}/leaves/{leaf} has 2 parameters")]
    fn one_type_for_two_parameters_is_not_described() {
        schema::<String>(&TWO);
    }
}
