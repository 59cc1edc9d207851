//! Stored values are read with the bounds of what was written, not with the bounds of input.
//!
//! The bounds of input change from version to version, and sums leave them: the stock of a product
//! that customers give back, a name that was stored before its characters were refused. So the types
//! that [`checked!`](crate::checked) makes know two ways in: what a client sends is checked, and what
//! a store or a queue gives back is taken as it was written.

use std::cell::Cell;

use schemars::Schema;
use serde::de::DeserializeOwned;

thread_local! {
    static STORED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a deserialisation of something that this system wrote: types with a `stored` way in take
/// their value as it is. Deserialisation never waits, so the thread is this one all the while.
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

/// The schema of a type with a `stored` way in: of answers, which show what is stored, without the
/// bounds that hold for input alone.
#[doc(hidden)]
pub fn described(mut schema: Schema) -> Schema {
    if is_being_read() {
        for bound in ["minLength", "maxLength", "pattern", "maximum"] {
            schema.remove(bound);
        }
    }
    schema
}

/// A value out of JSON that this system wrote.
///
/// # Errors
///
/// When the JSON is of another shape.
pub fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    reading(|| serde_json::from_str(json))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

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
    fn a_value_beyond_the_bounds_of_input_is_read_from_the_store_and_refused_from_a_client() {
        assert!(serde_json::from_str::<Pieces>("11").is_err());
        assert_eq!(from_json::<Pieces>("11").unwrap(), Pieces(11));
        assert!(from_json::<Pieces>("\"11\"").is_err(), "another type is no such value");
        assert!(serde_json::from_str::<Pieces>("11").is_err(), "the next client is checked again");
    }

    #[test]
    fn an_answer_is_described_without_the_bounds_of_input() {
        let described = schemars::schema_for!(Pieces).to_value();
        assert_eq!(described["maximum"], 10);
        let described = reading(|| schemars::schema_for!(Pieces)).to_value();
        assert_eq!((&described["type"], described.get("maximum")), (&"integer".into(), None));
    }

    #[test]
    fn a_panic_while_a_stored_value_is_read_leaves_nothing_behind() {
        assert!(catch_unwind(|| reading(|| panic!("unreadable"))).is_err());
        assert!(!is_being_read());
    }
}
