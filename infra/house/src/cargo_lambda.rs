//! cargo lambda: builds the binaries that AWS runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use tooling::cargo;

use crate::tools;
use tooling::context::Error;
use tooling::process::succeeded;
use tooling::target_directory;

/// The tool, and its target folder.
pub struct CargoLambda<'a> {
    workspace: &'a Path,
    path: OsString,
    folder: PathBuf,
}

/// How functions are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Optimised: small and fast, but slow to build.
    Release,
    /// Without optimisation: fast to build.
    Dev,
}

impl<'a> CargoLambda<'a> {
    /// The tool, installed if needed.
    ///
    /// # Errors
    ///
    /// If it cannot be installed.
    pub fn new(workspace: &'a Path) -> Result<Self, Error> {
        let programs = tools::installed(workspace, "cargo_lambda")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))?;
        Ok(Self { workspace, path, folder: target_directory(workspace)?.join("lambda") })
    }

    /// Builds functions with cargo itself, for this machine: its C library must not be newer than
    /// Lambda's.
    ///
    /// # Errors
    ///
    /// If a function cannot be built.
    pub fn build<'b>(
        &self,
        binaries: impl IntoIterator<Item = &'b String>,
        profile: Profile,
    ) -> Result<(), Error> {
        let mut command = self.command("build");
        command.env("CARGO_LAMBDA_COMPILER", "cargo").args(["--package", "functions"]);
        command.args(binaries.into_iter().flat_map(|binary| ["--bin", binary]));
        command.args((profile == Profile::Release).then_some("--release"));
        succeeded(&mut command)
    }

    /// The folder of all built binaries.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last built version of a binary.
    pub fn bootstrap(&self, binary: &str) -> PathBuf {
        self.folder.join(binary).join("bootstrap")
    }

    /// One of its subcommands, run in the workspace.
    pub fn command(&self, what: &str) -> Command {
        let mut command = cargo(self.workspace);
        command.args(["lambda", what]).env("PATH", &self.path);
        command
    }
}
