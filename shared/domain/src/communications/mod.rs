//! The log of what was said to other people's services, and what they said.

mod communication;
mod redaction;

pub use communication::{Communication, CommunicationId, Ending, Outcome, Said};
