//! `cargo xtask new-endpoint`: writes an endpoint's file, its template entry and its test event,
//! and registers it with cargo.

mod endpoint;
mod entries;
mod skeleton;
mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use sam_template::Template;
use tooling::process::succeeded;
use tooling::{Error, cargo, say, terminal};

use self::endpoint::NewEndpoint;
use self::entries::MODEL;

/// Adds an endpoint for signed-in callers. Its response has the path parameters and the caller's
/// name.
#[derive(Parser)]
#[command(name = "cargo xtask new-endpoint", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    endpoint: Option<NewEndpoint>,

    /// Adds endpoints to a copy of the workspace, builds, tests and calls them there, and deletes
    /// the copy.
    #[arg(long = "try", exclusive = true)]
    trial: bool,
}

/// Runs the command with the arguments after `new-endpoint`.
pub(crate) fn run(workspace: &Path, given: &[String]) -> ExitCode {
    terminal::run("new-endpoint", given, |arguments| add_or_try(workspace, arguments))
}

fn add_or_try(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.endpoint {
        Some(endpoint) => add(workspace, endpoint).map(|()| tell_what_is_next(endpoint)),
        None if arguments.trial => trial::run(workspace),
        None => Err("expected new-endpoint NAME METHOD PATH, or --try".into()),
    }
}

/// Writes all files, or none if one of them cannot be built.
fn add(workspace: &Path, endpoint: &NewEndpoint) -> Result<(), Error> {
    endpoint.check()?;
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    entries::refuse_known(&template, endpoint)?;
    let functions = workspace.join("functions");
    let folder = functions.join(&endpoint.folder);
    let file = folder.join(format!("{}.rs", endpoint.name));
    if file.exists() {
        return Err(format!("{} already exists", file.display()).into());
    }
    let neighbour = last_of(&template, &folder);
    let neighbour = neighbour.ok_or_else(|| format!("{} has no function", folder.display()))?;
    let extended = |path: PathBuf, by: Extension| -> Result<(PathBuf, String), Error> {
        let text = by(&fs_err::read_to_string(&path)?, endpoint, neighbour)?;
        Ok((path, text))
    };
    let made_after_model = |folder: &str, by: Example| -> Result<(PathBuf, String), Error> {
        let folder = workspace.join("tests").join(folder);
        let model = fs_err::read_to_string(folder.join(format!("{MODEL}.json")))?;
        Ok((folder.join(format!("{}.json", endpoint.name)), by(&model, endpoint)?))
    };
    let written = [
        extended(workspace.join("template.yaml"), entries::in_template)?,
        extended(workspace.join("infra/alarms.yaml"), entries::in_alarms)?,
        extended(functions.join("Cargo.toml"), entries::in_manifest)?,
        extended(functions.join("lib.rs"), entries::in_library)?,
        made_after_model("events", entries::event)?,
        made_after_model("recorded", entries::recorded)?,
        (file, skeleton::filled(endpoint)),
    ];
    for (path, text) in written {
        fs_err::write(path, text)?;
    }
    format(workspace)
}

/// Adds an endpoint's entry to a file, after its neighbour's.
type Extension = fn(&str, &NewEndpoint, &str) -> Result<String, Error>;

/// Changes the model's example to one of the endpoint.
type Example = fn(&str, &NewEndpoint) -> Result<String, Error>;

/// The last function of a folder in the template, by its binary's name.
fn last_of<'a>(template: &'a Template, folder: &Path) -> Option<&'a str> {
    let mut binaries = template.functions.values().map(|function| function.binary.as_str());
    binaries.rfind(|binary| folder.join(format!("{binary}.rs")).is_file())
}

fn format(workspace: &Path) -> Result<(), Error> {
    succeeded(cargo(workspace).args(["fmt", "--package", "functions"]))
}

fn tell_what_is_next(endpoint: &NewEndpoint) {
    let NewEndpoint { name, folder, .. } = endpoint;
    say(&format!(
        "functions/{folder}/{name}.rs implements {}. The template, infra/alarms.yaml,
functions/Cargo.toml and functions/lib.rs have its entries. tests/events/{name}.json is its event,
and tests/recorded/{name}.json its response. Next steps:

  cargo local --demo      builds and serves it for signed-in callers
  cargo test -p functions {name}
  cargo xtask openapi     describes it in infra/openapi.json
  cargo xtask drift       checks the template against it, after each change of either

infra/docs/ADD_AN_ENDPOINT.md describes the next steps.",
        endpoint.route_key()
    ));
}
