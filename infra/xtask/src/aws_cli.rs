//! The AWS CLI, with the credentials of the user who runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tooling::Error;
use tooling::context::Context;

/// The AWS CLI for one region.
pub(crate) struct AwsCli<'a> {
    program: PathBuf,
    region: &'a str,
}

impl<'a> AwsCli<'a> {
    /// The CLI found on `PATH`.
    pub(crate) fn new(region: &'a str) -> Self {
        Self::at(Path::new("aws"), region)
    }

    /// Another program in its place, for tests.
    pub(crate) fn at(program: &Path, region: &'a str) -> Self {
        Self { program: program.to_owned(), region }
    }

    /// The JSON output of a command.
    ///
    /// # Errors
    ///
    /// If the command cannot run, fails, or does not print JSON.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Value, Error> {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--region", self.region, "--output", "json"]);
        let output = command.output().context(|| format!("{command:?}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(format!("aws {}: {said}", arguments.join(" ")).into());
        }
        serde_json::from_slice(&output.stdout).context(|| format!("{command:?}"))
    }
}
