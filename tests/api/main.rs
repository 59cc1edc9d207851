//! Tests of the API over HTTP, against the real binaries.
//!
//! The local platform runs them, unless `API_URL` names a deployment. That deployment needs the
//! users and products of the demo, and an unreachable `RateLimit` and `ExactRateLimit`. There, a
//! test that needs the platform's state or faults reports that it is skipped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

mod access;
mod accounts;
mod articles;
mod backfill;
mod bodies;
mod books;
mod caching;
mod callback_storm;
mod callbacks;
mod changes;
mod concurrency;
mod concurrent_mode;
mod conditions;
mod correlation;
mod document;
mod edits;
mod effects;
mod events;
mod faults;
mod heads;
mod health;
mod keys;
mod limits;
mod mail;
mod misbehaving;
mod neighbours;
mod notices;
mod observability;
mod operations;
mod orders;
mod outbox;
mod outside;
mod pages;
mod partner;
mod prices;
mod privileges;
mod projection;
mod readme;
mod recorded;
mod refusals;
mod rotation;
mod rules;
mod saga;
mod settled;
mod story;
mod tokens;
mod verification;
mod walk;
