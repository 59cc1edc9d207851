//! Consumer of the outbox's stream: relays events to the queues that subscribe to them.

use std::process::ExitCode;

use loans::LibraryEvents;

pub(crate) fn main() -> ExitCode {
    aws::functions::relay_outbox::<LibraryEvents>()
}
