//! The promise of a version: `cargo semver-checks` compares each library with the last release.
//!
//! A release is a tag such as `v0.1.0`. Until there is one, `infra/api` alone shows the changes.

use std::path::Path;
use std::process::Command;

use cargo_metadata::Package;
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, cargo, say, target_directory};

use super::packages::selected;
use crate::supply::first_on_path;

/// The tool, pinned to a version.
const TOOL: &str = "cargo-semver-checks@0.51.0";

/// Compares the libraries with the last release. Without one it prints that this is skipped.
///
/// # Errors
///
/// If the tool cannot be installed, or a version promises more than its library keeps.
pub(super) fn check(workspace: &Path, packages: &[&Package]) -> Result<(), Error> {
    let Some(release) = last_release(workspace)? else {
        say("not compared with an earlier version: no tag v0.1.0 or later");
        return Ok(());
    };
    let place = target_directory(workspace)?.join("tools/cargo_semver_checks");
    if !place.join("bin/cargo-semver-checks").is_file() {
        let mut install = cargo(workspace);
        install.args(["install", "--locked", "--root"]).arg(&place).arg(TOOL);
        succeeded(&mut install)?;
    }
    let mut compare = cargo(workspace);
    compare.env("PATH", first_on_path(&place.join("bin"))?);
    compare.args(["semver-checks", "--all-features", "--baseline-rev", &release]);
    succeeded(compare.args(selected(packages)))
}

/// The newest release that the checked-out commit is based on.
fn last_release(workspace: &Path) -> Result<Option<String>, Error> {
    let described = Command::new("git")
        .args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"])
        .current_dir(workspace)
        .output()
        .context(|| "git describe")?;
    // Without such a tag, git fails.
    let release = String::from_utf8(described.stdout)?.trim().to_owned();
    Ok((described.status.success() && !release.is_empty()).then_some(release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tag_with_a_version_is_the_last_release() {
        let name = format!("xtask-semver-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs_err::create_dir_all(&folder).unwrap();
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]);
            succeeded(git.args(arguments).current_dir(&folder)).unwrap();
        };

        git(&["init", "--quiet"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "Begin"]);
        git(&["tag", "before-0.1"]);
        assert_eq!(last_release(&folder).unwrap(), None);

        git(&["tag", "v0.1.0"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "Continue"]);
        assert_eq!(last_release(&folder).unwrap().as_deref(), Some("v0.1.0"));

        fs_err::remove_dir_all(&folder).unwrap();
    }
}
