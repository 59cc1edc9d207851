//! Checks of the running API by other projects' tools and emulators, and by the local platform. They
//! are commands of `cargo xtask`, which runs this program.

mod clients;
mod cost;
mod demo_items;
mod ministack;
mod new_endpoints;
mod new_service;
mod pipeline;
mod sam;
mod schemathesis;
mod trace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use house::workspace;
use tooling::terminal::{complain, done};

/// Checks of the running API.
#[derive(Parser)]
#[command(name = "conformance", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Ministack(ministack::Arguments),
    /// Runs our functions with SAM's tools.
    Sam {
        #[command(subcommand)]
        check: sam::Check,
    },
    Clients(clients::Arguments),
    DocsPage(clients::PageArguments),
    Console(clients::ConsoleArguments),
    ConsoleShots(clients::ShotsArguments),
    Schemathesis(schemathesis::Arguments),
    /// Checks one order's trace, from the request to the mail, in a third-party OTLP receiver.
    Trace,
    Cost(cost::Arguments),
    /// Runs or rehearses the steps of the workflows.
    Pipeline {
        #[command(subcommand)]
        step: pipeline::Step,
    },
    NewEndpoints(new_endpoints::Arguments),
    NewService(new_service::Arguments),
    /// Prints the demo's users and products.
    DemoItems,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Ministack(arguments) => {
            complain("ministack", ministack::run(workspace(), &arguments))
        }
        Command::Sam { check } => done("sam", sam::run(workspace(), check)),
        Command::Clients(arguments) => done("clients", clients::run(workspace(), &arguments)),
        Command::DocsPage(arguments) => {
            done("docs-page", clients::run_page(workspace(), &arguments))
        }
        Command::Console(arguments) => {
            done("console", clients::run_console(workspace(), &arguments))
        }
        Command::ConsoleShots(arguments) => {
            done("console-shots", clients::run_console_shots(workspace(), &arguments))
        }
        Command::Schemathesis(arguments) => {
            done("schemathesis", schemathesis::run(workspace(), &arguments))
        }
        Command::Trace => done("trace", trace::run(workspace())),
        Command::Cost(arguments) => done("cost", cost::run(workspace(), &arguments)),
        Command::Pipeline { step } => done("pipeline", pipeline::run(workspace(), &step)),
        Command::NewEndpoints(arguments) => done("new-endpoints", new_endpoints::run(&arguments)),
        Command::NewService(arguments) => done("new-service", new_service::run(&arguments)),
        Command::DemoItems => done("demo-items", demo_items::run()),
    }
}
