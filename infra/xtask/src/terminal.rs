//! Arguments, output and exit codes of commands.

use std::process::ExitCode;

use clap::Parser;

use crate::descriptions::Error;

/// The arguments of a command. On bad arguments it prints the usage.
///
/// # Errors
/// The exit code: success if help was requested.
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
        say(&format!("{command}: ok"));
        ExitCode::SUCCESS
    } else {
        say(&format!("{command}: {} problems", complaints.len()));
        ExitCode::FAILURE
    }
}

#[expect(clippy::print_stdout, reason = "commands print their results")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
