//! `cargo lifecycle`: generators and checks for a service.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use cargo_lifecycle::new_endpoint::{NewConsumer, NewEndpoint};
use cargo_lifecycle::new_service::{self, NewService};
use cargo_lifecycle::{Location, Service, codegen, drift, new_endpoint, openapi, privileges};
use clap::{Parser, Subcommand};
use tooling::Error;
use tooling::context::Context;
use tooling::terminal::{complain, done, fail};

/// Generators and checks for a service whose functions describe themselves.
#[derive(Parser)]
#[command(name = "cargo-lifecycle", bin_name = "cargo lifecycle")]
struct Arguments {
    /// A folder in the workspace. The current one by default.
    #[arg(long, global = true, value_name = "DIR")]
    workspace: Option<PathBuf>,

    /// The template. By default it is template.yaml, or else template.yml, next to the workspace's
    /// Cargo.toml.
    #[arg(long, global = true, value_name = "FILE")]
    template: Option<PathBuf>,

    /// The functions' package. By default it is the only one with binaries, or else the only one with
    /// a binary that the template names.
    #[arg(long, global = true, value_name = "NAME")]
    package: Option<String>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a service that runs at once: a query, a command and a consumer, with their tests.
    NewService(NewService),
    #[command(flatten)]
    OfService(OfService),
}

// The commands that work on a service. A doc comment here would replace the program's description.
#[derive(Subcommand)]
enum OfService {
    /// Writes the generated parts of the template, and of the files that the settings name.
    Codegen {
        /// Compares them with the functions instead.
        #[arg(long)]
        check: bool,
        /// Reads the functions as last built, for instance by `cargo test`.
        #[arg(long, requires = "check")]
        no_build: bool,
    },
    /// Compares the hand-written parts of the template with the functions.
    Drift {
        /// Reads the functions as last built, for instance by `cargo test`.
        #[arg(long)]
        no_build: bool,
    },
    /// Writes the `OpenAPI` document from the functions' descriptions.
    Openapi {
        /// Compares the document with the descriptions instead.
        #[arg(long)]
        check: bool,
        /// The document. By default it is the setting `openapi.document`.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
        /// Reads the functions as last built, for instance by `cargo test`.
        #[arg(long)]
        no_build: bool,
    },
    /// Removes each permission from its function; a test has to fail. The settings `privileges.table`
    /// and `privileges.test` name the result and the tests.
    Privileges {
        /// Only compares the table of permissions with the template.
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        part: privileges::Part,
    },
    /// Adds an endpoint whose response has the path's parameters.
    NewEndpoint(NewEndpoint),
    /// Adds a consumer of a new queue.
    NewConsumer(NewConsumer),
}

impl OfService {
    fn needs_no_build(&self) -> bool {
        match self {
            Self::Codegen { no_build, .. }
            | Self::Drift { no_build }
            | Self::Openapi { no_build, .. } => *no_build,
            Self::Privileges { .. } | Self::NewEndpoint(_) | Self::NewConsumer(_) => false,
        }
    }
}

fn main() -> ExitCode {
    let Arguments { workspace, template, package, command } =
        Arguments::parse_from(without_own_name(std::env::args_os()));
    let command = match command {
        Command::NewService(new) => return done("new-service", new_service::create(&new)),
        Command::OfService(command) => command,
    };
    match Service::find(&Location { workspace, template, package }) {
        Ok(service) if command.needs_no_build() => run(&service.without_building(), command),
        Ok(service) => run(&service, command),
        Err(error) => fail("cargo lifecycle", &error),
    }
}

/// The arguments without the command's own name, which cargo puts first: `cargo lifecycle drift` runs
/// `cargo-lifecycle lifecycle drift`.
fn without_own_name(given: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let given = given.enumerate();
    let given = given.filter(|(place, argument)| *place != 1 || argument != "lifecycle");
    given.map(|(_, argument)| argument)
}

fn run(service: &Service, command: OfService) -> ExitCode {
    match command {
        OfService::Codegen { check: false, .. } => done("codegen", codegen::write(service)),
        OfService::Codegen { check: true, .. } => complain("codegen", codegen::complaints(service)),
        OfService::Drift { .. } => complain("drift", drift::complaints(service)),
        OfService::Openapi { check, document, .. } => match openapi::place(service, document) {
            Ok(place) if check => complain("openapi", openapi::complaints(service, &place)),
            place => done("openapi", place.and_then(|place| openapi::write(service, &place))),
        },
        OfService::Privileges { check: true, .. } => {
            complain("privileges", privileges::complaints(service))
        }
        OfService::Privileges { check: false, part } => {
            complain("privileges", privileges::prove(service, &part))
        }
        OfService::NewEndpoint(new) => {
            done("new-endpoint", added(service, |service| new_endpoint::endpoint(service, &new)))
        }
        OfService::NewConsumer(new) => {
            done("new-consumer", added(service, |service| new_endpoint::consumer(service, &new)))
        }
    }
}

/// Writes a function and its declarations, and prints the next steps.
fn added(
    service: &Service,
    create: impl FnOnce(&Service) -> Result<new_endpoint::Created, Error>,
) -> Result<(), Error> {
    let created = create(service)?;
    let service = service.again()?;
    codegen::write(&service).context(|| {
        let files: Vec<String> = created.files.iter().map(|file| service.name_of(file)).collect();
        let files = files.join(", ");
        format!(
            "{files} written, but no declarations: run `cargo lifecycle codegen` after the remedy"
        )
    })?;
    new_endpoint::print_next_steps(&service, &created);
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parsed(given: &str) -> Arguments {
        let given = given.split(' ').map(OsString::from);
        Arguments::try_parse_from(without_own_name(given)).unwrap()
    }

    #[test]
    fn the_command_is_the_same_with_and_without_cargo() {
        Arguments::command().debug_assert();
        for given in
            ["cargo-lifecycle lifecycle codegen --check", "cargo-lifecycle codegen --check"]
        {
            assert!(
                matches!(
                    parsed(given).command,
                    Command::OfService(OfService::Codegen { check: true, no_build: false })
                ),
                "{given}"
            );
        }
    }

    #[test]
    fn functions_that_are_built_are_read_as_they_are() {
        for (given, needs_no_build) in [
            ("cargo-lifecycle codegen --check --no-build", true),
            ("cargo-lifecycle drift --no-build", true),
            ("cargo-lifecycle openapi --no-build", true),
            ("cargo-lifecycle drift", false),
        ] {
            let Command::OfService(command) = parsed(given).command else { panic!("{given}") };
            assert_eq!(command.needs_no_build(), needs_no_build, "{given}");
        }
        let written = "cargo-lifecycle codegen --no-build".split(' ');
        assert!(Arguments::try_parse_from(written).is_err(), "new functions have to be built");
    }

    #[test]
    fn the_place_of_the_service_may_follow_the_command() {
        let given = "cargo-lifecycle new-endpoint get_loan GET /loans --package lending";
        let arguments = parsed(given);
        assert_eq!(arguments.package.as_deref(), Some("lending"));
        let Command::OfService(OfService::NewEndpoint(new)) = arguments.command else {
            panic!("{given}")
        };
        assert_eq!((new.name.as_str(), new.folder), ("get_loan", None));
    }

    #[test]
    fn a_new_service_needs_no_service() {
        let Command::NewService(new) = parsed("cargo-lifecycle new-service notes --path x").command
        else {
            panic!("another command")
        };
        assert_eq!((new.folder, new.path), ("notes".into(), Some("x".into())));
    }
}
