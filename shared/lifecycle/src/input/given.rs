//! Fields of a merge patch.

use std::borrow::Cow;

use eserde::EDeserialize;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field of a merge patch (RFC 7396) that can be changed but not removed: it is given, or keeps
/// its value.
///
/// A `null`, which would remove the field, is a field error like any wrong value. An `Option` would
/// treat it like an absent field.
///
/// ```
/// use lifecycle::input::Given;
///
/// #[derive(eserde::Deserialize)]
/// struct Patch {
///     #[serde(default)]
///     title: Given<String>,
/// }
///
/// let title_after = |patch| {
///     let patch: Patch = serde_json::from_str(patch).unwrap();
///     patch.title.or(&"Old".to_owned())
/// };
/// assert_eq!(title_after(r#"{"title":"New"}"#), "New");
/// assert_eq!(title_after("{}"), "Old");
/// assert!(serde_json::from_str::<Patch>(r#"{"title":null}"#).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given<T>(Option<T>);

impl<T> Given<T> {
    /// The given value.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Whether the field is absent. An absent field is not serialised: a `null` would have another
    /// meaning.
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Clone> Given<T> {
    /// Returns the given value, or the value before.
    pub fn or(&self, before: &T) -> T {
        self.get().unwrap_or(before).clone()
    }
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<'de, T: EDeserialize<'de>> EDeserialize<'de> for Given<T> {
    fn deserialize_for_errors<D: Deserializer<'de>>(deserializer: D) -> Result<(), ()> {
        T::deserialize_for_errors(deserializer)
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use eserde::reporter::ErrorReporter;
    use serde_json::json;

    use super::*;
    use crate::Timestamp;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Patch {
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        title: Given<String>,
    }

    #[test]
    fn a_field_is_given_or_absent() {
        for (value, title) in [(json!({}), None), (json!({ "title": "New" }), Some("New"))] {
            let patch: Patch = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(patch.title.get().map(String::as_str), title);
            assert_eq!(patch.title.is_absent(), title.is_none());
            assert_eq!(json!(patch), value);
        }
        assert_eq!(Given::from(7).or(&8), 7);
        assert_eq!(Given::default().or(&8), 8);
    }

    #[test]
    fn the_schema_and_the_errors_are_those_of_the_value() {
        let [mut given, mut own] = [(); 2].map(|()| SchemaGenerator::default());
        let schema = given.subschema_for::<Given<Timestamp>>();
        assert_eq!(schema, own.subschema_for::<Timestamp>());
        assert_eq!(Given::<Timestamp>::schema_name(), "Timestamp");
        assert!(Given::<Timestamp>::inline_schema() && !Given::<Stored>::inline_schema());
        assert_eq!(schemars::schema_for!(Given<Stored>), schemars::schema_for!(Stored));

        let _reporter = ErrorReporter::start_deserialization();
        let read = |text| {
            let deserializer = &mut serde_json::Deserializer::from_str(text);
            Given::<u8>::deserialize_for_errors(deserializer)
        };
        assert_eq!([read("7"), read("null")], [Ok(()), Err(())]);
    }

    #[derive(JsonSchema)]
    struct Stored {
        #[expect(dead_code, reason = "only its schema is used")]
        id: String,
    }
}
