//! `mcp`: a server of the Model Context Protocol over standard input and output.
//!
//! Nothing but the protocol is ever written to standard output.

mod inputs;
mod parts;
mod rows;
mod server;
#[cfg(test)]
mod tests;
mod tools;

use std::process::ExitCode;

use clap::Args;
use rmcp::ServiceExt;
use rmcp::transport::io::stdio_pipes;

use self::server::Server;
use super::address::{ControlUrl, DEFAULT};
use super::control::ControlClient;

/// The arguments of `mcp`.
#[derive(Debug, Clone, Args)]
pub(crate) struct McpArguments {
    /// The control address of the running platform. It is asked at each call of a tool, so the
    /// platform may start later, and start again.
    #[arg(long, value_name = "URL", default_value = DEFAULT)]
    control: ControlUrl,
}

/// Serves the protocol until the client closes standard input.
pub(crate) async fn run(arguments: McpArguments) -> ExitCode {
    let server = Server::new(ControlClient::new(arguments.control));
    let ended = match server.serve(stdio_pipes()).await {
        Ok(running) => running.waiting().await.map(drop).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            complain(&reason);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command prints its error here")]
fn complain(reason: &str) {
    eprintln!("error: the session of the Model Context Protocol failed: {reason}");
}
