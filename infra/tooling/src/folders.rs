//! The target directory of a workspace, and the binaries of its packages.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, TargetKind};

use crate::context::Error;

/// The target directory of a workspace; `target` on a machine without cargo, which has only the
/// files of a build.
///
/// # Errors
///
/// If cargo cannot read the workspace.
pub fn target_directory(workspace: &Path) -> Result<PathBuf, Error> {
    described_by(&mut MetadataCommand::new(), workspace)
}

fn described_by(cargo: &mut MetadataCommand, workspace: &Path) -> Result<PathBuf, Error> {
    match cargo.current_dir(workspace).no_deps().exec() {
        Ok(metadata) => Ok(metadata.target_directory.into()),
        Err(cargo_metadata::Error::Io(error)) if error.kind() == ErrorKind::NotFound => {
            Ok(workspace.join("target"))
        }
        Err(error) => Err(error.into()),
    }
}

/// The names of a package's binaries.
///
/// # Errors
///
/// If cargo cannot read the workspace, or the package is missing.
pub fn binaries_of(workspace: &Path, package: &str) -> Result<Vec<String>, Error> {
    let metadata = MetadataCommand::new().current_dir(workspace).no_deps().exec()?;
    let mut packages = metadata.packages.iter();
    let found = packages.find(|one| one.name.as_str() == package);
    let found = found.ok_or_else(|| format!("the workspace has no package {package}"))?;
    let binaries = found.targets.iter().filter(|target| target.kind.contains(&TargetKind::Bin));
    Ok(binaries.map(|target| target.name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workspace of this package.
    fn workspace() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn the_binaries_of_a_package_are_listed_and_a_missing_package_is_an_error() {
        assert!(binaries_of(&workspace(), "functions").unwrap().contains(&"get_user".to_owned()));
        assert!(binaries_of(&workspace(), "no-such-package").is_err());
    }

    #[test]
    fn without_cargo_the_target_directory_is_the_usual_one() {
        let mut missing = MetadataCommand::new();
        missing.cargo_path("/no/cargo");
        let found = described_by(&mut missing, &workspace()).unwrap();
        assert_eq!(found, workspace().join("target"));
    }
}
