//! `simulate hotspots`: measures hot spots under load, with the limits of `DynamoDB`.

use clap::value_parser;
use tooling::{Error, say};

use crate::Main;
use crate::hotspots::{Load, Measured, approve, order_one_product, sell_out_one_product};

/// Approves orders and orders one product at constant rates, and prints throughput, conflicts, throttled
/// calls and latencies. It fails if a rate is not kept, or if an order, an approval or a piece is lost or
/// there twice.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The approvals of a second.
    #[arg(long, default_value_t = 2_000, value_parser = value_parser!(u64).range(1..=10_000))]
    approvals: u64,
    /// The orders of a second, all of one product.
    #[arg(long, default_value_t = 500, value_parser = value_parser!(u64).range(1..=5_000))]
    orders: u64,
    /// The seconds of each load. The first is not measured.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(2..=60))]
    seconds: u64,
    /// The seed of the worlds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Measures all hot spots.
///
/// # Errors
/// If one does not hold, or a world cannot be built.
pub(super) fn run(functions: &[(&'static str, Main)], arguments: &Arguments) -> Result<(), Error> {
    let Arguments { seconds, seed, .. } = *arguments;
    let load = |per_second| Load { per_second, seconds, seed };
    let mut failures = Vec::new();
    for measured in [
        approve(functions, load(arguments.approvals)),
        order_one_product(functions, load(arguments.orders)),
        sell_out_one_product(functions, load(arguments.orders)),
    ] {
        let Measured { figures, failures: found } = measured?;
        say(&figures.to_string());
        failures.extend(found);
    }
    for failure in &failures {
        say(failure);
    }
    match failures.len() {
        0 => {
            say("nothing was lost, and nothing was sold or numbered twice");
            Ok(())
        }
        count => Err(format!("{count} failures").into()),
    }
}
