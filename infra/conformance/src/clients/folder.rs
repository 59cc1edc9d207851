//! Folders and files of the clients.

use std::path::{Path, PathBuf};

use tooling::{Error, target_directory};

/// The description of the API, from which clients are generated.
pub(super) fn description(workspace: &Path) -> PathBuf {
    workspace.join("infra/openapi.json")
}

/// Creates the folder below `target` for a client.
pub(super) fn created(workspace: &Path, name: &str) -> Result<PathBuf, Error> {
    let folder = target_directory(workspace)?.join("clients").join(name);
    fs_err::create_dir_all(&folder)?;
    Ok(folder)
}
