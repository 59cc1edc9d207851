//! House checks and operators' commands: `cargo xtask tidy`.

mod aws_cli;
mod cost;
mod deploy;
mod examples;
mod fuzz;
mod limits;
mod lines;
mod openapi_lint;
mod pipeline;
mod programs;
mod publish;
mod rollback;
mod supply;
mod switch;
mod template;
mod tidy;
mod trial;
mod trial_service;
mod without_library;
mod words;
mod workflows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use house::{samconfig, tools, workspace};
use tooling::Error;
use tooling::terminal::{complain, done, report, say};

use self::programs::{Passed, run_instead};

/// House checks and operators' commands.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the house rules that no compiler checks.
    Tidy,
    /// Checks the expanded templates by cfn-lint and our own rules.
    Template {
        #[command(subcommand)]
        expand: Option<Template>,
    },
    Stamp(template::release::Arguments),
    /// Adds two endpoints and a consumer to a copy of the workspace, builds, tests and calls them
    /// there, and deletes the copy.
    TryNewFunctions,
    /// Makes a new service, tests it, adds an endpoint and calls it on the local platform.
    TryNewService,
    /// Writes the index of infra/examples.
    Examples {
        /// Compares it with the examples instead.
        #[arg(long)]
        check: bool,
    },
    /// Deploys to an independent emulator and runs the API's tests there.
    #[command(disable_help_flag = true)]
    Ministack(Passed),
    /// Measures our functions against bare ones, and requests through the local platform.
    #[command(disable_help_flag = true)]
    Bench(Passed),
    Cost(cost::Arguments),
    Words(words::Arguments),
    Lines(lines::Arguments),
    /// Lints the workflows of .github and their template.
    Workflows,
    /// Checks licences, sources and advisories of linked crates, and lists them.
    SupplyChain {
        /// Makes an unavailable database of advisories an error.
        #[arg(long)]
        advisories: bool,
    },
    Publishable(publish::Arguments),
    Pipeline(pipeline::Arguments),
    Deploy(deploy::Arguments),
    Rollback(rollback::Arguments),
    SwitchTable(switch::Arguments),
    /// Runs our functions with SAM's tools.
    #[command(disable_help_flag = true)]
    Sam(Passed),
    /// Lints infra/openapi.json with Redocly's linter.
    OpenapiLint,
    /// Generates clients, and runs a scenario with each.
    #[command(disable_help_flag = true)]
    Clients(Passed),
    /// Tests the documentation page in a browser.
    #[command(disable_help_flag = true)]
    DocsPage(Passed),
    /// Tests the emulator's console in a browser; `--cost` measures the cost of an open one.
    #[command(disable_help_flag = true)]
    Console(Passed),
    /// Makes screenshots of the emulator's console.
    #[command(disable_help_flag = true)]
    ConsoleShots(Passed),
    Fuzz(fuzz::Arguments),
    /// Runs schemathesis against the local API.
    #[command(disable_help_flag = true)]
    Schemathesis(Passed),
    /// Checks one order's trace, from the request to the mail, in a third-party OTLP receiver.
    #[command(disable_help_flag = true)]
    Trace(Passed),
    /// Runs the store in simulated worlds, and checks it by oracles.
    #[command(disable_help_flag = true)]
    Simulate(Passed),
    /// Operators' commands for a running system.
    #[command(disable_help_flag = true)]
    Ops(Passed),
    /// Installs the tools of infra/tools/LIST.txt and prints their folder.
    Tools {
        /// The name of the list.
        list: String,
    },
}

#[derive(Subcommand)]
enum Template {
    /// Writes the expanded template.yaml to target/template.json.
    Expand {
        /// A value that replaces a parameter's default, as `Name=value`.
        #[arg(long = "parameter", value_parser = samconfig::pair)]
        parameters: Vec<(String, String)>,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Tidy => report("tidy", &tidy::complaints(workspace())),
        Command::Template { expand: None } => {
            complain("template", template::complaints(workspace()))
        }
        Command::Template { expand: Some(Template::Expand { parameters }) } => {
            let parameters = parameters.into_iter().collect();
            let written = template::write_expanded(workspace(), &parameters);
            done("template", say_path(written))
        }
        Command::Stamp(arguments) => done("stamp", template::release::run(workspace(), &arguments)),
        Command::TryNewFunctions => done("try-new-functions", trial::run(workspace())),
        Command::TryNewService => done("try-new-service", trial_service::run(workspace())),
        Command::Examples { check: true } => {
            complain("examples", examples::complaints(workspace()))
        }
        Command::Examples { check: false } => done("examples", examples::write(workspace())),
        Command::Cost(arguments) => cost::run(workspace(), &arguments),
        Command::Words(arguments) => done("words", words::run(workspace(), &arguments)),
        Command::Lines(arguments) => done("lines", lines::run(workspace(), &arguments)),
        Command::Workflows => complain("workflows", workflows::complaints(workspace())),
        Command::SupplyChain { advisories } => {
            done("supply-chain", supply::check(workspace(), advisories))
        }
        Command::Publishable(arguments) => {
            complain("publishable", publish::complaints(workspace(), &arguments))
        }
        Command::Pipeline(arguments) => pipeline::run(workspace(), &arguments),
        Command::Deploy(arguments) => done("deploy", deploy::run(workspace(), &arguments)),
        Command::Rollback(arguments) => done("rollback", rollback::run(workspace(), &arguments)),
        Command::SwitchTable(arguments) => {
            done("switch-table", switch::run(workspace(), &arguments))
        }
        Command::OpenapiLint => done("openapi-lint", openapi_lint::lint(workspace())),
        Command::Tools { list } => done("tools", say_path(tools::installed(workspace(), &list))),
        Command::Bench(passed) => run_instead("bench", &[], &passed),
        Command::Simulate(passed) => run_instead("simulate", &[], &passed),
        Command::Ops(passed) => run_instead("ops", &[], &passed),
        Command::Ministack(passed) => run_instead("conformance", &["ministack"], &passed),
        Command::Sam(passed) => run_instead("conformance", &["sam"], &passed),
        Command::Clients(passed) => run_instead("conformance", &["clients"], &passed),
        Command::DocsPage(passed) => run_instead("conformance", &["docs-page"], &passed),
        Command::Console(passed) => run_instead("conformance", &["console"], &passed),
        Command::ConsoleShots(passed) => run_instead("conformance", &["console-shots"], &passed),
        Command::Fuzz(arguments) => done("fuzz", fuzz::run(workspace(), &arguments)),
        Command::Schemathesis(passed) => run_instead("conformance", &["schemathesis"], &passed),
        Command::Trace(passed) => run_instead("conformance", &["trace"], &passed),
    }
}

fn say_path(path: Result<PathBuf, Error>) -> Result<(), Error> {
    path.map(|path| say(&path.display().to_string()))
}
