//! `cargo xtask new-endpoint` and `new-consumer`: write the file of a function and its examples, and
//! run `cargo xtask codegen`.

mod consumer;
mod create;
mod endpoint;
mod examples;
mod names;
mod skeleton;
mod trial;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tooling::{Error, say, terminal};

use self::consumer::NewConsumer;
use self::endpoint::NewEndpoint;
use crate::codegen;

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
        create::consumer(workspace, consumer)?;
        codegen::write(workspace)?;
        print_next_steps(&consumer.folder, &consumer.name);
        Ok(())
    })
}

fn add_or_try(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let endpoint = match &arguments.endpoint {
        Some(endpoint) => endpoint,
        None if arguments.trial => return trial::run(workspace),
        None => return Err("expected new-endpoint NAME METHOD PATH, or --try".into()),
    };
    create::endpoint(workspace, endpoint)?;
    codegen::write(workspace)?;
    print_next_steps(&endpoint.folder, &endpoint.name);
    Ok(())
}

fn print_next_steps(folder: &str, name: &str) {
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
