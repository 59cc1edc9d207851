//! Builds the measured binaries: deployed ones by packages, others with the rest of the workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tooling::process::succeeded;
use tooling::{Error, cargo, last_built, target_directory};

use super::candidates::{Candidate, Package};

/// Builds the candidates' binaries, each package in a separate build. In one build, cargo unifies
/// features, so all packages would get the SDK's defaults.
pub(super) fn build_candidates(workspace: &Path, candidates: &[&Candidate]) -> Result<(), Error> {
    for package in [Package::Functions, Package::Bare, Package::BareWithDefaults] {
        let mut names: Vec<_> = candidates.iter().filter(|one| one.package == package).collect();
        names.dedup_by_key(|candidate| candidate.binary);
        if names.is_empty() {
            continue;
        }
        let mut arguments = package.arguments().to_vec();
        arguments.extend(names.iter().flat_map(|candidate| ["--bin", candidate.binary]));
        build(workspace, "release", &arguments)?;
    }
    Ok(())
}

/// Builds our programs with the profile `dev` and the features of the workspace, so that they share
/// all dependencies with the steps of `.ci/run`. The settings are those of `.ci/run`, and the
/// programs are for the oldest processors, so the numbers of instructions are alike on every
/// machine. The functions are optimised, too.
pub(super) fn build_beside_others(
    workspace: &Path,
    candidates: &[&Candidate],
) -> Result<(), Error> {
    let mut cargo = cargo(workspace);
    // An empty variable replaces the flags of configuration files.
    cargo.env("RUSTFLAGS", "").env_remove("CARGO_ENCODED_RUSTFLAGS");
    for (name, value) in
        [("INCREMENTAL", "0"), ("PROFILE_DEV_DEBUG", "0"), ("PROFILE_DEV_OPT_LEVEL", "1")]
    {
        cargo.env(format!("CARGO_{name}"), value);
    }
    cargo.args(["build", "--workspace"]);
    cargo.args(["--config", "profile.dev.package.functions.opt-level=1"]);
    let names: BTreeSet<_> = candidates.iter().map(|candidate| candidate.binary).collect();
    cargo.args(names.into_iter().flat_map(|name| ["--bin", name]));
    succeeded(&mut cargo)
}

impl Package {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Functions => &["--package", "functions"],
            Self::Bare => &["--package", "bare"],
            Self::BareWithDefaults => &["--package", "bare", "--features", "sdk-defaults"],
        }
    }
}

/// Builds with a profile of the workspace.
pub(super) fn build(workspace: &Path, profile: &str, arguments: &[&str]) -> Result<(), Error> {
    succeeded(cargo(workspace).args(["build", "--profile", profile]).args(arguments))
}

/// The binaries of a profile, as last built.
pub(super) struct Binaries {
    target_directory: PathBuf,
    /// The name of the profile's folder.
    folder: &'static str,
}

impl Binaries {
    pub(super) fn of(workspace: &Path, folder: &'static str) -> Result<Self, Error> {
        Ok(Self { target_directory: target_directory(workspace)?, folder })
    }

    /// The path of a binary: below the target directory, or below its folder for this machine if
    /// cargo's configuration names a target.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let file = Path::new(self.folder).join(name);
        last_built(&self.target_directory, &file).ok_or_else(|| {
            let place = self.target_directory.join(&file);
            format!("{} is missing: run the command without --no-build", place.display()).into()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::env::consts::{ARCH, OS};

    use super::*;

    #[test]
    fn a_binary_of_this_machines_target_is_found_and_a_missing_one_fails() {
        let target_directory =
            std::env::temp_dir().join(format!("bench-binaries-{}", std::process::id()));
        let system = if OS == "macos" { "apple-darwin" } else { OS };
        let of_target = target_directory.join(format!("{ARCH}-unknown-{system}/release"));
        fs_err::create_dir_all(&of_target).unwrap();
        fs_err::write(of_target.join("get_user"), "").unwrap();
        let binaries = Binaries { target_directory, folder: "release" };
        assert_eq!(binaries.path("get_user").unwrap(), of_target.join("get_user"));
        let missing = binaries.path("get_order").unwrap_err().to_string();
        assert!(missing.ends_with("get_order is missing: run the command without --no-build"));
        fs_err::remove_dir_all(&binaries.target_directory).unwrap();
    }
}
