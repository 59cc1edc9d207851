//! JavaScript programs: copied with their packages to a folder below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use tooling::Error;
use tooling::process::succeeded;

use super::folder;

/// Copies `infra/clients/{name}` to a folder below `target` and installs the packages of its lock
/// file.
///
/// # Errors
///
/// If there is no npm, or a package cannot be installed.
pub(super) fn installed(workspace: &Path, name: &str) -> Result<PathBuf, Error> {
    let source = workspace.join("infra/clients").join(name);
    let folder = folder::created(workspace, name)?;
    for file in fs_err::read_dir(&source)? {
        let file = file?;
        fs_err::copy(file.path(), folder.join(file.file_name()))?;
    }
    let lock = fs_err::read_to_string(source.join("package-lock.json"))?;
    let complete = folder.join("installed.json");
    if fs_err::read_to_string(&complete).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    let mut npm = Command::new("npm");
    // Packages may run no scripts at installation.
    npm.current_dir(&folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--silent",
    ]);
    succeeded(&mut npm).map_err(|error| format!("npm, which comes with Node.js: {error}"))?;
    fs_err::write(&complete, lock)?;
    Ok(folder)
}
