//! The folders of the workspace.

use std::path::{Path, PathBuf};

use crate::context::Error;

/// The workspace that this crate was built in.
///
/// # Panics
///
/// If the crate did not lie two directories below the workspace.
pub fn workspace() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("the crate lies two directories below the workspace")
}

/// The target directory of a workspace.
///
/// # Errors
///
/// If cargo cannot read the workspace.
pub fn target_directory(workspace: &Path) -> Result<PathBuf, Error> {
    let metadata =
        cargo_metadata::MetadataCommand::new().current_dir(workspace).no_deps().exec()?;
    Ok(metadata.target_directory.into())
}
