//! `cargo local`: runs the whole API on this machine.

use std::process::ExitCode;

use clap::Parser;
use demo::{Store, seed};
use emulator::command::Command;

/// Runs the API of template.yaml on this machine: the gateway, the functions, tables, queues,
/// secrets, mail and schedules. Ctrl-C ends it.
#[derive(Parser)]
#[command(name = "local")]
struct Arguments {
    #[command(flatten)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let with_demo = command.has_demo();
    let announce = || {
        if with_demo {
            print_accounts();
        }
    };
    command.run(&Store, announce).await
}

#[expect(clippy::print_stdout, reason = "the accounts are for the person at the terminal")]
fn print_accounts() {
    println!("accounts of the demo, all with the password {}:", seed::PASSWORD);
    seed::accounts().for_each(|account| println!("  {account}"));
}
