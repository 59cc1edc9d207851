//! Names that the steps of the pipeline and their rehearsal share.

use std::path::Path;
use std::process::{Command, Stdio};

use tooling::context::{Context, Error};

/// The folder of the workflows.
pub const WORKFLOWS: &str = ".github/workflows";

/// The folder of the files that a workflow's jobs pass on, below the workspace.
pub const FOLDER: &str = "target/pipeline";

/// The output of `sam build`.
pub const BUILT: &str = ".aws-sam/build";

/// The variable with the role that `CloudFormation` deploys with, an output of `infra/pipeline.yaml`.
pub const ROLE: &str = "CLOUDFORMATION_ROLE_ARN";

/// The SHA-256 of a file, in hexadecimal digits, by the program with which the workflow checks it.
///
/// # Errors
///
/// If the program cannot run, or prints no digest.
pub fn digest(file: &Path) -> Result<String, Error> {
    let mut sha256sum = Command::new("sha256sum");
    let said = sha256sum.arg("--binary").arg(file).stderr(Stdio::inherit()).output();
    let said = said.context(|| "sha256sum")?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let digest = said.split_once(' ').map(|(digest, _)| digest.to_owned());
    digest.ok_or_else(|| format!("sha256sum of {}: {said:?}", file.display()).into())
}
