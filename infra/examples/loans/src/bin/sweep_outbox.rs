//! On a schedule: relays the rows of the outbox that the stream has missed.

use std::process::ExitCode;

use loans::LibraryEvents;

pub(crate) fn main() -> ExitCode {
    aws::functions::sweep_outbox::<LibraryEvents>()
}
