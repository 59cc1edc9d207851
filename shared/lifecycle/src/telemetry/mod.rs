//! What is measured and logged.

mod observations;

pub use observations::{observe_cache, observe_query, request_id, traceparent};
pub(crate) use observations::{Observations, observed};
