//! Hot spots under load: approvals, which share the sequence of serial numbers, and orders of one
//! product, which share its stock.
//!
//! The functions run as on AWS, and the tables have the limits of `DynamoDB`: a partition takes 1 000
//! write units and 3 000 read units a second, and an item is in one transaction at a time. There are no
//! faults, so that the limits alone decide. The partitions of indexes are not limited: more of
//! `IndexName::WRITE_SHARDS` is the remedy for them.

mod approvals;
mod figures;
mod load;
mod sales;

use simulation::Millis;
use simulation::world::{FaultMix, Report, Simulation};

pub use self::figures::Figures;
pub use self::load::Load;
use crate::Main;
use crate::store::template;

/// The longest time of a request between a function and a service, in each direction.
const LATENCY_MAX: Millis = Millis(4);
/// The longest time that a transaction holds its items. With half of it on average, an item has some 50
/// transactions a second.
const TRANSACTION_MAX: Millis = Millis(40);
/// The time without faults after the last operation, in which the backlog is worked off.
const SETTLE: (Millis, Millis) = (Millis::seconds(1), Millis::seconds(600));
/// The part of the offered operations that has to be done in each second.
const DONE_PERCENT_MIN: u64 = 95;

/// A hot spot after its run.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The measurements.
    pub figures: Figures,
    /// The failures, in sentences.
    pub failures: Vec<String>,
}

/// Approves orders at this rate.
///
/// # Errors
/// If the world cannot be built.
pub fn approve(functions: &[(&str, Main)], load: Load) -> Result<Measured, String> {
    let world = approvals::world(world_of(functions, approvals::FUNCTION, load.seed)?, load);
    let report = world.run()?;
    let done = approvals::done(report.trace.events());
    Ok(measured("approvals", load, &report, &done, true))
}

/// Orders one product at this rate. There are more pieces than orders.
///
/// # Errors
/// If the world cannot be built.
pub fn order_one_product(functions: &[(&str, Main)], load: Load) -> Result<Measured, String> {
    let shop = sales::Shop::with_enough(load);
    let world = sales::world(world_of(functions, sales::FUNCTION, load.seed)?, load, shop);
    let report = world.run()?;
    let done = sales::done(report.trace.events());
    Ok(measured("orders of one product", load, &report, &done, true))
}

/// Orders one product at this rate until it is sold out. There are pieces for six orders of ten.
///
/// # Errors
/// If the world cannot be built.
pub fn sell_out_one_product(functions: &[(&str, Main)], load: Load) -> Result<Measured, String> {
    let shop = sales::Shop::that_sells_out(load);
    let world = sales::world(world_of(functions, sales::FUNCTION, load.seed)?, load, shop);
    let report = world.run()?;
    let done = sales::done(report.trace.events());
    Ok(measured("orders until it is sold out", load, &report, &done, false))
}

/// The figures of a run, and its failures. `keeps_up` is whether the rate has to be kept.
fn measured(
    name: &'static str,
    load: Load,
    report: &Report,
    done: &[figures::Done],
    keeps_up: bool,
) -> Measured {
    let figures = Figures::of(name, load, report.trace.events(), done);
    let mut failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    let least = load.per_second * DONE_PERCENT_MIN / 100;
    if keeps_up && figures.per_second < least {
        failures.push(format!("{name}: {} a second, not {least}", figures.per_second));
    }
    Measured { figures, failures }
}

/// A world with the store's tables and queues, in which one function has code.
fn world_of(functions: &[(&str, Main)], function: &str, seed: u64) -> Result<Simulation, String> {
    let mut template = template()?;
    template.event_sources.retain(|source| source.function == function);
    let mut faults = FaultMix::none();
    faults.latency_max = LATENCY_MAX;
    faults.freedom.transaction_max = TRANSACTION_MAX;
    let (min, max) = SETTLE;
    let world = Simulation::new(seed).template(&template).faults(faults).settle(min, max);
    Ok(functions.iter().fold(world, |world, (id, main)| {
        if *id == function { world.function(id, *main) } else { world.without_code(id) }
    }))
}
