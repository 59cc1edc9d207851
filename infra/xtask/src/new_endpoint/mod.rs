//! `cargo xtask new-endpoint`: an endpoint's file, its entry in the template, its ready event, and
//! the two lines by which cargo knows of it.

mod endpoint;
mod entries;
mod skeleton;
mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use local::binaries::cargo;
use local::template::Template;

use self::endpoint::NewEndpoint;
use self::entries::MODEL;
use crate::descriptions::Error;
use crate::process::succeeded;
use crate::{say, terminal};

/// Adds an endpoint for whoever is signed in, which answers what it was asked, and who asked.
#[derive(Parser)]
#[command(name = "cargo xtask new-endpoint", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    endpoint: Option<NewEndpoint>,

    /// Adds one to a copy of the workspace, builds it there, tests it, asks it, and removes it.
    #[arg(long = "try", exclusive = true)]
    trial: bool,
}

/// Runs the command with what follows `new-endpoint` on the command line.
pub(crate) fn run(workspace: &Path, given: &[String]) -> ExitCode {
    terminal::run("new-endpoint", given, |arguments| add_or_try(workspace, arguments))
}

fn add_or_try(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.endpoint {
        Some(endpoint) => add(workspace, endpoint).map(|()| tell_what_is_next(endpoint)),
        None if arguments.trial => trial::run(workspace),
        None => Err("which? new-endpoint NAME METHOD PATH, or --try".into()),
    }
}

/// Writes everything, or nothing where one of the texts cannot be made.
fn add(workspace: &Path, endpoint: &NewEndpoint) -> Result<(), Error> {
    endpoint.check()?;
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    entries::refuse_known(&template, endpoint)?;
    let functions = workspace.join("functions");
    let folder = functions.join(&endpoint.folder);
    let file = folder.join(format!("{}.rs", endpoint.name));
    if file.exists() {
        return Err(format!("{} exists", file.display()).into());
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

/// How a file comes to know of an endpoint, given the neighbour that it is to stand behind.
type Extension = fn(&str, &NewEndpoint, &str) -> Result<String, Error>;

/// How an example becomes one of another endpoint.
type Example = fn(&str, &NewEndpoint) -> Result<String, Error>;

/// The function that is the last of its folder in the template, by its binary's name.
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
        "functions/{folder}/{name}.rs answers {}, and the template, infra/alarms.yaml,
functions/Cargo.toml and functions/lib.rs know of it; tests/events/{name}.json asks it, and
tests/recorded/{name}.json is what it answers. What is next:

  cargo local --demo      builds it and has it answer whoever is signed in
  cargo test -p functions {name}
  cargo xtask openapi     describes it in infra/openapi.json
  cargo xtask drift       whether the template says what it does, after each change of either

infra/docs/ADD_AN_ENDPOINT.md tells how to go on from there.",
        endpoint.route_key()
    ));
}
