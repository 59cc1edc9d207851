//! Random operations on the simulated services and on the emulator's: the responses and contents
//! must be the same.
//!
//! `SIMULATION_OPERATIONS` is the number of operations (20 000 if it is not set), and
//! `SIMULATION_SEED` the first seed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod emulator_queues;
mod explained;
mod expressions;
mod generator;
mod normal;
mod pair;
mod queue_operations;
mod queues;
mod shrink;
mod streams;
mod tables;
mod tally;

/// The number of operations of a test.
fn operations() -> usize {
    number("SIMULATION_OPERATIONS").unwrap_or(20_000)
}

/// The first seed.
fn first_seed() -> u64 {
    number("SIMULATION_SEED").unwrap_or(1)
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}
