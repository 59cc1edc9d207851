//! The client in Python, by openapi-python-client.

use std::path::Path;
use std::process::Command;

use crate::descriptions::Error;
use crate::process::succeeded;
use crate::{openapi, tools};

/// Generates the client as the package `store`. Returns the command that tells its story.
///
/// # Errors
///
/// Where there is no Python 3 with `venv`, a package cannot be had, or the generator warns.
pub(super) fn generate(workspace: &Path) -> Result<Command, Error> {
    let programs = tools::installed(workspace, "openapi_python_client")?;
    let folder = super::folder(workspace, "python")?;
    let source = workspace.join("infra/clients/python");
    succeeded(
        Command::new(programs.join("openapi-python-client"))
            .current_dir(&folder)
            .arg("generate")
            .arg("--path")
            .arg(openapi::path(workspace))
            .arg("--config")
            .arg(source.join("generate.yaml"))
            .args(["--output-path", "store", "--meta", "none", "--overwrite", "--fail-on-warning"]),
    )?;
    let mut story = Command::new(programs.join("python"));
    story.current_dir(&folder).env("PYTHONPATH", &folder).args(["-W", "error"]);
    story.arg(source.join("story.py"));
    Ok(story)
}
