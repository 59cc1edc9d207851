//! The local platform: the API, its functions and what they stand on, on one machine.

pub mod control;
pub mod functions;
pub mod gateway;
pub mod sources;
pub mod stores;
pub mod template;
