//! `cargo xtask bench local`: measures an authorized GET through the local platform.
//!
//! The platform is a separate process and runs the functions as they are deployed. Its gateway
//! caches the authorizer's result, like API Gateway.

use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use demo::seed::{PASSWORD, demo_id};
use hyper::{Method, StatusCode};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tooling::context::Context;
use tooling::{Error, say};
use tooling_async::child;
use tooling_async::http::{Client, sign_in};

use super::binaries::{self, Binaries};
use super::figures::{median, ms, p99};
use super::targets;

/// The time limit for the platform's start, mostly for building all functions.
const START_LIMIT: Duration = Duration::from_hours(1);
/// The time before the measurement: processes start, pools fill.
const WARM_UP: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(super) struct Arguments {
    /// The numbers of concurrent clients; each is measured separately.
    #[arg(long, value_delimiter = ',', default_value = "1,4",
          value_parser = clap::value_parser!(u32).range(1..=64))]
    clients: Vec<u32>,

    /// The duration of each measurement.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// Runs the platform and the functions as last built.
    #[arg(long)]
    no_build: bool,
}

pub(super) async fn run(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    let platform = Platform::start(workspace, arguments.no_build).await?;
    let caller = Caller::sign_in(&platform.api).await?;
    caller.ask_for(WARM_UP).await?;
    say("| clients | requests/s | p50 ms | p99 ms |\n|---|---|---|---|");
    let mut single = None;
    for &clients in &arguments.clients {
        let measured = Duration::from_secs(arguments.seconds);
        let took_ms = all(&caller, clients, measured).await?;
        let per_second = f64::from(u32::try_from(took_ms.len())?) / measured.as_secs_f64();
        let (p50, p99) = (median(&took_ms), p99(&took_ms));
        let [half, most] = [p50, p99].map(Option::unwrap_or_default);
        say(&format!("| {clients} | {per_second:.0} | {half:.2} | {most:.2} |"));
        single = single.or(p50.filter(|_| clients == 1));
    }
    say(&format!("\n{}", targets::local_verdict(single)));
    platform.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs this many concurrent clients, all with the same user.
async fn all(caller: &Caller, clients: u32, measured: Duration) -> Result<Vec<f64>, Error> {
    let mut asking = JoinSet::new();
    for _ in 0..clients {
        let caller = caller.clone();
        asking.spawn(async move { caller.ask_for(measured).await });
    }
    let mut took_ms = Vec::new();
    while let Some(asked) = asking.join_next().await {
        took_ms.extend(asked??);
    }
    Ok(took_ms)
}

/// The measured API: that of a new platform, or the named one.
#[derive(Args)]
pub(super) struct Measured {
    /// Runs the platform and the functions as last built.
    #[arg(long)]
    no_build: bool,

    /// Measures an API that is already running. Its `RateLimit` and `ExactRateLimit` must be out of
    /// reach.
    #[arg(long, value_name = "URL")]
    api: Option<String>,
}

impl Measured {
    pub(super) async fn measure(
        &self,
        workspace: &Path,
        measure: impl AsyncFnOnce(&str) -> Result<ExitCode, Error>,
    ) -> Result<ExitCode, Error> {
        if let Some(api) = &self.api {
            return measure(api).await;
        }
        let platform = Platform::start(workspace, self.no_build).await?;
        let measured = measure(&platform.api).await;
        platform.stop().await?;
        measured
    }
}

/// The running platform; it ends when this value is dropped.
struct Platform {
    process: Child,
    api: String,
}

impl Platform {
    async fn start(workspace: &Path, no_build: bool) -> Result<Self, Error> {
        if !no_build {
            binaries::build(workspace, "tool", &["--package", "demo"])?;
        }
        let local = Binaries::of(workspace, "tool")?.path("local")?;
        let template = local.with_file_name("unthrottled.yaml");
        fs_err::write(&template, unthrottled(workspace)?)?;
        let mut command = Command::new(local);
        command
            .current_dir(workspace)
            .args(["--release", "--demo", "--port", "0", "--control-port", "0"])
            .args(["--parameter", "RateLimit=1000000000"])
            .args(["--parameter", "ExactRateLimit=1000000000"])
            .arg("--template")
            .arg(template)
            .arg("--workspace")
            .arg(workspace)
            .args(no_build.then_some("--no-build"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().context(|| "the local platform")?;
        let output = process.stdout.take().ok_or("the platform has no output")?;
        let lines = BufReader::new(output).lines();
        let api = timeout(START_LIMIT, api_of(lines))
            .await
            .map_err(|_| "the platform did not start in time")??;
        Ok(Self { process, api })
    }

    async fn stop(mut self) -> Result<(), Error> {
        child::end(&mut self.process).await
    }
}

/// The template without its stage's throttle, which would limit the measurement.
fn unthrottled(workspace: &Path) -> Result<String, Error> {
    let template = fs_err::read_to_string(workspace.join("template.yaml"))?;
    let throttles = ["ThrottlingBurstLimit:", "ThrottlingRateLimit:"];
    let lines =
        template.lines().map(|line| match throttles.iter().find(|one| line.contains(*one)) {
            None => line.to_owned(),
            Some(throttle) => {
                let indent = line.len() - line.trim_start().len();
                format!("{}{throttle} 1000000", " ".repeat(indent))
            }
        });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

async fn api_of(
    mut lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
) -> Result<String, Error> {
    let mut api = None;
    while let Some(line) = lines.next_line().await? {
        if let Some(url) = line.strip_prefix("API ") {
            api = Some(url.trim().to_owned());
        }
        if line == "ready" {
            return api.ok_or_else(|| "the platform printed no API address".into());
        }
    }
    Err("the platform ended before it was ready".into())
}

/// A signed-in user who gets their own account.
#[derive(Clone)]
struct Caller {
    client: Client,
    url: String,
    token: String,
}

impl Caller {
    async fn sign_in(api: &str) -> Result<Self, Error> {
        let client = Client::new();
        let token = sign_in(&client, api, "customer", PASSWORD).await?;
        Ok(Self { client, url: format!("{api}/users/{}", demo_id(1)), token })
    }

    /// Sends requests for this time, and returns the response times in milliseconds.
    async fn ask_for(&self, measured: Duration) -> Result<Vec<f64>, Error> {
        let started = Instant::now();
        let mut took_ms = Vec::new();
        while started.elapsed() < measured {
            let asked = Instant::now();
            let call = self.client.call(Method::GET, &self.url, Some(&self.token), None);
            call.await?.json_of(StatusCode::OK)?;
            took_ms.push(ms(asked.elapsed()));
        }
        Ok(took_ms)
    }
}
