//! `cargo xtask pipeline`: the steps that the workflows in `.github/workflows` call. A rehearsal of the
//! workflows on this machine is in the crate `conformance`.

mod build;
mod stage;

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tooling::terminal::done;

use crate::programs::{self, Passed};

/// Runs or rehearses the steps of the workflows.
#[derive(Args)]
pub(crate) struct Arguments {
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
    #[command(disable_help_flag = true)]
    Package(Passed),
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
    #[command(disable_help_flag = true)]
    Rehearse(Passed),
}

/// Runs the command.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> ExitCode {
    let ended = match &arguments.step {
        Step::Build => build::build(workspace),
        Step::Account { stage } => stage::check_account(workspace, stage),
        Step::Deploy { stage } => stage::deploy(workspace, stage),
        Step::Seed { stage } => stage::seed(workspace, stage),
        Step::Test { stage } => stage::test(workspace, stage),
        Step::Package(passed) => {
            return programs::run_instead("conformance", &["pipeline", "package"], passed);
        }
        Step::Rehearse(passed) => {
            return programs::run_instead("conformance", &["pipeline", "rehearse"], passed);
        }
    };
    done("pipeline", ended)
}
