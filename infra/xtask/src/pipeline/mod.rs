//! `cargo xtask pipeline`: the steps that the workflows in `.github/workflows` call, and a rehearsal of
//! the workflows on this machine.

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
    /// Builds all functions and the tests once, and packs them into one file for all stages.
    Build,
    /// Checks that the credentials are for the stage's account, which `AWS_ACCOUNT_ID` names.
    Account {
        /// The stage: an environment of samconfig.toml.
        stage: String,
    },
    /// Deploys the build to a stage.
    Deploy {
        /// The stage: an environment of samconfig.toml.
        stage: String,
    },
    /// Packs and uploads a stamped build with `sam deploy`, to ministack instead of AWS, and compares
    /// the uploads with the build.
    Package {
        /// The stage that the build is stamped for: an environment of samconfig.toml.
        stage: String,
    },
    /// Puts the demo's users and products into the tables of dev, for the tests.
    Seed {
        /// The stage: dev.
        stage: String,
    },
    /// Runs the API's tests against a stage: all tests against dev, and against other stages the tests
    /// that need no account and change nothing.
    Test {
        /// The stage: an environment of samconfig.toml.
        stage: String,
    },
    /// Runs the steps of the deployment workflow here, with ministack instead of AWS, and lists the
    /// skipped ones.
    Rehearse(rehearsal::Arguments),
}

/// Runs the command with the arguments after `pipeline`.
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
