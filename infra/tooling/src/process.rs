//! Running other programs.

use std::process::Command;

use crate::context::Error;

/// Runs a command and waits for its end.
///
/// # Errors
///
/// If it cannot run, or fails.
pub fn succeeded(command: &mut Command) -> Result<(), Error> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}").into()),
        Err(error) => Err(format!("{command:?}: {error}").into()),
    }
}
