//! The output of the commands.

use std::error::Error;
use std::iter;

/// Receives the output of a command, line by line.
pub type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Prints a line of a command's output.
#[expect(clippy::print_stdout, reason = "this is what the commands are for")]
pub fn say(line: &str) {
    println!("{line}");
}

/// An error with all its causes.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}
