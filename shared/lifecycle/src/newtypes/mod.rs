//! Macros for validated newtypes, and the rules of their texts.
//!
//! | macro | defines | JSON |
//! |---|---|---|
//! | [`uuid_id!`](crate::uuid_id) | the ids of one kind | a UUID |
//! | [`bounded_int!`](crate::bounded_int) | a whole number within bounds | a number |
//! | [`single_line!`](crate::single_line) | a text of one line | a text |
//! | [`text!`](crate::text) | a text of several lines | a text |
//! | [`wire_enum!`](crate::wire_enum) | an enumeration | a word |
//!
//! A value of such a type is valid. It is read from the parts of a request, from an event and from
//! an item of a table, and is written back in the same form. An invalid value of a request is
//! rejected with a sentence for the client, together with all other invalid values. The JSON Schema
//! of the type states the same rule. [`checked!`](crate::checked) makes such a type of one with
//! another rule.
//!
//! ```
//! use lifecycle::newtypes::{bounded_int, single_line};
//!
//! single_line! {
//!     /// The title of a book.
//!     BookTitle: 1..=100
//! }
//!
//! bounded_int! {
//!     /// A number of copies.
//!     Copies: 1..=99
//! }
//!
//! #[derive(eserde::Deserialize)]
//! struct BookDraft {
//!     title: BookTitle,
//!     copies: Copies,
//! }
//!
//! let draft: BookDraft = serde_json::from_str(r#"{ "title": " Emma ", "copies": 3 }"#).unwrap();
//! assert_eq!((draft.title.as_str(), draft.copies.get()), ("Emma", 3));
//! let error = serde_json::from_str::<BookDraft>(r#"{ "title": "Emma", "copies": 0 }"#);
//! let error = error.err().expect("0 is out of bounds").to_string();
//! assert!(error.starts_with("must be from 1 to 99"), "{error}");
//! ```

mod characters;
mod ids;
mod numbers;
mod serialize;
mod texts;
mod words;

pub use self::characters::{CAPITALISED, compared, composed, is_capitalised, isolated};
#[doc(hidden)]
pub use self::characters::{LINE, TEXT, TEXT_OR_NOTHING};
pub use self::ids::uuid_id;
pub use self::numbers::bounded_int;
#[doc(hidden)]
pub use self::numbers::saturated;
pub use self::texts::{bounded, single_line, text};
#[doc(hidden)]
pub use self::texts::{entered_line, entered_text};
pub use self::words::wire_enum;
