//! Operators' commands as a program, which `cargo xtask ops` runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ops::main(&arguments)
}
