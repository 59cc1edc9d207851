//! The check of `cargo xtask try-new-functions`: new endpoints answer on the local platform.

use std::path::{Path, PathBuf};

use clap::Args;
use demo::seed::PASSWORD;
use emulator::options::Options;
use hyper::{Method, StatusCode};
use tooling::Error;
use tooling::context::Context;
use tooling_async::http::{Client, sign_in};

/// Runs a template on the local platform, and calls endpoints as a customer.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The template, in the folder of its workspace. Its functions are built.
    template: PathBuf,

    /// The requests, as `GET /greetings/1`.
    calls: Vec<String>,
}

/// Runs the command.
///
/// # Errors
///
/// If the platform does not start, or an endpoint does not answer with the caller's name.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(ask(&arguments.template, &arguments.calls))
}

async fn ask(template: &Path, calls: &[String]) -> Result<(), Error> {
    let options = Options {
        template: Some(template.to_owned()),
        demo: true,
        no_build: true,
        ..Options::default()
    };
    let platform = demo::start(options).await?;
    let answered = ask_each(&platform.api_url(), calls).await;
    platform.stop().await;
    answered
}

async fn ask_each(api: &str, calls: &[String]) -> Result<(), Error> {
    let client = Client::new();
    let token = sign_in(&client, api, "customer", PASSWORD).await?;
    for call in calls {
        let (method, path) =
            call.split_once(' ').ok_or_else(|| format!("{call:?} is not METHOD PATH"))?;
        let method = Method::from_bytes(method.as_bytes())?;
        let answer = client.call(method, &format!("{api}{path}"), Some(&token), None).await?;
        let answer = answer.json_of(StatusCode::OK).context(|| call)?;
        if answer["data"]["askedBy"] != "customer" {
            return Err(format!("{call}: {answer}").into());
        }
    }
    Ok(())
}
