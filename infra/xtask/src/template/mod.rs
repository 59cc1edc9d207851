//! `cargo xtask template`: the templates as AWS sees them.

mod expansion;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::expansion::{FILES, Job};
use crate::descriptions::Error;

/// The main template with SAM's short forms expanded: resources by logical id, as `CloudFormation`
/// gets them. Functions have an address of S3 for their code, where nothing is. `parameters` hold
/// instead of the template's defaults.
///
/// # Errors
/// Where the tools cannot be had, or SAM refuses the template.
pub(crate) fn expanded(
    workspace: &Path,
    parameters: &BTreeMap<String, String>,
) -> Result<Value, Error> {
    let job = Job::of(workspace, parameters)?;
    let mut expansions = expansion::expand(workspace, &[job])?;
    let mut expansion = expansions.pop().ok_or("there is no expansion")?;
    let main = expansion.expanded.remove(FILES[0]);
    main.ok_or_else(|| expansion.complaints.join("\n").into())
}

/// Writes [`expanded`] below `target` and says where.
pub(crate) fn write_expanded(workspace: &Path) -> Result<PathBuf, Error> {
    let template = expanded(workspace, &BTreeMap::new())?;
    let metadata =
        cargo_metadata::MetadataCommand::new().current_dir(workspace).no_deps().exec()?;
    let path = metadata.target_directory.join("template.json").into_std_path_buf();
    std::fs::write(&path, serde_json::to_vec_pretty(&template)?)?;
    Ok(path)
}
