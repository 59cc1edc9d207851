//! Macros for validated newtypes. An invalid value is rejected with a message for the client; the
//! JSON Schema states the same constraint.

mod characters;
mod ids;
mod numbers;
mod texts;
mod words;

pub(crate) use characters::{
    CAPITALISED, LINE, TEXT, TEXT_OR_NOTHING, compared, composed, is_capitalised, isolated,
};
pub(crate) use ids::uuid_id;
pub(crate) use numbers::{bounded_int, saturated};
pub(crate) use texts::{bounded, entered_line, entered_text, single_line, text};
pub(crate) use words::wire_enum;
