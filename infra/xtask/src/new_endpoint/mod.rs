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
        let created = create::consumer(workspace, consumer)?;
        let test = format!("cargo test -p functions {}", consumer.name);
        say(&report(&created, &codegen::written(workspace)?, &test));
        Ok(())
    })
}

fn add_or_try(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let endpoint = match &arguments.endpoint {
        Some(endpoint) => endpoint,
        None if arguments.trial => return trial::run(workspace),
        None => return Err("expected new-endpoint NAME METHOD PATH, or --try".into()),
    };
    let created = create::endpoint(workspace, endpoint)?;
    say(&report(&created, &codegen::written(workspace)?, "cargo local --demo"));
    Ok(())
}

/// The written files, and the next command.
fn report(created: &[String], generated: &[&str], next: &str) -> String {
    let created = created.iter().map(|path| format!("  {path}\n"));
    let generated = generated.iter().map(|path| format!("  {path} (generated parts)\n"));
    let files: String = created.chain(generated).collect();
    format!(
        "Written:\n{files}\nNext:\n  {next}\n\ninfra/docs/ADD_AN_ENDPOINT.md has the steps after it."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_names_each_written_file_and_the_next_command() {
        let created = ["functions/people/get_greeting.rs", "functions/lib.rs"].map(str::to_owned);
        let report = report(&created, &["template.yaml"], "cargo local --demo");
        let lines: Vec<&str> = report.lines().map(str::trim).collect();
        let expected = [
            "Written:",
            "functions/people/get_greeting.rs",
            "functions/lib.rs",
            "template.yaml (generated parts)",
            "",
            "Next:",
            "cargo local --demo",
            "",
        ];
        assert_eq!(lines[..expected.len()], expected);
    }
}
