//! Secrets: their cache, and the rotation of the keys that sign tokens.

pub(crate) mod pauses;
pub(crate) mod rotation;
mod secret;

pub(crate) use secret::Holding;
pub use secret::Secret;
