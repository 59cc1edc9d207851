//! What commands hear from whoever types them, what they say, and how they end.

use std::process::ExitCode;

use clap::Parser;

use crate::descriptions::Error;

/// The arguments of a command; where they are none, how it is used has been said.
///
/// # Errors
/// How the process ends: well, where help was asked for.
pub(crate) fn arguments<A: Parser>(given: &[String]) -> Result<A, ExitCode> {
    let name = A::command().get_name().to_owned();
    A::try_parse_from(std::iter::once(&name).chain(given)).map_err(|problem| {
        say(&problem.to_string());
        if problem.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
    })
}

/// Runs a command with its arguments.
pub(crate) fn run<A: Parser>(
    command: &str,
    given: &[String],
    work: impl FnOnce(&A) -> Result<(), Error>,
) -> ExitCode {
    match arguments(given) {
        Ok(arguments) => done(command, work(&arguments)),
        Err(end) => end,
    }
}

pub(crate) fn done(command: &str, result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(command, &error),
    }
}

pub(crate) fn fail(command: &str, error: &Error) -> ExitCode {
    say(&format!("{command}: {error}"));
    ExitCode::FAILURE
}

pub(crate) fn complain(command: &str, complaints: Result<Vec<String>, Error>) -> ExitCode {
    match complaints {
        Ok(complaints) => report(command, &complaints),
        Err(error) => fail(command, &error),
    }
}

pub(crate) fn report(command: &str, complaints: &[String]) -> ExitCode {
    for complaint in complaints {
        say(complaint);
    }
    if complaints.is_empty() {
        say(&format!("{command}: nothing to complain about"));
        ExitCode::SUCCESS
    } else {
        say(&format!("{command}: {} complaints", complaints.len()));
        ExitCode::FAILURE
    }
}

#[expect(clippy::print_stdout, reason = "this is what the commands are for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
