//! Arguments, output and exit codes of commands.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use clap::Parser;

use crate::context::Error;

/// The arguments of a command. On bad arguments it prints the usage.
///
/// # Errors
/// The exit code: success if help was requested.
pub fn arguments<A: Parser>(given: &[String]) -> Result<A, ExitCode> {
    let name = A::command().get_name().to_owned();
    A::try_parse_from(std::iter::once(&name).chain(given)).map_err(|problem| {
        say(&problem.to_string());
        if problem.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
    })
}

/// Runs a command with its arguments.
pub fn run<A: Parser>(
    command: &str,
    given: &[String],
    work: impl FnOnce(&A) -> Result<(), Error>,
) -> ExitCode {
    match arguments(given) {
        Ok(arguments) => done(command, work(&arguments)),
        Err(end) => end,
    }
}

/// The exit code of a command's result. Prints an error.
pub fn done(command: &str, result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(command, &error),
    }
}

/// Prints the error of a command, and returns the exit code of a failure.
pub fn fail(command: &str, error: &Error) -> ExitCode {
    say(&format!("{command}: {error}"));
    ExitCode::FAILURE
}

/// The exit code of a check, which succeeds without complaints. Prints them.
pub fn complain(command: &str, complaints: Result<Vec<String>, Error>) -> ExitCode {
    match complaints {
        Ok(complaints) => report(command, &complaints),
        Err(error) => fail(command, &error),
    }
}

/// Prints the complaints of a check and their number, and returns its exit code.
pub fn report(command: &str, complaints: &[String]) -> ExitCode {
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

/// Prints a line. A command whose output nothing reads any more, as behind `| head`, continues.
///
/// # Panics
///
/// If the output cannot be written for another reason, such as a full disk.
pub fn say(line: &str) {
    if let Err(error) = writeln!(io::stdout().lock(), "{line}") {
        assert!(error.kind() == ErrorKind::BrokenPipe, "the output cannot be written: {error}");
    }
}
