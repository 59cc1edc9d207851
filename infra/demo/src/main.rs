//! `cargo local`: runs the whole API on this machine.

use std::fmt::Display;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use demo::seed;
use emulator::options::{Logs, Options};
use emulator::{Platform, StartError, doctor};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the API of template.yaml on this machine: the gateway, the functions, tables, queues,
/// secrets, mail and schedules. Ctrl-C ends it.
#[derive(Parser)]
#[command(name = "local")]
struct Arguments {
    #[command(flatten)]
    options: Options,

    /// Shows logs as the functions print them, one JSON object a line.
    #[arg(long)]
    json_logs: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the programs, ports and disk of this machine. Each missing one has a remedy.
    Doctor,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Doctor) = arguments.command {
        return check(&arguments.options);
    }
    let with_demo = arguments.options.demo;
    let logs = if arguments.json_logs { Logs::Json } else { Logs::Readable };
    let platform = tokio::select! {
        started = demo::start(Options { logs, ..arguments.options }) => match started {
            Ok(platform) => platform,
            Err(error) => {
                complain(&error);
                return exit_status(&error);
            }
        },
        () = told_to_end() => return ExitCode::SUCCESS,
    };
    announce(&platform, with_demo);
    let failed = tokio::select! {
        error = platform.stores().data_error() => Some(error),
        () = told_to_end() => None,
    };
    platform.stop().await;
    failed.map_or(ExitCode::SUCCESS, |error| {
        complain(&error);
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stdout, reason = "scripts wait for these lines")]
fn announce(platform: &Platform, with_demo: bool) {
    match platform.apis() {
        [(_, url)] => println!("API      {url}"),
        several => several.iter().for_each(|(id, url)| println!("API      {url}  {id}")),
    }
    println!("control  {}", platform.control_url());
    if with_demo {
        println!("accounts of the demo, all with the password {}:", seed::PASSWORD);
        seed::accounts().for_each(|account| println!("  {account}"));
    }
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

/// Returns on Ctrl-C or SIGTERM.
async fn told_to_end() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    tokio::select! {
        // If Ctrl-C cannot be handled, end now: otherwise the process could not be stopped.
        _ = ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
