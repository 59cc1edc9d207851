//! Consumer of the outbox's stream: relays events to the queues that subscribe to them.

use std::process::ExitCode;

use domain::events::EventQueues;

pub(crate) fn main() -> ExitCode {
    aws::functions::relay_outbox::<EventQueues>()
}
