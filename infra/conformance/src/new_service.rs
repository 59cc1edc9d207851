//! The check of `cargo xtask try-new-service`: a new service answers on the local platform.

use std::path::{Path, PathBuf};

use clap::Args;
use emulator::options::Options;
use emulator::{NoApplication, Platform};
use hyper::{Method, StatusCode};
use tooling::Error;
use tooling::context::Context;
use tooling_async::http::Client;

/// Runs the template of any service on the local platform, and calls endpoints without a token.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The template, in the folder of its workspace. Its functions have been built.
    template: PathBuf,

    /// The requests, as `GET /greetings/1`.
    calls: Vec<String>,
}

/// Runs the command.
///
/// # Errors
///
/// If the platform does not start, or an endpoint does not answer 200.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(ask(&arguments.template, &arguments.calls))
}

async fn ask(template: &Path, calls: &[String]) -> Result<(), Error> {
    let options =
        Options { template: Some(template.to_owned()), no_build: true, ..Options::default() };
    let platform = Platform::start(options, &NoApplication).await?;
    let answered = ask_each(&platform.api_url(), calls).await;
    platform.stop().await;
    answered
}

async fn ask_each(api: &str, calls: &[String]) -> Result<(), Error> {
    let client = Client::new();
    for call in calls {
        let (method, path) =
            call.split_once(' ').ok_or_else(|| format!("{call:?} is not METHOD PATH"))?;
        let method = Method::from_bytes(method.as_bytes())?;
        let answer = client.call(method, &format!("{api}{path}"), None, None).await?;
        answer.json_of(StatusCode::OK).context(|| call)?;
    }
    Ok(())
}
