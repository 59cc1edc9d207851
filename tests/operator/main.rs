//! `cargo xtask ops …` as a separate program, for tests that kill it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ops::main(&arguments)
}
