//! The client against a server that answers what the test wants.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod operations;
mod patience;
mod server;
mod sessions;
