//! The files that git tracks, and their texts.

use std::io;
use std::path::Path;
use std::process::Command;

/// The paths of the tracked files.
///
/// # Errors
///
/// When git fails.
pub(crate) fn files(workspace: &Path) -> Result<Vec<String>, io::Error> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(workspace).output()?;
    if !listed.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&listed.stderr).into_owned()));
    }
    let names = String::from_utf8_lossy(&listed.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The tracked files that are UTF-8, with their texts. A deleted file has none.
pub(crate) fn texts<'f>(workspace: &Path, files: &'f [String]) -> Vec<(&'f str, String)> {
    let text = |path: &str| fs_err::read_to_string(workspace.join(path)).ok();
    files.iter().filter_map(|path| Some((path.as_str(), text(path)?))).collect()
}
