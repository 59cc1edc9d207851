//! Running other programs.

use std::process::Command;

use cargo_command::cargo;

use crate::context::Error;
use crate::folders::workspace;

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

/// A command that runs a program of the workspace, built if needed with the workspace's features.
pub fn program_of(name: &str) -> Command {
    let mut command = cargo(workspace());
    command.args(["run", "--quiet", "--package", "cargo-command", "--manifest-path"]);
    command.arg(workspace().join("Cargo.toml")).args(["--", name]);
    command
}
