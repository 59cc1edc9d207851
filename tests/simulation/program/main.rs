//! `cargo xtask simulate`: runs the store in simulated worlds.

use std::process::ExitCode;

fn main() -> ExitCode {
    simulate::command::run(store_functions::MAINS)
}
