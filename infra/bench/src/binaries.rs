//! Builds the measured binaries, each package separately.

use std::path::{Path, PathBuf};

use tooling::process::succeeded;
use tooling::{Error, cargo, target_directory};

use super::candidates::{Candidate, Package};

/// Builds the candidates' binaries, each package in a separate build. In one build, cargo unifies
/// features, so all packages would get the SDK's defaults.
pub(super) fn build_candidates(workspace: &Path, candidates: &[&Candidate]) -> Result<(), Error> {
    for_each_package(candidates, |arguments| build(workspace, "release", arguments))
}

/// As [`build_candidates`], with another profile, and for the oldest processors, whatever the
/// configuration of this machine says: the numbers of instructions are then alike everywhere.
pub(super) fn build_for_any_processor(
    workspace: &Path,
    profile: &str,
    candidates: &[&Candidate],
) -> Result<(), Error> {
    for_each_package(candidates, |arguments| {
        let mut cargo = cargo(workspace);
        // An empty variable replaces the flags of configuration files.
        cargo.env("RUSTFLAGS", "").env_remove("CARGO_ENCODED_RUSTFLAGS");
        succeeded(cargo.args(["build", "--profile", profile]).args(arguments))
    })
}

fn for_each_package(
    candidates: &[&Candidate],
    build: impl Fn(&[&str]) -> Result<(), Error>,
) -> Result<(), Error> {
    for package in [Package::Functions, Package::Bare, Package::BareWithDefaults] {
        let mut names: Vec<_> = candidates.iter().filter(|one| one.package == package).collect();
        names.dedup_by_key(|candidate| candidate.binary);
        if names.is_empty() {
            continue;
        }
        let mut arguments = package.arguments().to_vec();
        arguments.extend(names.iter().flat_map(|candidate| ["--bin", candidate.binary]));
        build(&arguments)?;
    }
    Ok(())
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

/// The folder of a profile's binaries.
pub(super) fn folder(workspace: &Path, profile: &str) -> Result<PathBuf, Error> {
    Ok(target_directory(workspace)?.join(profile))
}
