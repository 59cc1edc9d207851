//! `cargo xtask new-endpoint` and `new-consumer`: write the file of a function and its examples, and
//! run `cargo xtask codegen`.

mod consumer;
mod endpoint;
mod examples;
mod names;
mod skeleton;
mod trial;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use emulator::binaries::cargo;
use sam_template::Template;

use self::consumer::NewConsumer;
use self::endpoint::NewEndpoint;
use crate::descriptions::Error;
use crate::process::succeeded;
use crate::{codegen, say, terminal};

/// Adds an endpoint for signed-in callers. Its response has the path parameters and the caller's
/// name.
#[derive(Parser)]
#[command(name = "cargo xtask new-endpoint", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    endpoint: Option<NewEndpoint>,

    /// Adds two endpoints and a consumer to a copy of the workspace, builds, tests and calls them
    /// there, and deletes the copy.
    #[arg(long = "try", exclusive = true)]
    trial: bool,
}

/// Runs the command with the arguments after `new-endpoint`.
pub(crate) fn run(workspace: &Path, given: &[String]) -> ExitCode {
    terminal::run("new-endpoint", given, |arguments| add_or_try(workspace, arguments))
}

/// Runs the command with the arguments after `new-consumer`.
pub(crate) fn run_consumer(workspace: &Path, given: &[String]) -> ExitCode {
    terminal::run("new-consumer", given, |consumer: &NewConsumer| {
        create_consumer(workspace, consumer)?;
        codegen::write(workspace)?;
        tell_what_is_next(&consumer.folder, &consumer.name);
        Ok(())
    })
}

fn add_or_try(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let endpoint = match &arguments.endpoint {
        Some(endpoint) => endpoint,
        None if arguments.trial => return trial::run(workspace),
        None => return Err("expected new-endpoint NAME METHOD PATH, or --try".into()),
    };
    create_endpoint(workspace, endpoint)?;
    codegen::write(workspace)?;
    tell_what_is_next(&endpoint.folder, &endpoint.name);
    Ok(())
}

/// Writes the file and the examples of an endpoint, and registers it with cargo.
fn create_endpoint(workspace: &Path, endpoint: &NewEndpoint) -> Result<(), Error> {
    endpoint.check()?;
    endpoint.refuse_known_route(&template_without(workspace, &endpoint.name)?)?;
    let event = examples::event(&example(workspace, "events", examples::ENDPOINT)?, endpoint)?;
    let recorded = example(workspace, "recorded", examples::ENDPOINT)?;
    let recorded = examples::recorded(&recorded, endpoint)?;
    let examples = [("events", event), ("recorded", recorded)];
    create(workspace, &endpoint.folder, &endpoint.name, &skeleton::filled(endpoint), &examples)
}

/// Writes the file and the event of a consumer, and registers it with cargo.
fn create_consumer(workspace: &Path, consumer: &NewConsumer) -> Result<(), Error> {
    consumer.check()?;
    consumer.refuse_known_queue(&template_without(workspace, &consumer.name)?)?;
    let event = examples::message(&example(workspace, "events", examples::CONSUMER)?, consumer)?;
    let text = skeleton::consumer(consumer);
    create(workspace, &consumer.folder, &consumer.name, &text, &[("events", event)])
}

fn create(
    workspace: &Path,
    folder: &str,
    name: &str,
    text: &str,
    examples: &[(&str, String)],
) -> Result<(), Error> {
    let folder = workspace.join("functions").join(folder);
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()).into());
    }
    let file = folder.join(format!("{name}.rs"));
    if file.exists() {
        return Err(format!("{} already exists", file.display()).into());
    }
    fs_err::write(file, text)?;
    for (kind, example) in examples {
        let path = workspace.join("tests").join(kind).join(format!("{name}.json"));
        fs_err::write(path, example)?;
    }
    codegen::register(workspace)?;
    succeeded(cargo(workspace).args(["fmt", "--package", "functions"]))
}

/// The template, which must not have a function of this name.
fn template_without(workspace: &Path, name: &str) -> Result<Template, Error> {
    let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
    if template.binaries().contains(name) {
        return Err(format!("there is already a function {name}").into());
    }
    Ok(template)
}

/// The text of an existing function's example.
fn example(workspace: &Path, kind: &str, function: &str) -> Result<String, Error> {
    let folder = workspace.join("tests").join(kind);
    Ok(fs_err::read_to_string(folder.join(format!("{function}.json")))?)
}

fn tell_what_is_next(folder: &str, name: &str) {
    say(&format!(
        "functions/{folder}/{name}.rs is the function, and tests/events/{name}.json its event. `cargo
xtask codegen` has written its parts of the template, the alarms and functions. Next steps:

  cargo local --demo      builds and serves it
  cargo test -p functions {name}
  cargo xtask codegen     writes the parts again, after each change of a declaration
  cargo xtask openapi     describes endpoints in infra/openapi.json

infra/docs/ADD_AN_ENDPOINT.md describes the next steps."
    ));
}
