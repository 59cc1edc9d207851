//! What the system is about: people, the catalogue, orders, a partner, and the rules that hold among them.
//!
//! Everything here is a pure function of values. No I/O, no clock, no randomness: a decision
//! gets the time and fresh ids in a [`Moment`](lifecycle::Moment), what is stored as facts, and
//! answers with what should be done as [`Effects`](lifecycle::Effects).

#![expect(clippy::struct_field_names, reason = "a field is named as it is on the wire")]

pub mod articles;
pub mod callback;
pub mod catalogue;
pub mod communications;
pub mod credit;
pub mod events;
#[cfg(any(test, feature = "examples"))]
pub mod examples;
pub mod notices;
pub mod orders;
pub mod partner;
pub mod people;
pub mod refusals;
pub mod rules;
#[cfg(test)]
mod stored;
mod syntax;
pub mod tables;
pub mod token;

pub use rules::Rules;
