//! Deserialisation of stored values, without the limits of input.
//!
//! The limits of input change between versions, and stored values may exceed them. For example,
//! returned stock exceeds a maximum, or an old name has characters that are invalid today. So the
//! types of [`checked!`](crate::checked) have two ways of deserialisation. A value from a client is
//! checked; a value from a store or a queue is taken as it is.

use std::cell::Cell;

use schemars::Schema;
use serde::de::DeserializeOwned;

thread_local! {
    static STORED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a deserialisation of data that this system wrote: types with `stored` take their value
/// unchecked. Deserialisation is synchronous, so it stays on this thread.
///
/// ```
/// # use lifecycle::stored;
/// assert!(stored::reading(stored::is_being_read));
/// assert!(!stored::is_being_read());
/// ```
pub fn reading<T>(read: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            STORED.set(self.0);
        }
    }
    let _before = Before(STORED.replace(true));
    read()
}

/// Whether the value that is being deserialised was written by this system.
pub fn is_being_read() -> bool {
    STORED.get()
}

/// The keywords of JSON Schema that limit a value of a type: its numbers, texts, lists and objects.
const LIMITS: [&str; 16] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

/// The schema of a type with `stored`. In responses it has no limits, because they may show stored
/// values.
#[doc(hidden)]
pub fn described(mut schema: Schema) -> Schema {
    if is_being_read() {
        for limit in LIMITS {
            schema.remove(limit);
        }
    }
    schema
}

/// Deserialises JSON that this system wrote.
///
/// # Errors
///
/// When the JSON has another shape.
pub fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    reading(|| serde_json::from_str(json))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use schemars::json_schema;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize)]
    struct Pieces(i64);

    impl TryFrom<i64> for Pieces {
        type Error = &'static str;

        fn try_from(raw: i64) -> Result<Self, Self::Error> {
            if raw <= 10 { Ok(Self(raw)) } else { Err("must be at most 10") }
        }
    }

    crate::checked!(Pieces, i64, { "type": "integer", "maximum": 10 }, stored: Self);

    #[test]
    fn a_value_beyond_the_limits_is_read_from_the_store_but_not_from_input() {
        assert!(serde_json::from_str::<Pieces>("11").is_err());
        assert_eq!(from_json::<Pieces>("11").unwrap(), Pieces(11));
        assert!(from_json::<Pieces>("\"11\"").is_err(), "another type is an error");
        assert!(serde_json::from_str::<Pieces>("11").is_err(), "the next client is checked again");
    }

    #[test]
    fn the_schema_of_a_response_has_no_limits_of_input() {
        let described = schemars::schema_for!(Pieces).to_value();
        assert_eq!(described["maximum"], 10);
        let described = reading(|| schemars::schema_for!(Pieces)).to_value();
        assert_eq!((&described["type"], described.get("maximum")), (&"integer".into(), None));
        for limited in [
            json_schema!({ "type": "string", "format": "email", "maxLength": 254 }),
            json_schema!({ "type": "string", "pattern": "^a", "minLength": 1 }),
        ] {
            let limitless = reading(|| super::described(limited)).to_value();
            assert_eq!(limitless, json!({ "type": "string" }));
        }
        let limited = json_schema!({
            "type": "array", "minItems": 1, "maxItems": 9, "uniqueItems": true,
            "items": { "type": "integer" }, "minContains": 1, "maxContains": 2,
        });
        let limitless = reading(|| super::described(limited)).to_value();
        assert_eq!(limitless, json!({ "type": "array", "items": { "type": "integer" } }));
        let limited = json_schema!({
            "type": "number", "multipleOf": 5, "minimum": 0, "maximum": 9,
            "exclusiveMinimum": 0, "exclusiveMaximum": 10,
        });
        let limitless = reading(|| super::described(limited)).to_value();
        assert_eq!(limitless, json!({ "type": "number" }));
    }

    #[test]
    fn a_panic_while_a_stored_value_is_read_resets_the_mode() {
        assert!(catch_unwind(|| reading(|| panic!("unreadable"))).is_err());
        assert!(!is_being_read());
    }
}
