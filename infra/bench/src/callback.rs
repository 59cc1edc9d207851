//! `cargo xtask bench callback`: measures the response time of a callback with 200 objects.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use hyper::StatusCode;
use serde_json::json;
use tooling::{Error, say};
use tooling_async::http::Client;

use super::figures::{median, ms, p99};
use super::local::Measured;
use super::targets;

/// The maximum number of objects of a callback.
const OBJECTS: u32 = 200;
/// Requests before the measurement: processes start, pools fill.
const WARM_UP: u32 = 5;

#[derive(Args)]
pub(super) struct Arguments {
    /// The number of callbacks, sent one after the other, each with other objects.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    posts: u32,

    #[command(flatten)]
    api: Measured,
}

pub(super) async fn run(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    arguments.api.measure(workspace, async |api| measure(api, arguments.posts).await).await
}

async fn measure(api: &str, posts: u32) -> Result<ExitCode, Error> {
    let (client, url) = (Client::new(), format!("{api}/callback"));
    let mut took_ms = Vec::new();
    for post_number in 0..WARM_UP + posts {
        let first = post_number * OBJECTS;
        let objects: Vec<u32> = (first..first + OBJECTS).collect();
        let asked = Instant::now();
        client.post(&url, &json!({ "object_ids": objects }), StatusCode::ACCEPTED).await?;
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
