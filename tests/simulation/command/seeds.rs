//! Runs seeds on all processors, and prints the failures that the oracles found.

use std::fmt;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use simulation::Millis;
use simulation::world::{Fault, FaultMix, Report, Seeds, Simulation};
use tooling::{Error, say};

use crate::Main;
use crate::store::store;

/// The seeds to run, and how.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// The seeds: `1..101` is the first hundred. A number is one seed.
    #[arg(long, value_name = "A..B", default_value = "1..21")]
    seeds: Seeds,
    /// The orders of each seed. Everything else is in proportion.
    #[arg(long, default_value_t = 10)]
    orders: usize,
    /// The faults: `full`, `none`, or a list such as `death,lost-response,freedom`.
    #[arg(long, default_value = "full")]
    faults: Faults,
    /// Runs each seed twice, and compares the traces.
    #[arg(long)]
    twice: bool,
    /// Prints the hash of each trace.
    #[arg(long)]
    hashes: bool,
    /// Ends at the first failure, and shrinks nothing.
    #[arg(long)]
    until_failure: bool,
    /// The runs of the search for a smaller workload.
    #[arg(long, default_value_t = 60)]
    shrink: usize,
    /// The runs at a time: the number of processors by default.
    #[arg(long)]
    jobs: Option<usize>,
    /// Prints the whole trace of each seed: of a failing one, that of the shrunk workload.
    #[arg(long)]
    trace: bool,
}

/// The faults of a run: `full` has all, `none` none: a failure has another cause then. A list such as
/// `death,lost-response` has only those, and `freedom` is that of the services.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Faults {
    Full,
    None,
    Only { faults: Vec<Fault>, freedom: bool },
}

impl std::str::FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "full" => return Ok(Self::Full),
            "none" => return Ok(Self::None),
            _ => {}
        }
        let (mut faults, mut freedom) = (Vec::new(), false);
        for name in text.split(',') {
            if name == FREEDOM {
                freedom = true;
                continue;
            }
            let known = |fault: &&Fault| fault.to_string().replace(' ', "-") == name;
            let fault = Fault::ALL.iter().find(known);
            faults.push(*fault.ok_or_else(|| format!("{name} is no fault"))?);
        }
        Ok(Self::Only { faults, freedom })
    }
}

impl Faults {
    fn mix(&self) -> FaultMix {
        let (faults, freedom) = match self {
            Self::Full => return FaultMix::full(),
            Self::None => return FaultMix::none(),
            Self::Only { faults, freedom } => (faults, *freedom),
        };
        let others = Fault::ALL.into_iter().filter(|fault| !faults.contains(fault));
        let mut mix = others.fold(FaultMix::full(), FaultMix::without);
        mix.clock_skew_max = Millis(0);
        if !freedom {
            mix.freedom = FaultMix::none().freedom;
        }
        mix
    }
}

/// The name of the services' freedom in a list of faults.
const FREEDOM: &str = "freedom";

/// The sums of all runs.
#[derive(Debug, Default)]
struct Sums {
    seeds: u64,
    failed: u64,
    orders: u64,
    simulated: Millis,
    steps: u64,
    events: u64,
}

/// Runs the seeds.
///
/// # Errors
/// If a seed fails, or the world cannot be built.
pub(super) fn run(functions: &[(&'static str, Main)], arguments: &Arguments) -> Result<(), Error> {
    let began = Instant::now();
    let Range { start, end } = arguments.seeds.range();
    let (next, ended) = (AtomicU64::new(start), AtomicBool::new(false));
    let sums = Mutex::new((Sums::default(), None));
    let jobs = arguments.jobs.or_else(|| thread::available_parallelism().ok().map(usize::from));
    thread::scope(|scope| {
        for _ in 0..jobs.unwrap_or(1).max(1) {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let ran = run_seed(functions, arguments, seed);
                    let mut sums = sums.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    match ran {
                        Ok(ran) => {
                            let failed = ran.add_to(&mut sums.0);
                            if failed && arguments.until_failure {
                                ended.store(true, Ordering::Relaxed);
                            }
                        }
                        Err(error) => {
                            sums.1 = Some(format!("seed {seed}: {error}"));
                            ended.store(true, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (sums, error) = sums.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = error {
        return Err(error.into());
    }
    say(&sums.to_string());
    say(&format!(
        "{} seeds in {} s, {} failed",
        sums.seeds,
        began.elapsed().as_secs(),
        sums.failed
    ));
    match sums.failed {
        0 => Ok(()),
        failed => Err(format!("{failed} seeds failed").into()),
    }
}

/// A run, and the lines about it.
struct Ran {
    report: Report,
    lines: Vec<String>,
    failed: bool,
}

impl Ran {
    /// Prints it and adds it. Returns whether it failed.
    fn add_to(&self, sums: &mut Sums) -> bool {
        let Report { simulated, steps, events, operations, .. } = &self.report;
        let orders = operations.iter().filter(|(_, text)| text.starts_with("Order"));
        sums.seeds += 1;
        sums.failed += u64::from(self.failed);
        sums.orders += u64::try_from(orders.count()).unwrap_or_default();
        sums.simulated = sums.simulated + *simulated;
        sums.steps += steps;
        sums.events += events;
        for line in &self.lines {
            say(line);
        }
        self.failed
    }
}

fn run_seed(
    functions: &[(&'static str, Main)],
    arguments: &Arguments,
    seed: u64,
) -> Result<Ran, String> {
    let store = store(functions, seed, arguments.orders, arguments.faults.mix())?;
    let report = store.run()?;
    let mut lines = Vec::new();
    if arguments.hashes {
        lines.push(format!("seed {seed} has the trace {}", report.trace.hash()));
    }
    let mut failed = !report.is_ok();
    if failed {
        lines.push(report.to_string());
        let failures = report.failures.iter();
        lines.extend(failures.map(|failure| format!("seed {seed} failed: {failure}")));
        lines.extend(explained(&store, &report, arguments)?);
    } else if arguments.trace {
        lines.push(report.trace.to_string());
    }
    if arguments.twice {
        let [first, second] = [report.trace.hash(), store.run()?.trace.hash()];
        if first != second {
            failed = true;
            lines.push(format!("seed {seed} failed: two traces: {first} {second}"));
        }
    }
    Ok(Ran { report, lines, failed })
}

/// The shrunk workload with the journeys of its requests, and the trace if it is wanted.
fn explained(
    store: &Simulation,
    report: &Report,
    arguments: &Arguments,
) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    if !arguments.until_failure && arguments.shrink > 0 {
        let shrunk = store.shrink(report, arguments.shrink)?;
        lines.push(shrunk.to_string());
        if arguments.trace {
            lines.push(shrunk.report.trace.to_string());
        }
    } else if arguments.trace {
        lines.push(report.trace.to_string());
    }
    Ok(lines)
}

/// One line: `1000 orders, 3600000 s simulated, 10 steps, 20 events`.
impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, simulated, steps, events, .. } = self;
        let seconds = simulated.as_seconds();
        write!(f, "{orders} orders, {seconds} s simulated, {steps} steps, {events} events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_all_none_or_a_list() {
        let only = |faults: &[Fault], freedom| Faults::Only { faults: faults.to_vec(), freedom };
        assert_eq!("full".parse(), Ok(Faults::Full));
        let list = only(&[Fault::Death, Fault::LostResponse], true);
        assert_eq!("death,lost-response,freedom".parse(), Ok(list.clone()));
        let possible: Vec<Fault> = list.mix().faults().collect();
        assert_eq!(possible, [Fault::LostResponse, Fault::Death]);
        "meteor".parse::<Faults>().unwrap_err();
    }
}
