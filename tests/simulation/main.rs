//! `cargo xtask simulate`: runs the store in simulated worlds.

mod functions;

use std::process::ExitCode;

fn main() -> ExitCode {
    simulate::command::run(functions::MAINS)
}
