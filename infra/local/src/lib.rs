//! The local platform: the API, its functions and what they stand on, on one machine.

pub mod stores;
pub mod template;
