//! `lambda-emulator`: runs the API of a SAM template on this machine.

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use emulator::NoApplication;
use emulator::command::Command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the API of a SAM template on this machine: the gateway, the functions, tables, queues,
/// secrets, mail and schedules. Builds the functions with cargo. Ctrl-C ends it.
#[derive(Debug, Parser)]
#[command(name = "lambda-emulator", version)]
struct Arguments {
    #[command(flatten)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command } = read(&parser().get_matches());
    command.run(&NoApplication, || ()).await
}

/// The parser, without the option that only an application gives a meaning.
fn parser() -> clap::Command {
    Arguments::command().mut_arg("demo", |demo| demo.hide(true))
}

fn read(matches: &ArgMatches) -> Arguments {
    Arguments::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_the_options_of_a_platform_without_the_demo() {
        parser().debug_assert();
        let help = parser().render_help().to_string();
        for expected in [
            "--template",
            "doctor",
            "trace",
            #[cfg(feature = "mcp")]
            "mcp",
        ] {
            assert!(help.contains(expected), "{expected}: {help}");
        }
        assert!(!help.contains("--demo"), "{help}");
    }

    #[test]
    fn options_and_subcommands_are_read() {
        for given in [
            &["lambda-emulator", "--template", "sam.yaml", "--port", "0", "doctor"][..],
            &["lambda-emulator", "trace", "last", "--follow"],
            &["lambda-emulator", "trace", "a1", "--json", "--control", "http://localhost:4001"],
            #[cfg(feature = "mcp")]
            &["lambda-emulator", "mcp", "--control", "http://localhost:4001"],
        ] {
            let arguments = read(&parser().try_get_matches_from(given).unwrap());
            assert!(!arguments.command.has_demo());
        }
        assert!(parser().try_get_matches_from(["lambda-emulator", "start"]).is_err());
    }

    #[test]
    fn an_unknown_option_is_an_error_with_a_similar_one() {
        let given = ["lambda-emulator", "--prot", "3100"];
        let error = parser().try_get_matches_from(given).unwrap_err().to_string();
        assert!(error.contains("'--prot'") && error.contains("'--port'"), "{error}");
    }
}
