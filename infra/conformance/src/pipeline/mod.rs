//! `cargo xtask pipeline package` and `cargo xtask pipeline rehearse`: the workflows' steps with
//! ministack instead of AWS.

mod cloudformation;
mod package;
mod rehearsal;
mod workflow;

use std::path::Path;

use clap::Subcommand;
use tooling::Error;

/// The steps that ministack takes part in.
#[derive(Subcommand)]
pub(crate) enum Step {
    /// Packs and uploads a stamped build with `sam deploy`, to ministack instead of AWS, and compares
    /// the uploads with the build.
    Package {
        /// The stage that the build is stamped for: an environment of samconfig.toml.
        stage: String,
    },
    /// Runs the steps of the deployment workflow here, with ministack instead of AWS, and lists the
    /// skipped ones.
    Rehearse(rehearsal::Arguments),
}

/// Runs the command.
///
/// # Errors
///
/// Names the step that fails.
pub(crate) fn run(workspace: &Path, step: &Step) -> Result<(), Error> {
    match step {
        Step::Package { stage } => package::package(workspace, stage),
        Step::Rehearse(arguments) => rehearsal::rehearse(workspace, arguments),
    }
}
