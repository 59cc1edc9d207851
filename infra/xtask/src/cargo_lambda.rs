//! cargo lambda: what it builds is what AWS runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use local::binaries::cargo;

use crate::descriptions::{Error, target_directory};
use crate::process::succeeded;
use crate::tools;

/// The tool, and where it builds.
pub(crate) struct CargoLambda<'a> {
    workspace: &'a Path,
    path: OsString,
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Small and quick, and built slowly.
    Release,
    Dev,
}

impl<'a> CargoLambda<'a> {
    /// # Errors
    ///
    /// Where it cannot be installed.
    pub(crate) fn new(workspace: &'a Path) -> Result<Self, Error> {
        let programs = tools::installed(workspace, "cargo_lambda")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))?;
        Ok(Self { workspace, path, folder: target_directory(workspace)?.join("lambda") })
    }

    /// Builds functions by cargo itself: for the machine that it runs on, whose C library must not
    /// be newer than Lambda's.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be built.
    pub(crate) fn build<'b>(
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

    /// Where it puts all that it builds.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A binary as it was last built.
    pub(crate) fn bootstrap(&self, binary: &str) -> PathBuf {
        self.folder.join(binary).join("bootstrap")
    }

    /// One of its commands, to be run in the workspace.
    pub(crate) fn command(&self, what: &str) -> Command {
        let mut command = cargo(self.workspace);
        command.args(["lambda", what]).env("PATH", &self.path);
        command
    }
}
