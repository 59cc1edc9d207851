//! The workspace of this repository, and its programs.

use std::path::Path;
use std::process::Command;

use tooling::cargo;

/// The workspace that this crate was built in.
///
/// # Panics
///
/// If the crate did not lie two directories below the workspace.
pub fn workspace() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("the crate lies two directories below the workspace")
}

/// A command that runs a program of the workspace, built if needed with the workspace's features.
pub fn program_of(name: &str) -> Command {
    let mut command = cargo(workspace());
    command.args(["run", "--quiet", "--package", "lambda-lifecycle-cargo", "--manifest-path"]);
    command.arg(workspace().join("Cargo.toml")).args(["--", name]);
    command
}
