//! The relay of the outbox.

use std::process::ExitCode;

use lifecycle::relay::{Relay, Subscriptions};

/// Serves the consumer of the outbox's stream: it sends each event to the queues that subscribe to
/// it.
pub fn relay_outbox<S: Subscriptions>() -> ExitCode {
    crate::consume(|_| Relay::<S>::default())
}
