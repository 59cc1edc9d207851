//! The asynchronous parts of the programs for developers: an HTTP client, and the end of children.
//!
//! They are a separate crate, because a build of the workspace turns on all features of a crate:
//! `cargo xtask` would wait for an asynchronous runtime that it does not use.

pub mod child;
pub mod http;
