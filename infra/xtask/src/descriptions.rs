//! The descriptions that the binaries print.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use emulator::binaries::cargo;
use serde::Deserialize;
use serde_json::Value;

use crate::process::succeeded;

/// The reason why there are no descriptions.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// The part of a binary's `--describe` output that the checks need.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Description {
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) route: Option<Route>,
    #[serde(default)]
    pub(crate) sign_in: Option<SignIn>,
    /// Whether an endpoint also supports `HEAD`.
    #[serde(default)]
    pub(crate) head: bool,
    #[serde(default)]
    pub(crate) source: Option<Source>,
    /// The number of deliveries after which a consumer gives up a record.
    #[serde(default)]
    pub(crate) deliveries_max: Option<u32>,
    pub(crate) uses: Uses,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Endpoint,
    Consumer,
    Authorizer,
    Rotation,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SignIn {
    None,
    Optional,
    Required,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    Queue(String),
    Stream(String),
    Schedule,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Uses {
    pub(crate) tables: BTreeMap<String, BTreeSet<String>>,
    pub(crate) indexes: BTreeMap<String, BTreeSet<String>>,
    pub(crate) queues: BTreeSet<String>,
    pub(crate) probed_queues: BTreeSet<String>,
    pub(crate) dead_letters_of: BTreeSet<String>,
    pub(crate) secrets: BTreeSet<String>,
    pub(crate) written_secrets: BTreeSet<String>,
    pub(crate) rotated_secrets: BTreeSet<String>,
    pub(crate) mail: bool,
    pub(crate) upstreams: BTreeSet<String>,
    pub(crate) public_url: bool,
}

/// The descriptions of the binaries of these names.
pub(crate) fn of(
    workspace: &Path,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Description>, Error> {
    read(raw(workspace, names)?)
}

/// Parses descriptions.
pub(crate) fn read(raw: BTreeMap<String, Value>) -> Result<BTreeMap<String, Description>, Error> {
    let parse = |(name, raw): (String, Value)| -> Result<(String, Description), Error> {
        Ok((name, serde_json::from_value(raw)?))
    };
    raw.into_iter().map(parse).collect()
}

/// Builds the functions and reads the description of each of these binaries.
pub(crate) fn raw(
    workspace: &Path,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Value>, Error> {
    build(workspace)?;
    as_built(workspace, names)
}

/// Builds the functions.
pub(crate) fn build(workspace: &Path) -> Result<(), Error> {
    succeeded(cargo(workspace).args(["build", "--quiet", "--package", "functions", "--bins"]))
}

/// Reads the description of each of these binaries, as last built.
pub(crate) fn as_built(
    workspace: &Path,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Value>, Error> {
    let folder = target_directory(workspace)?.join("debug");
    let describe = |name: &String| -> Result<(String, Value), Error> {
        let described = Command::new(folder.join(name)).arg("--describe").env_clear().output();
        let described = described.map_err(|error| format!("{name}: {error}"))?;
        let description = serde_json::from_slice(&described.stdout);
        Ok((name.clone(), description.map_err(|error| format!("{name} --describe: {error}"))?))
    };
    names.iter().map(describe).collect()
}

/// The target directory of a workspace.
pub(crate) fn target_directory(workspace: &Path) -> Result<PathBuf, Error> {
    let metadata =
        cargo_metadata::MetadataCommand::new().current_dir(workspace).no_deps().exec()?;
    Ok(metadata.target_directory.into())
}
