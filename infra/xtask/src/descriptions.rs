//! What the binaries say about themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// Why there are no descriptions.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// What a binary prints for `--describe`, as far as the checks need it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Description {
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) route: Option<Route>,
    #[serde(default)]
    pub(crate) sign_in: Option<SignIn>,
    #[serde(default)]
    pub(crate) source: Option<Source>,
    pub(crate) uses: Uses,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Endpoint,
    Consumer,
    Authorizer,
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
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Uses {
    pub(crate) tables: BTreeMap<String, BTreeSet<String>>,
    pub(crate) queues: BTreeSet<String>,
    pub(crate) probed_queues: BTreeSet<String>,
    pub(crate) dead_letters_of: BTreeSet<String>,
    pub(crate) secrets: BTreeSet<String>,
    pub(crate) mail: bool,
}

/// Builds the functions and asks each binary of these names for its description.
pub(crate) fn of(
    workspace: &Path,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Description>, Error> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "functions", "--bins"])
        .current_dir(workspace)
        .status()?;
    if !built.success() {
        return Err("the functions cannot be built".into());
    }
    let metadata =
        cargo_metadata::MetadataCommand::new().current_dir(workspace).no_deps().exec()?;
    let folder = metadata.target_directory.join("debug");
    let describe = |name: &String| -> Result<(String, Description), Error> {
        let described = Command::new(folder.join(name)).arg("--describe").env_clear().output();
        let described = described.map_err(|error| format!("{name}: {error}"))?;
        let description = serde_json::from_slice(&described.stdout);
        Ok((name.clone(), description.map_err(|error| format!("{name} --describe: {error}"))?))
    };
    names.iter().map(describe).collect()
}
