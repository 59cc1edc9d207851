//! The local platform: the API, its functions and what they stand on, on one machine.

pub mod template;
