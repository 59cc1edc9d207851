//! Path parameters, query strings and headers into a type: as typed as a body.

use std::cell::RefCell;
use std::ops::Range;

use eserde::reporter::ErrorReporter;
use serde::de::value::{Error, MapAccessDeserializer, MapDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{Readable, wording};
use crate::failure::Violations;

/// Where a pair of name and text stood in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A parameter of the path.
    Path,
    /// A parameter of the query string.
    Query,
    /// A header.
    Header,
}

/// Reads pairs of name and text. Numbers and booleans are read from their text.
pub(super) fn read<'a, T: Readable>(
    place: Place,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<T, Violations> {
    let pairs: Vec<(&str, Text<'_>)> = pairs.map(|(name, text)| (name, Text(text))).collect();
    let mut unknown = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
    let reader = MapDeserializer::<_, Error>::new(pairs.iter().copied());
    let read = T::deserialize(serde_ignored::Deserializer::new(reader, &mut note));
    match read {
        Ok(value) => unknown_parameters(place, &unknown).or(value),
        Err(first) => Err(every_violation::<T>(place, &pairs, &first)),
    }
}

fn every_violation<T: Readable>(
    place: Place,
    pairs: &[(&str, Text<'_>)],
    first: &Error,
) -> Violations {
    let mut unknown = Vec::new();
    let found = RefCell::default();
    let errors = {
        let _collecting = ErrorReporter::start_deserialization();
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
        let reader =
            MapAccessDeserializer::new(Pairs { left: pairs.iter(), value: None, found: &found });
        let _ = T::deserialize_for_errors(serde_ignored::Deserializer::new(reader, &mut note));
        ErrorReporter::take_errors()
    };
    let mut violations = unknown_parameters(place, &unknown);
    for (number, error) in errors.iter().enumerate() {
        let found = found.borrow();
        let message = error.message();
        if let Some(field) = wording::missing_field::<T>(message) {
            violations.add(place.name(&field), "is required");
        } else if let Some(field) = wording::repeated_field(message) {
            violations.add(place.name(field), "must not be repeated");
        } else {
            let name = found.iter().find(|(errors, _)| errors.contains(&number));
            violations.add(place.name(name.map_or("", |(_, name)| name.as_str())), message);
        }
    }
    if errors.is_empty() {
        violations.add(place.name(""), first.to_string());
    }
    violations
}

fn unknown_parameters(place: Place, names: &[String]) -> Violations {
    let mut violations = Violations::none();
    if place != Place::Header {
        for name in names {
            violations.add(place.name(name), "is not a known parameter");
        }
    }
    violations
}

/// Reads pairs one by one, and remembers which of the reported errors came from which.
struct Pairs<'p, 'a> {
    left: std::slice::Iter<'p, (&'a str, Text<'a>)>,
    value: Option<(&'a str, Text<'a>)>,
    found: &'p RefCell<Vec<(Range<usize>, String)>>,
}

impl<'de> MapAccess<'de> for Pairs<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.value = self.left.next().copied();
        self.value.map(|(name, _)| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = self.value.ok_or_else(|| Error::custom("a value before its name"))?;
        let before = ErrorReporter::n_errors();
        let read = seed.deserialize(value);
        self.found.borrow_mut().push((before..ErrorReporter::n_errors(), name.to_owned()));
        read
    }
}

impl Place {
    /// `path.productId`, `query.limit`, `header.If-Match`.
    fn name(self, name: &str) -> String {
        match self {
            Self::Path => format!("path.{name}"),
            Self::Query => format!("query.{name}"),
            Self::Header => format!("header.{}", crate::serve::title_case(name)),
        }
    }
}

/// A value that came as text.
#[derive(Debug, Clone, Copy)]
struct Text<'a>(&'a str);

impl IntoDeserializer<'_, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty, $expected:literal;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value = self.0.parse::<$type>().map_err(|_| Error::custom(concat!("must be ", $expected)))?;
            visitor.$visit(value)
        })+
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    parsed! {
        deserialize_bool visit_bool bool, "true or false";
        deserialize_i8 visit_i8 i8, "a whole number";
        deserialize_i16 visit_i16 i16, "a whole number";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number";
        deserialize_u16 visit_u16 u16, "a whole number";
        deserialize_u32 visit_u32 u32, "a whole number";
        deserialize_u64 visit_u64 u64, "a whole number";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;

    #[derive(Debug, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        page_size: u8,
        #[serde(default)]
        order: Option<Order>,
    }

    #[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Asc,
        Desc,
    }

    fn read_page(pairs: &[(&str, &str)]) -> Result<Page, Vec<String>> {
        read(Place::Query, pairs.iter().copied()).map_err(|violations| {
            violations.into_details().into_iter().map(|violation| violation.field).collect()
        })
    }

    #[test]
    fn numbers_and_names_are_read_from_text() {
        let page = read_page(&[("pageSize", "20"), ("order", "desc")]).unwrap();
        assert_eq!((page.page_size, page.order), (20, Some(Order::Desc)));
        assert_eq!(read_page(&[("pageSize", "1")]).unwrap().order, None);
    }

    #[test]
    fn every_violation_is_found_at_once() {
        let pairs = [("pageSize", "many"), ("order", "1; DROP TABLE"), ("offset", "3")];
        assert_eq!(
            read_page(&pairs).unwrap_err(),
            ["query.offset", "query.order", "query.pageSize"]
        );
        assert_eq!(read_page(&[]).unwrap_err(), ["query.pageSize"]);
        let twice = [("pageSize", "1"), ("pageSize", "2")];
        assert_eq!(read_page(&twice).unwrap_err(), ["query.pageSize"]);
    }
}
