//! Tests of the API over HTTP, against the real binaries.
//!
//! The local platform runs them, unless `API_URL` names a deployment. That deployment needs the
//! users and products of the demo, and an unreachable `RateLimit` and `ExactRateLimit`. There, a
//! test that needs the platform's state or faults reports that it is skipped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

mod articles;
mod callback;
mod catalogue;
mod orders;
mod people;
mod protocol;
mod system;
