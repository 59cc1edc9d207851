//! Operators' commands, `cargo xtask ops …`, against the resources that the environment names: of a
//! deployed stack, or of the local platform.
//!
//! Region, credentials and addresses are in the variables of every AWS SDK, names of tables and
//! queues in the variables that functions have. `infra/docs/OPERATIONS.md` describes how to set
//! them.

mod addresses;
mod backfill;
mod dead_letters;
mod history;
mod keys;
mod outbox;
mod output;
mod rebuild;

use std::process::ExitCode;

use aws::Aws;
use aws::admin::Operator;
use clap::{Parser, Subcommand};
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;

pub use self::output::Say;
use self::output::told;

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
    /// Shows or redrives dead letters.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Shows or retries rows of the outbox that were set aside.
    #[command(subcommand)]
    Outbox(outbox::Command),
    /// Shows addresses to which no mail is sent any more, or clears one.
    #[command(subcommand)]
    MailAddresses(addresses::Command),
    /// Makes the next key sign tokens, at once instead of on schedule.
    RotateKeys(keys::Arguments),
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
    let environment = |name: &str| std::env::var(name).ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .map_err(BoxError::from)
        .and_then(|runtime| runtime.block_on(run(&command, environment, &say)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&told(&*error));
            ExitCode::FAILURE
        }
    }
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
    let connect = |uses: &[Resource]| Aws::connect_with(uses, environment).map(Operator::new);
    match &command.kind {
        Kind::RebuildProjection => rebuild::run(&connect(rebuild::RESOURCES)?, say).await,
        Kind::Backfill(arguments) => {
            backfill::run(arguments, &connect(&arguments.uses())?, say).await
        }
        Kind::DeadLetters(command) => {
            dead_letters::run(command, connect(&command.uses()?)?, say).await
        }
        Kind::Outbox(command) => outbox::run(command, &connect(outbox::RESOURCES)?, say).await,
        Kind::MailAddresses(command) => {
            addresses::run(command, &connect(addresses::RESOURCES)?, say).await
        }
        Kind::RotateKeys(arguments) => keys::run(arguments, &connect(keys::RESOURCES)?, say).await,
        Kind::History { order_id } => {
            history::run(&connect(history::RESOURCES)?, *order_id, say).await
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is what the commands are for")]
fn say(line: &str) {
    println!("{line}");
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
