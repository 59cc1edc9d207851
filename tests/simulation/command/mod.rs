//! The command `simulate`: runs seeds, looks whether seeded mistakes are found, or measures hot spots.

mod hotspots;
mod mistakes;
mod seeds;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tooling::terminal::done;

use crate::Main;

/// Runs the store in simulated worlds, and checks it by oracles.
#[derive(Debug, Parser)]
#[command(
    name = "simulate",
    bin_name = "cargo xtask simulate",
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    seeds: seeds::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Hotspots(hotspots::Arguments),
    Mistakes(mistakes::Arguments),
}

/// Reads the command line, and runs the store with these functions.
pub fn run(functions: &[(&'static str, Main)]) -> ExitCode {
    match Arguments::parse() {
        Arguments { command: Some(Command::Hotspots(arguments)), .. } => {
            done("simulate hotspots", hotspots::run(functions, &arguments))
        }
        Arguments { command: Some(Command::Mistakes(arguments)), .. } => {
            done("simulate mistakes", mistakes::run(house::workspace(), &arguments))
        }
        Arguments { command: None, seeds } => done("simulate", seeds::run(functions, &seeds)),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_takes_several_mistakes() {
        Arguments::command().debug_assert();
        let parsed = Arguments::try_parse_from(["simulate", "mistakes", "stock", "credit"]);
        assert!(matches!(parsed.unwrap().command, Some(Command::Mistakes(_))));
        let parsed = Arguments::try_parse_from(["simulate", "hotspots", "--orders", "50"]);
        assert!(matches!(parsed.unwrap().command, Some(Command::Hotspots(_))));
        Arguments::try_parse_from(["simulate", "hotspots", "--seconds", "1"]).unwrap_err();
    }
}
