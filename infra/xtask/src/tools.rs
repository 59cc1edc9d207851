//! Other people's tools that judge our files: from the Python package index, pinned, in an
//! environment of their own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::descriptions::{Error, target_directory};

/// The folder with the programs of a list in `infra/tools`, installed unless they are there.
///
/// # Errors
///
/// Without such a list, without Python 3 and its `venv`, or where a package cannot be had.
pub(crate) fn installed(workspace: &Path, list: &str) -> Result<PathBuf, Error> {
    let requirements = workspace.join("infra/tools").join(format!("{list}.txt"));
    let pinned = std::fs::read_to_string(&requirements)
        .map_err(|error| format!("{}: {error}", requirements.display()))?;
    let environment = target_directory(workspace)?.join("tools").join(list);
    let (programs, complete) = (environment.join("bin"), environment.join("installed.txt"));
    if std::fs::read_to_string(&complete).is_ok_and(|installed| installed == pinned) {
        return Ok(programs);
    }
    let create = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment).status();
    succeeded(create, "python3 -m venv")?;
    let install = Command::new(programs.join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
        .arg(&requirements)
        .status();
    succeeded(install, "pip install")?;
    std::fs::write(&complete, pinned)?;
    Ok(programs)
}

fn succeeded(status: std::io::Result<std::process::ExitStatus>, what: &str) -> Result<(), Error> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}").into()),
        Err(error) => Err(format!("{what}: {error}").into()),
    }
}
