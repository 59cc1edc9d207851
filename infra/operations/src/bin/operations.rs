//! Operators' commands for the service whose resources the environment names.

use std::process::ExitCode;

use clap::Parser;
use operations::{Command, environment, finish, queues_in, say};

#[derive(Debug, Parser)]
#[command(name = "operations", about = "Operators' commands.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let queues = queues_in(std::env::vars().map(|(name, _)| name));
    finish(command.run(&queues, environment, &say))
}
