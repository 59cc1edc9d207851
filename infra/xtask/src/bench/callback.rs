//! `cargo xtask bench callback`: how long a callback of 200 objects waits for its answer.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use hyper::StatusCode;
use serde_json::json;

use super::figures::{median, ms, p99};
use super::local::{Platform, client, post};
use super::targets;
use crate::descriptions::Error;
use crate::say;

/// As many objects as a callback may have.
const OBJECTS: u32 = 200;
/// What comes before anything is measured: processes start, pools fill.
const WARM_UP: u32 = 5;

#[derive(Args)]
pub(super) struct Arguments {
    /// How many callbacks there are, one after the other, each of other objects.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    posts: u32,

    /// Runs the platform and the functions as they were last built.
    #[arg(long)]
    no_build: bool,

    /// Asks an API that is running already, with its `RateLimit` out of reach.
    #[arg(long, value_name = "URL")]
    api: Option<String>,
}

pub(super) async fn run(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    if let Some(api) = &arguments.api {
        return measure(api, arguments.posts).await;
    }
    let platform = Platform::start(workspace, arguments.no_build).await?;
    let measured = measure(&platform.api, arguments.posts).await;
    platform.stop().await?;
    measured
}

async fn measure(api: &str, posts: u32) -> Result<ExitCode, Error> {
    let (client, url) = (client(), format!("{api}/callback"));
    let mut took_ms = Vec::new();
    for post_number in 0..WARM_UP + posts {
        let first = post_number * OBJECTS;
        let objects: Vec<u32> = (first..first + OBJECTS).collect();
        let asked = Instant::now();
        post(&client, &url, &json!({ "object_ids": objects }), StatusCode::ACCEPTED).await?;
        if post_number >= WARM_UP {
            took_ms.push(ms(asked.elapsed()));
        }
    }
    let [half, most] = [median(&took_ms), p99(&took_ms)].map(Option::unwrap_or_default);
    say(&format!(
        "| callbacks | p50 ms | p99 ms |\n|---|---|---|\n| {posts} | {half:.2} | {most:.2} |"
    ));
    say(&format!("\n{}", targets::callback_verdict(p99(&took_ms))));
    Ok(ExitCode::SUCCESS)
}
