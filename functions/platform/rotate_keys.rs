//! Rotates the keys that sign tokens, when Secrets Manager asks for it.

use std::process::ExitCode;

use adapters::Aws;

fn main() -> ExitCode {
    adapters::rotate(Aws::key_rotation)
}
