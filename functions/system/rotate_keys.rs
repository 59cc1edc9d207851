//! Rotates the keys that sign tokens, when Secrets Manager asks for it.

use std::process::ExitCode;

use aws::Aws;

pub(crate) fn main() -> ExitCode {
    aws::rotate(Aws::key_rotation)
}
