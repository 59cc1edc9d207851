//! The files that git tracks.

use std::path::Path;
use std::process::Command;

/// The tracked files that are UTF-8, with their texts. A deleted file has none.
pub(crate) fn texts<'f>(workspace: &Path, files: &'f [String]) -> Vec<(&'f str, String)> {
    let text = |path: &str| fs_err::read_to_string(workspace.join(path)).ok();
    files.iter().filter_map(|path| Some((path.as_str(), text(path)?))).collect()
}

/// The paths of the tracked files.
///
/// # Errors
///
/// If git cannot list them.
pub(crate) fn files(workspace: &Path) -> Result<Vec<String>, std::io::Error> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(workspace).output()?;
    if !listed.status.success() {
        return Err(std::io::Error::other(String::from_utf8_lossy(&listed.stderr).into_owned()));
    }
    let names = String::from_utf8_lossy(&listed.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}
