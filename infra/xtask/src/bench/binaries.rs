//! Building what is measured, each package as it would be built alone.

use std::path::{Path, PathBuf};

use local::binaries::cargo;

use super::candidates::{Candidate, Package};
use crate::descriptions::{Error, target_directory};
use crate::process::succeeded;

/// Builds the candidates' binaries. Each package is built by itself, because cargo gives all
/// packages of one build the same features, and the SDK's defaults would end up in all of them.
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

/// Where the binaries of a profile are.
pub(super) fn folder(workspace: &Path, profile: &str) -> Result<PathBuf, Error> {
    Ok(target_directory(workspace)?.join(profile))
}
