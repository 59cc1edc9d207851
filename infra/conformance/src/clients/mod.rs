//! `cargo xtask clients`: third-party generators build clients from `infra/openapi.json`; a short
//! program uses each of them against a local API.
//!
//! `cargo xtask docs-page`: tests the documentation page of that API in a browser.
//!
//! `cargo xtask console`: tests the emulator's console in a browser. `cargo xtask console-shots`
//! makes its screenshots.
//!
//! Generated and installed files are below `target`; the programs are in `infra/clients`.

mod console;
mod folder;
mod node;
mod page;
mod python;
#[cfg(test)]
mod tests;
mod typescript;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};
use emulator::options::Options;
use tooling::process::succeeded;
use tooling::{Error, say};

pub(crate) use self::console::{ConsoleArguments, ShotsArguments};

/// Generates clients and runs each client's program against a local API.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only these clients; by default all.
    clients: Vec<Client>,
}

/// Opens the documentation page in a browser and sends requests with it.
#[derive(Args)]
pub(crate) struct PageArguments {
    /// The browser; by default Chromium.
    #[arg(long, default_value = "chromium")]
    browser: PathBuf,
}

/// A generated client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Client {
    /// By openapi-typescript, for openapi-fetch.
    Typescript,
    /// By openapi-python-client.
    Python,
}

/// Runs the command `clients`.
///
/// # Errors
///
/// If a client cannot be generated, or its program fails.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let all = Client::value_variants();
    let clients = if arguments.clients.is_empty() { all } else { &arguments.clients[..] };
    // Report a client that cannot be generated before the long build of the functions.
    let stories = clients.iter().map(|client| {
        say(&format!("== {client:?}"));
        match client {
            Client::Typescript => typescript::generate(workspace),
            Client::Python => python::generate(workspace),
        }
    });
    told(workspace, stories.collect::<Result<Vec<_>, Error>>()?)
}

/// Runs the command `docs-page`.
///
/// # Errors
///
/// If the page cannot be opened, or its test fails.
pub(crate) fn run_page(workspace: &Path, arguments: &PageArguments) -> Result<(), Error> {
    told(workspace, vec![page::prepare(workspace, &arguments.browser)?])
}

/// Runs the command `console`.
///
/// # Errors
///
/// If the page cannot be opened, or one of its tests fails.
pub(crate) fn run_console(workspace: &Path, arguments: &ConsoleArguments) -> Result<(), Error> {
    told(workspace, console::tests(workspace, arguments)?)
}

/// Runs the command `console-shots`.
///
/// # Errors
///
/// If the page cannot be opened, or a picture cannot be made.
pub(crate) fn run_console_shots(workspace: &Path, arguments: &ShotsArguments) -> Result<(), Error> {
    told(workspace, vec![console::shots(workspace, arguments)?])
}

/// Runs the commands against a new platform with the demo's users.
fn told(workspace: &Path, stories: Vec<Command>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let options = Options {
        demo: true,
        template: Some(workspace.join("template.yaml")),
        ..Options::default()
    };
    let platform = runtime.block_on(demo::start(options))?;
    let told = stories.into_iter().try_for_each(|mut story| {
        story.env("API_URL", platform.api_url()).env("CONTROL_URL", platform.control_url());
        succeeded(&mut story)
    });
    runtime.block_on(platform.stop());
    told
}
