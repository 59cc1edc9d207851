//! Logs, metrics and traces.
//!
//! One line per request is both its log entry and its metrics. W3C trace context is read and passed
//! on. Spans are sent to a collector if one is configured. Telemetry contains no personal or secret
//! data: no body, header, raw path, address or caller. The records of the inspector do contain input:
//! only the local platform asks for them.
//!
//! A service adds fields of the line with [`LogField`], and metrics with [`Metric`].

mod document;
pub(crate) mod inspector;
pub(crate) mod line;
pub(crate) mod log;
mod observations;
pub(crate) mod otlp;
mod own;
mod own_value;
mod reason;
pub(crate) mod stages;
mod trace;
pub(crate) mod units;

pub(crate) use document::Document;
pub(crate) use observations::{Noted, Observations, mark_own, observed, restore_own};
pub use observations::{
    carried, observe_cache, observe_error, observe_query, request_id, traceparent, tracestate,
};
pub use own::{LogField, Metric};
pub use own_value::FieldValue;
pub use reason::without_values;
pub(crate) use reason::{panic_message, shortened, shortened_cause};
pub(crate) use stages::Stages;
pub use trace::TraceContext;
pub(crate) use trace::is_state;
