//! Lists with a limited length.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use eserde::EDeserialize;
use eserde::reporter::ErrorReporter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// A list of `MIN` to `MAX` elements: the type of every array in a request.
///
/// Reading stops at the first element beyond the maximum. Only a deserialised list is sure to have
/// a valid length.
///
/// ```
/// use lifecycle::input::List;
///
/// let read = |text| serde_json::from_str::<List<u8, 1, 2>>(text);
/// assert_eq!(*read("[7, 8]").unwrap(), [7, 8]);
/// assert!(read("[]").is_err() && read("[7, 8, 9]").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// The elements.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }

    fn sentence() -> String {
        format!("must have {MIN} to {MAX} items")
    }
}

/// Does not check the length: a client may send any list.
impl<T, const MIN: usize, const MAX: usize> From<Vec<T>> for List<T, MIN, MAX> {
    fn from(elements: Vec<T>) -> Self {
        Self(elements)
    }
}

impl<T, const MIN: usize, const MAX: usize> Deref for List<T, MIN, MAX> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T, const MIN: usize, const MAX: usize> DerefMut for List<T, MIN, MAX> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T, const MIN: usize, const MAX: usize> IntoIterator for List<T, MIN, MAX> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T: Serialize, const MIN: usize, const MAX: usize> Serialize for List<T, MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>, const MIN: usize, const MAX: usize> Deserialize<'de>
    for List<T, MIN, MAX>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements::<T, MIN, MAX>(PhantomData)).map(Self)
    }
}

impl<'de, T: EDeserialize<'de>, const MIN: usize, const MAX: usize> EDeserialize<'de>
    for List<T, MIN, MAX>
{
    fn deserialize_for_errors<D: Deserializer<'de>>(deserializer: D) -> Result<(), ()> {
        let before = ErrorReporter::n_errors();
        let read = deserializer.deserialize_seq(Elements::<Reported<T>, MIN, MAX>(PhantomData));
        if let Err(error) = read {
            ErrorReporter::report(error);
        }
        if ErrorReporter::n_errors() > before { Err(()) } else { Ok(()) }
    }
}

/// An element that only reports its errors, and never fails.
struct Reported<T>(PhantomData<T>);

impl<'de, T: EDeserialize<'de>> Deserialize<'de> for Reported<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let _ = T::deserialize_for_errors(deserializer);
        Ok(Self(PhantomData))
    }
}

struct Elements<T, const MIN: usize, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MIN: usize, const MAX: usize> Visitor<'de>
    for Elements<T, MIN, MAX>
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {MIN} to {MAX} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < MAX {
            match sequence.next_element()? {
                Some(element) => elements.push(element),
                None if elements.len() < MIN => {
                    return Err(A::Error::custom(List::<T, MIN, MAX>::sentence()));
                }
                None => return Ok(elements),
            }
        }
        match sequence.next_element::<serde::de::IgnoredAny>()? {
            Some(_) => Err(A::Error::custom(List::<T, MIN, MAX>::sentence())),
            None => Ok(elements),
        }
    }
}

impl<T: JsonSchema, const MIN: usize, const MAX: usize> JsonSchema for List<T, MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({
            "type": "array",
            "items": generator.subschema_for::<T>(),
            "maxItems": MAX,
        });
        if MIN > 0 {
            schema.insert("minItems".to_owned(), MIN.into());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_list_is_its_elements() {
        let mut list = List::<u8, 1, 3>::from(vec![7]);
        list.push(8);
        assert_eq!(*list, [7, 8]);
        assert_eq!(list.clone().into_iter().collect::<Vec<_>>(), [7, 8]);
        assert_eq!(list.into_vec(), [7, 8]);
    }

    #[test]
    fn the_limits_are_described_where_the_list_is_used() {
        let schema = |schema: Schema| schema.to_value();
        let mut generator = SchemaGenerator::default();
        let some = schema(generator.subschema_for::<List<bool, 1, 2>>());
        let items = json!({ "type": "boolean" });
        let expected = json!({ "type": "array", "items": items, "minItems": 1, "maxItems": 2 });
        assert_eq!(some, expected);
        let any = schema(generator.subschema_for::<List<bool, 0, 2>>());
        assert_eq!(any, json!({ "type": "array", "items": items, "maxItems": 2 }));
        assert_eq!(List::<bool, 0, 2>::schema_name(), "List_of_boolean");
    }

    #[test]
    fn a_value_that_is_not_a_list_is_refused_with_the_limits() {
        let error = serde_json::from_str::<List<Value, 1, 2>>("7").unwrap_err().to_string();
        assert!(error.contains("an array of 1 to 2 items"), "{error}");
    }

    #[test]
    fn a_list_is_searched_for_errors_to_its_end() {
        for (text, errors) in [("[7]", 0), ("[]", 1), (r#"["a", 7, "b"]"#, 2), ("[7, 7, 7, 7]", 1)]
        {
            let _reporter = ErrorReporter::start_deserialization();
            let deserializer = &mut serde_json::Deserializer::from_str(text);
            let read = List::<u8, 1, 3>::deserialize_for_errors(deserializer);
            assert_eq!(read.is_err(), errors > 0, "{text}");
            assert_eq!(ErrorReporter::n_errors(), errors, "{text}");
        }
    }
}
