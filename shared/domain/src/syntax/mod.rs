//! Moulds for types that cannot hold a wrong value. What they refuse, they refuse with a
//! sentence for the client, and their JSON Schema says the same.

mod characters;
mod ids;
mod numbers;
mod texts;
mod words;

pub(crate) use characters::{
    CAPITALISED, LINE, TEXT, TEXT_OR_NOTHING, compared, composed, is_capitalised, isolated,
};
pub(crate) use ids::id;
pub(crate) use numbers::{saturated, whole_number};
pub(crate) use texts::{bounded, entered_line, entered_text, line, text};
pub(crate) use words::words;
