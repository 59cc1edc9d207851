//! The arguments of `cargo xtask bench`.

use clap::Parser;

use super::{callback, growth, hostile, local, sign_in};

/// Measures cold and warm starts of our functions and of bare ones.
#[derive(Parser)]
#[command(name = "bench", bin_name = "cargo xtask bench")]
pub(super) struct Arguments {
    /// The number of starts of each function.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(super) rounds: u32,

    /// The number of warm invocations after each start.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) warm: u32,

    /// Measures the binaries as last built.
    #[arg(long)]
    pub(super) no_build: bool,

    /// Measures only these functions, by their names in the table's first column.
    #[arg(long, value_delimiter = ',')]
    pub(super) only: Vec<String>,

    /// The period of the CPU quota for 128 MB, in milliseconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(14..=1_000))]
    pub(super) period_ms: u64,

    /// Counts the instructions of warm invocations by callgrind, and compares them with
    /// `infra/bench/instructions.json`.
    #[arg(long)]
    pub(super) quick: bool,

    /// Writes the counts of `--quick` to that file.
    #[arg(long, requires = "quick", conflicts_with = "only")]
    pub(super) write: bool,

    #[command(subcommand)]
    pub(super) command: Option<Subcommand>,
}

#[derive(clap::Subcommand)]
pub(super) enum Subcommand {
    /// Measures requests through the local platform, the authorizer included.
    Local(local::Arguments),
    /// Measures callbacks of 200 objects through the local platform.
    Callback(callback::Arguments),
    /// Measures pages, lists, the relay and consumers on tables of several sizes.
    Growth(growth::Arguments),
    /// Sends the worst bodies, and compares their cost with a valid request.
    Hostile(hostile::Arguments),
    /// Compares the times of failed sign-ins for known and unknown e-mail addresses.
    SignIn(sign_in::Arguments),
}
