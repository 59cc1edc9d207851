//! Operators' commands for any service: dead letters, the outbox, and the keys that sign tokens.
//!
//! A command works on the resources that its environment names: region, credentials and addresses
//! in the variables of every AWS SDK, tables, queues and secrets in the variables that functions
//! have. The program `operations` has only these commands:
//!
//! ```sh
//! cargo run --package operations -- dead-letters show emails
//! ```
//!
//! A program with further commands flattens [`Command`] into its own, as `infra/ops` does.

mod dead_letters;
mod keys;
mod outbox;
mod output;
mod patience;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

use aws::Aws;
use aws::admin::Operator;
use clap::Subcommand;
use lifecycle::effects::QueueName;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;

pub use self::output::{Say, say, told};
pub use self::patience::{patiently, pause};

/// A command for any service.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Shows, redrives or drops dead letters.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Shows or retries rows of the outbox that were set aside.
    #[command(subcommand)]
    Outbox(outbox::Command),
    /// Makes the next key sign tokens, at once instead of on schedule.
    RotateKeys(keys::Arguments),
}

impl Command {
    /// Runs the command on resources of this environment. `queues` are the queues that a command
    /// may name.
    ///
    /// # Errors
    ///
    /// A variable is missing, AWS cannot be reached, or the named resource does not exist.
    pub async fn run(
        &self,
        queues: &[QueueName],
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        say: Say<'_>,
    ) -> Result<(), BoxError> {
        let connect = |uses: &[Resource]| Aws::connect_with(uses, environment).map(Operator::new);
        match self {
            Self::DeadLetters(command) => {
                dead_letters::run(command, queues, connect(&command.uses(queues)?)?, say).await
            }
            Self::Outbox(command) => outbox::run(command, &connect(outbox::RESOURCES)?, say).await,
            Self::RotateKeys(arguments) => {
                keys::run(arguments, &connect(keys::RESOURCES)?, say).await
            }
        }
    }
}

/// The queues with a dead-letter queue among these names of variables: `emails` by
/// `EMAILS_DEAD_LETTER_QUEUE_URL`.
///
/// ```
/// let variables = ["EMAILS_DEAD_LETTER_QUEUE_URL", "_DEAD_LETTER_QUEUE_URL", "HOME"];
/// let queues = operations::queues_in(variables.map(str::to_owned));
/// assert_eq!(queues.iter().map(|queue| queue.name()).collect::<Vec<_>>(), ["emails"]);
/// ```
pub fn queues_in(variables: impl IntoIterator<Item = String>) -> Vec<QueueName> {
    let mut names: Vec<String> = variables
        .into_iter()
        .filter_map(|name| Some(name.strip_suffix("_DEAD_LETTER_QUEUE_URL")?.to_lowercase()))
        // A variable of another program may have any name.
        .filter(|name| QueueName::is_valid(name))
        .collect();
    names.sort();
    // The names live as long as the process: a command asks once.
    names.into_iter().map(|name| QueueName::new(name.leak())).collect()
}

/// A variable of this process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs a command to its end. A failure is printed with its causes.
pub fn finish(command: impl Future<Output = Result<(), BoxError>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(BoxError::from).and_then(|runtime| runtime.block_on(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&told(&*error));
            ExitCode::FAILURE
        }
    }
}
