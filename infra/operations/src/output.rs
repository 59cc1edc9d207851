//! The output of the commands.

use std::borrow::Cow;
use std::error::Error;
use std::io::{ErrorKind, Write as _};
use std::{io, iter};

/// Receives the output of a command, line by line.
pub type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Prints a line of a command's output. Control characters are escaped, except for ends of lines and
/// tabs. A command whose output nothing reads any more, as behind `| head`, continues.
///
/// # Panics
///
/// If the output cannot be written for another reason, such as a full disk: it may be the only copy.
pub fn say(line: &str) {
    if let Err(error) = writeln!(io::stdout().lock(), "{}", printable(line)) {
        assert!(error.kind() == ErrorKind::BrokenPipe, "the output cannot be written: {error}");
    }
}

/// A text that cannot control a terminal: messages and items may have been written by an attacker.
fn printable(text: &str) -> Cow<'_, str> {
    let is_control = |one: char| one.is_control() && !matches!(one, '\n' | '\t');
    if !text.contains(is_control) {
        return text.into();
    }
    let shown =
        |one: char| if is_control(one) { one.escape_unicode().to_string() } else { one.into() };
    text.chars().map(shown).collect::<String>().into()
}

/// An error with all its causes.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_message_are_escaped() {
        let body = "{\"a\":\"\u{1b}[2J\u{9b}1A\r\u{8}é\"}\nnext";
        assert_eq!(printable(body), "{\"a\":\"\\u{1b}[2J\\u{9b}1A\\u{d}\\u{8}é\"}\nnext");
        assert_eq!(printable("é\t2 dead letters"), "é\t2 dead letters");
    }
}
