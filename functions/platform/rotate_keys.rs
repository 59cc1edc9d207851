//! Rotation of the keys that tokens are signed with, as Secrets Manager asks for it.

use std::process::ExitCode;

use adapters::Aws;

fn main() -> ExitCode {
    adapters::rotate(Aws::key_rotation)
}
