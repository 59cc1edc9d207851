//! Consumer of the outbox's stream: sends each event to the queues that subscribe to it.

use std::process::ExitCode;

use functions::NoteEvents;

pub(crate) fn main() -> ExitCode {
    aws::functions::relay_outbox::<NoteEvents>()
}
