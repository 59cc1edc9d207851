//! The audit log of calls to third-party services.

mod communication;
mod guarded;
mod redaction;

pub use communication::{CommunicationId, Ending, LoggedMessage, Outcome, UpstreamCall};
