//! `cargo xtask pipeline`: the steps of the workflows in `.github/workflows`, which call them by this
//! name, and their rehearsal on this machine.

mod build;
mod cloudformation;
mod package;
mod rehearsal;
mod stage;
mod workflow;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::terminal;

/// The steps of the workflows.
#[derive(Parser)]
#[command(name = "cargo xtask pipeline")]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// Builds all functions and the tests once, and packs what the stages deploy into one file.
    Build,
    /// Whether the credentials are for the stage's account, which `AWS_ACCOUNT_ID` names.
    Account {
        /// The stage: an environment of samconfig.toml.
        stage: String,
    },
    /// Deploys to a stage what was built.
    Deploy {
        /// The stage: an environment of samconfig.toml.
        stage: String,
    },
    /// Packs and uploads a stamped build as `sam deploy` does, to ministack in the place of AWS, and
    /// compares what AWS would be handed with what was built.
    Package {
        /// The stage that the build is stamped for: an environment of samconfig.toml.
        stage: String,
    },
    /// Puts the people and products of the demo into the tables of dev, for the tests.
    Seed {
        /// The stage: dev.
        stage: String,
    },
    /// Runs the API's tests against a stage: all of them against dev, and elsewhere those that need
    /// nobody's account and change nothing.
    Test {
        /// The stage: an environment of samconfig.toml.
        stage: String,
    },
    /// Runs the steps of the deployment's workflow here, with ministack in the place of AWS, and says
    /// which it skips.
    Rehearse(rehearsal::Arguments),
}

/// Runs the command with what follows `pipeline` on the command line.
pub(crate) fn run(workspace: &Path, given: &[String]) -> ExitCode {
    terminal::run("pipeline", given, |arguments: &Arguments| match &arguments.step {
        Step::Build => build::build(workspace),
        Step::Account { stage } => stage::check_account(workspace, stage),
        Step::Deploy { stage } => stage::deploy(workspace, stage),
        Step::Package { stage } => package::package(workspace, stage),
        Step::Seed { stage } => stage::seed(workspace, stage),
        Step::Test { stage } => stage::test(workspace, stage),
        Step::Rehearse(arguments) => rehearsal::rehearse(workspace, arguments),
    })
}
