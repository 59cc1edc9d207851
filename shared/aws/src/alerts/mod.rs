//! Operators' alerts.

pub(crate) mod port;
#[cfg(feature = "alerts")]
mod services;

#[cfg(feature = "alerts")]
pub use services::{AlertSender, DATADOG, NEW_RELIC, NOTIFIERS, SLACK};
