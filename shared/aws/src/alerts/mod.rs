//! Operators' alerts.

pub(crate) mod port;
mod services;

pub use services::{AlertSender, DATADOG, NEW_RELIC, NOTIFIERS, SLACK};
