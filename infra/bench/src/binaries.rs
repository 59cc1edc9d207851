//! Builds the measured binaries: deployed ones by packages, others with the rest of the workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tooling::process::succeeded;
use tooling::{Error, cargo, target_directory};

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

/// The folder of a profile's binaries.
pub(super) fn folder(workspace: &Path, profile: &str) -> Result<PathBuf, Error> {
    Ok(target_directory(workspace)?.join(profile))
}
