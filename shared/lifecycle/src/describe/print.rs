//! The output of a program that is started with `--describe`.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

/// Whether this build has a description. The branches on this constant are removed before code is
/// generated, so that a deployed program links no description.
const IS_DESCRIBED: bool = cfg!(any(debug_assertions, feature = "describe"));

/// The output of a build without a description.
const UNDESCRIBED: &str = "this build has no description: build it with the dev profile, or with \
                           the feature `describe` of the crate `lambda-lifecycle`";

/// Prints the description, if the program was started with `--describe`; `None` if it was not.
pub(crate) fn printed_if_asked(describe: impl Fn() -> Value) -> Option<ExitCode> {
    if std::env::args().nth(1).is_none_or(|argument| argument != "--describe") {
        return None;
    }
    let printed = if IS_DESCRIBED {
        written(io::stdout(), &format_args!("{:#}", describe()))
    } else {
        // The exit code reports the failure, also if the text cannot be written.
        let _ = written(io::stderr(), &UNDESCRIBED);
        false
    };
    Some(if printed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn written(mut output: impl Write, text: &dyn std::fmt::Display) -> bool {
    writeln!(output, "{text}").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_without_the_argument_prints_no_description() {
        assert!(printed_if_asked(|| unreachable!("nothing asks for it")).is_none());
    }

    #[test]
    fn the_text_is_written_as_a_line() {
        let mut output = Vec::new();
        assert!(written(&mut output, &UNDESCRIBED));
        assert_eq!(output, format!("{UNDESCRIBED}\n").into_bytes());
    }

    #[test]
    fn an_output_that_takes_nothing_is_a_failure() {
        let mut full = [0_u8; 4];
        assert!(!written(&mut full[..], &UNDESCRIBED));
    }
}
