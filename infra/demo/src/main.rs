//! `cargo local`: runs the whole API on this machine.

use std::process::ExitCode;

use clap::Parser;
use emulator::options::{Logs, Options};
use emulator::{Platform, StartError};
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
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let logs = if arguments.json_logs { Logs::Json } else { Logs::Readable };
    let platform = tokio::select! {
        started = demo::start(Options { logs, ..arguments.options }) => match started {
            Ok(platform) => platform,
            Err(error) => return complain(&error),
        },
        () = told_to_end() => return ExitCode::SUCCESS,
    };
    announce(&platform);
    told_to_end().await;
    platform.stop().await;
    ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "scripts wait for these lines")]
fn announce(platform: &Platform) {
    match platform.apis() {
        [(_, url)] => println!("API      {url}"),
        several => several.iter().for_each(|(id, url)| println!("API      {url}  {id}")),
    }
    println!("control  {}", platform.control_url());
    println!("ready");
}

/// Prints the error. Exit status 2 means that other options would help.
#[expect(clippy::print_stderr, reason = "a command prints its error here")]
fn complain(error: &StartError) -> ExitCode {
    eprintln!("error: {error}");
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
