//! The programs of other crates, as commands of this one: so that this program stays quick to build.

use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use house::program_of;
use tooling::terminal::fail;

/// The arguments of another program, unread.
#[derive(clap::Args)]
pub(crate) struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Passed {
    /// The arguments, as given.
    pub(crate) fn all(&self) -> &[String] {
        &self.arguments
    }
}

/// Runs the program of a package in place of this one, with these arguments: it gets this process's
/// folder and signals, and its exit code is this process's. Returns only if it cannot be started.
pub(crate) fn run_instead(package: &str, first: &[&str], passed: &Passed) -> ExitCode {
    let mut program = program_of(package);
    if let Ok(here) = std::env::current_dir() {
        program.current_dir(here);
    }
    let error = program.args(first).args(passed.all()).exec();
    fail(package, &error.into())
}
