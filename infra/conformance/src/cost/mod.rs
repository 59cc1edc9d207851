//! Counts requests on the local platform, which runs the functions as they are deployed.
//!
//! Scheduled functions do not run there, and each request waits until the deferred work of the
//! previous one is done. So the counts belong to the request alone. The first requests of each kind
//! are not counted: they start the functions, and fill their caches.

mod articles;
mod callbacks;
mod catalogue;
mod lab;
mod orders;
mod people;
mod system;

use std::path::Path;

use clap::Args;
use emulator::Platform;
use emulator::options::Options;
use house::counts::{COUNTS, Counts};
use tooling::{Error, say};

use self::lab::Lab;

/// Counts the use of requests, and writes infra/costs.json.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The number of requests of each kind; more than 20 would exceed the limits on mails.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=20))]
    samples: u32,

    /// Counts with the functions of the last build.
    #[arg(long)]
    no_build: bool,
}

/// Counts every route, and writes the counts. Prints differences from the previous ones.
///
/// # Errors
/// If the platform does not start, or a request fails.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let before = Counts::read(&workspace.join(COUNTS));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let counted = count(workspace, arguments.samples, !arguments.no_build);
    let counts = runtime.block_on(counted)?;
    for change in before.map(|before| counts.changes(&before)).unwrap_or_default() {
        say(&change);
    }
    counts.write(&workspace.join(COUNTS))
}

async fn count(workspace: &Path, samples: u32, build: bool) -> Result<Counts, Error> {
    let options = Options {
        port: 0,
        control_port: 0,
        demo: true,
        template: Some(workspace.join("template.yaml")),
        no_build: !build,
        without_schedules: true,
        // Raises the exact limits alone: how limits are counted stays as deployed. So are the lines
        // of successes, as in `samconfig.toml`.
        parameters: [("ExactRateLimit", "1000000"), ("LogSuccesses", "10")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..Options::default()
    };
    let platform = demo::start(options).await?;
    let counted = every_route(&platform, samples).await;
    platform.stop().await;
    counted
}

async fn every_route(platform: &Platform, samples: u32) -> Result<Counts, Error> {
    // The object service is made quick: no count depends on its latency.
    let quick = serde_json::from_str(r#"{"objects": {"takesMs": [5, 5]}}"#)?;
    platform.standins().set_faults(&quick)?;
    platform.stores().switch_meter_on();
    let mut lab = Lab::new(platform, samples).await?;
    system::count(&mut lab).await?;
    people::count(&mut lab).await?;
    catalogue::count(&mut lab).await?;
    orders::count(&mut lab).await?;
    articles::count(&mut lab).await?;
    callbacks::count(&mut lab).await?;
    for (metric, sets) in platform.telemetry().label_sets() {
        lab.counts.label_sets.insert(metric, u32::try_from(sets)?);
    }
    Ok(lab.counts)
}
