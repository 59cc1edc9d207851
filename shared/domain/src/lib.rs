//! The domain: people, the catalogue, orders, articles, callbacks, a partner, and their rules.
//!
//! Everything here is a pure function of values: no I/O, no clock, no randomness. A decision gets
//! the time and fresh ids in a [`Moment`](lifecycle::Moment), and stored data as facts. It returns
//! its side effects as [`Effects`](lifecycle::Effects).

#![expect(clippy::struct_field_names, reason = "a field is named as it is on the wire")]

pub mod articles;
pub mod callback;
pub mod catalogue;
pub mod communications;
pub mod credit;
pub mod error_codes;
pub mod events;
#[cfg(any(test, feature = "examples"))]
pub mod examples;
pub mod mails;
pub mod notices;
pub mod orders;
pub mod partner;
pub mod people;
#[cfg(test)]
mod released;
pub mod resources;
pub mod rules;
#[cfg(test)]
mod stored;

pub use rules::BusinessRules;
