//! Operators' commands, `cargo xtask ops …`, against the resources that the environment names: of a
//! deployed stack, or of the local platform.
//!
//! Region, credentials and addresses are in the variables of every AWS SDK, names of tables and
//! queues in the variables that functions have. `infra/docs/OPERATIONS.md` describes how to set
//! them.

mod addresses;
mod backfill;
mod history;
mod rebuild;

use std::process::ExitCode;

use aws::Aws;
use aws::admin::Operator;
use clap::{Parser, Subcommand};
use domain::resources::QUEUES;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
pub use operations::Say;
use operations::{environment, finish, say};

/// A command of an operator.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask ops", about = "Operators' commands.")]
pub struct Command {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Rebuilds the read model of customers' orders from the orders.
    RebuildProjection,
    /// Writes the items of a kind again in this version's form.
    Backfill(backfill::Arguments),
    /// The commands for any service.
    #[command(flatten)]
    AnyService(operations::Command),
    /// Shows addresses to which no mail is sent any more, or clears one.
    #[command(subcommand)]
    MailAddresses(addresses::Command),
    /// Prints an order with its events, its credit reservation and its place in the projection.
    History {
        /// The order's id.
        #[arg(value_parser = history::order_id)]
        order_id: domain::orders::OrderId,
    },
}

impl Command {
    /// Reads the arguments that follow `ops`.
    ///
    /// # Errors
    ///
    /// The usage, if the arguments ask for help or are invalid.
    pub fn read(arguments: &[String]) -> Result<Self, clap::Error> {
        let name = "cargo xtask ops".to_owned();
        Self::try_parse_from(std::iter::once(&name).chain(arguments))
    }
}

/// Runs the command of these arguments in the environment of this process.
pub fn main(arguments: &[String]) -> ExitCode {
    let command = match Command::read(arguments) {
        Ok(command) => command,
        Err(usage) => {
            say(&usage.to_string());
            return if usage.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    finish(run(&command, environment, &say))
}

/// Runs a command.
///
/// # Errors
///
/// A variable is missing, AWS cannot be reached, or the named resource does not exist.
pub async fn run(
    command: &Command,
    environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    say: Say<'_>,
) -> Result<(), BoxError> {
    match &command.kind {
        Kind::AnyService(command) => command.run(QUEUES, environment, say).await,
        Kind::RebuildProjection => {
            rebuild::run(&connect(rebuild::RESOURCES, environment)?, say).await
        }
        Kind::Backfill(arguments) => {
            backfill::run(arguments, &connect(&arguments.uses(), environment)?, say).await
        }
        Kind::MailAddresses(command) => {
            addresses::run(command, &connect(addresses::RESOURCES, environment)?, say).await
        }
        Kind::History { order_id } => {
            history::run(&connect(history::RESOURCES, environment)?, *order_id, say).await
        }
    }
}

fn connect(
    uses: &[Resource],
    environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Result<Operator, BoxError> {
    Aws::connect_with(uses, environment).map(Operator::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_a_success_and_an_unknown_command_is_not() {
        let main = |argument: &str| main(&[argument.to_owned()]);
        assert_eq!(main("--help"), ExitCode::SUCCESS);
        assert_eq!(main("no-such-command"), ExitCode::from(2));
    }
}
