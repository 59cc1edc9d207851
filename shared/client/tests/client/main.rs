//! The client against a server whose responses each test sets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod operations;
mod patience;
mod server;
mod sessions;
