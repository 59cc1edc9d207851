//! The command that runs a platform until a signal ends it. `lambda-emulator` runs a template alone;
//! a service's own program adds its [`Application`].

use std::fmt::Display;
use std::pin::pin;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::console::client;
use crate::options::{Logs, Options};
use crate::{Application, Platform, StartError, doctor};

/// The arguments of the command, for a parser of clap: `#[command(flatten)]`.
#[derive(Debug, Clone, Args)]
pub struct Command {
    #[command(flatten)]
    options: Options,

    /// Shows logs as the functions print them, one JSON object a line.
    #[arg(long)]
    json_logs: bool,

    #[command(subcommand)]
    task: Option<Task>,
}

/// A task that starts no platform.
#[derive(Debug, Clone, Subcommand)]
enum Task {
    /// Checks the programs, ports and disk of this machine. Each missing one has a remedy.
    Doctor,

    /// Draws a request of a running platform: its nine stages, its commit, and the journey of its
    /// effects.
    Trace(client::TraceArguments),

    /// Serves the Model Context Protocol over standard input and output, so that a language model
    /// can look at the requests of a running platform, resend them, and set faults.
    #[cfg(feature = "mcp")]
    Mcp(client::McpArguments),
}

impl Command {
    /// Whether the application's demo data was requested.
    pub fn has_demo(&self) -> bool {
        self.options.demo
    }

    /// Runs the platform until Ctrl-C or SIGTERM. It prints the addresses, calls `announce`, which may
    /// print more, and prints `ready`. A subcommand runs in place of the platform.
    ///
    /// Returns exit status 2 if other options would help, and 1 for any other error, such as data that
    /// can no longer be written.
    ///
    /// # Panics
    /// If the system does not let it handle SIGTERM.
    pub async fn run(self, application: &impl Application, announce: impl FnOnce()) -> ExitCode {
        match self.task {
            None => {}
            Some(Task::Doctor) => return check(&self.options),
            Some(Task::Trace(arguments)) => return client::trace(arguments).await,
            #[cfg(feature = "mcp")]
            Some(Task::Mcp(arguments)) => return client::serve_mcp(arguments).await,
        }
        let logs = if self.json_logs { Logs::Json } else { Logs::Readable };
        let options = Options { logs, ..self.options };
        let mut ended = pin!(end_signal());
        let platform = tokio::select! {
            started = Platform::start(options, application) => match started {
                Ok(platform) => platform,
                Err(error) => {
                    complain(&error);
                    return exit_status(&error);
                }
            },
            () = &mut ended => return ExitCode::SUCCESS,
        };
        print_addresses(&platform);
        announce();
        print_ready();
        let failed = tokio::select! {
            error = platform.stores().data_error() => Some(error),
            () = &mut ended => None,
        };
        platform.stop().await;
        failed.map_or(ExitCode::SUCCESS, |error| {
            complain(&error);
            ExitCode::FAILURE
        })
    }
}

#[expect(clippy::print_stdout, reason = "scripts wait for these lines")]
fn print_addresses(platform: &Platform) {
    match platform.apis() {
        [(_, url)] => println!("API      {url}"),
        several => {
            for (id, url) in several {
                println!("API      {url}  {id}");
            }
        }
    }
    println!("control  {}", platform.control_url());
}

#[expect(clippy::print_stdout, reason = "scripts wait for this line")]
fn print_ready() {
    println!("ready");
}

/// Prints each check of this machine. Fails if something needed is missing.
#[expect(clippy::print_stdout, reason = "a command prints its result here")]
fn check(options: &Options) -> ExitCode {
    let checks = doctor::checks(options);
    for check in &checks {
        println!("{check}");
    }
    if checks.iter().any(doctor::Check::is_problem) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints the error.
#[expect(clippy::print_stderr, reason = "a command prints its error here")]
fn complain(error: &impl Display) {
    eprintln!("error: {error}");
}

/// The status of a platform that does not start: 2 if other options would help.
fn exit_status(error: &StartError) -> ExitCode {
    match error {
        StartError::PortTaken { .. } => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

/// Waits for Ctrl-C or SIGTERM, from this call on.
fn end_signal() -> impl Future<Output = ()> {
    first_of(SignalKind::terminate(), SignalKind::interrupt())
}

/// Waits for one of two signals, from this call on.
fn first_of(terminate: SignalKind, interrupt: SignalKind) -> impl Future<Output = ()> {
    let mut terminate = signal(terminate).expect("the signal can be handled");
    let interrupt = signal(interrupt);
    async move {
        // If Ctrl-C cannot be handled, end now: otherwise the process could not be stopped.
        let Ok(mut interrupt) = interrupt else { return };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn a_signal_before_the_first_poll_is_not_lost() {
        // Tokio keeps its handlers, and those of the real signals would keep this process alive.
        let ended = first_of(SignalKind::window_change(), SignalKind::user_defined1());

        kill_process(getpid(), Signal::WINCH).unwrap();

        ended.await;
    }
}
