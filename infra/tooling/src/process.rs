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

/// A command that runs the program of one of the workspace's packages, built if needed.
pub fn program_of(package: &str) -> Command {
    let mut command = cargo(workspace());
    command.args(["run", "--quiet", "--package", package, "--manifest-path"]);
    command.arg(workspace().join("Cargo.toml")).arg("--");
    command
}
