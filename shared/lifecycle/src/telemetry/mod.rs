//! What is measured and logged.
//!
//! One line a request is log entry and metrics at once; W3C trace context comes in and goes out;
//! spans go to a collector if one is configured. Nothing personal and nothing secret is told:
//! no body, no header, no raw path, no address, no caller.

pub(crate) mod line;
pub(crate) mod log;
mod observations;
pub(crate) mod otlp;
mod reason;
mod trace;

pub(crate) use observations::{Observations, observed};
pub use observations::{
    carried, leave_message, observe_cache, observe_error, observe_query, request_id, traceparent,
    tracestate,
};
pub(crate) use reason::shortened;
pub use reason::without_values;
pub use trace::TraceContext;
pub(crate) use trace::is_state;
