//! Ranges of seeds, and the runs of a simulation with each seed of a range.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lifecycle::testing::simulated;

use super::report::{Report, Shrunk};
use super::simulation::Simulation;
use crate::Millis;

/// The runs of the search for a smaller workload.
const SHRINK_RUNS_MAX: usize = 100;

/// A range of seeds, with the first and without the last: `1..101` is the first hundred. In a text, a
/// number is one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds(Range<u64>);

impl Seeds {
    /// The range in an environment variable, or `default` if the variable is not set: a test runs a few
    /// seeds, and a night many.
    ///
    /// # Errors
    /// If the variable has no range with a seed.
    pub fn from_variable(name: &str, default: Range<u64>) -> Result<Self, String> {
        match std::env::var(name) {
            Ok(text) => text.parse().map_err(|error| format!("{name}: {error}")),
            Err(_) => Ok(Self(default)),
        }
    }

    /// The first seed, and the one after the last.
    pub fn range(&self) -> Range<u64> {
        self.0.clone()
    }
}

impl From<Range<u64>> for Seeds {
    fn from(range: Range<u64>) -> Self {
        Self(range)
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        let (from, to) = match text.split_once("..") {
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(text)?, number(text)?.saturating_add(1)),
        };
        if from < to { Ok(Self(from..to)) } else { Err(format!("{text} has no seed")) }
    }
}

/// The runs of several seeds. Its text is for people: the failures, the shrunk workload of the
/// first failing seed with the journey of the request, and at the end the sums.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Runs {
    /// The number of seeds that ran.
    pub seeds: u64,
    /// The simulated time of all runs.
    pub simulated: Millis,
    /// The time that all runs took, without the search for smaller workloads.
    pub wall: Duration,
    /// The calls of services, of functions and of event sources.
    pub steps: u64,
    /// The events of all traces.
    pub events: u64,
    /// The reports of the failing seeds, by seed.
    pub failed: Vec<Report>,
    /// The smaller run of the first failing seed.
    pub shrunk: Option<Shrunk>,
}

impl Runs {
    /// Whether no seed failed.
    pub fn is_ok(&self) -> bool {
        self.failed.is_empty()
    }
}

impl Simulation {
    /// Runs the simulation with each seed of a range, on all processors, and shrinks the workload of the
    /// first seed that fails, by at most 100 more runs.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), String> {
    /// # let simulation = simulation::world::Simulation::new(0);
    /// use simulation::world::Seeds;
    ///
    /// let runs = simulation.run_seeds(&Seeds::from_variable("SEEDS", 1..21)?)?;
    /// assert!(runs.is_ok(), "{runs}");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn run_seeds(&self, seeds: &Seeds) -> Result<Runs, String> {
        // The runs of the search are on this thread, and the others are not.
        simulated::start_log()?;
        let began = Instant::now();
        let Range { start, end } = seeds.range();
        let next = AtomicU64::new(start);
        let ran: Mutex<Vec<Result<Report, String>>> = Mutex::default();
        let jobs = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end {
                            return;
                        }
                        let report = self.clone().with_seed(seed).run().map(Report::kept);
                        ran.lock().unwrap_or_else(PoisonError::into_inner).push(report);
                    }
                });
            }
        });
        let ran = ran.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut reports = ran.into_iter().collect::<Result<Vec<Report>, String>>()?;
        reports.sort_by_key(|report| report.seed);
        let mut runs = Runs {
            seeds: u64::try_from(reports.len()).unwrap_or(u64::MAX),
            simulated: Millis(reports.iter().map(|report| report.simulated.0).sum()),
            wall: began.elapsed(),
            steps: reports.iter().map(|report| report.steps).sum(),
            events: reports.iter().map(|report| report.events).sum(),
            failed: reports.into_iter().filter(|report| !report.is_ok()).collect(),
            shrunk: None,
        };
        if let Some(report) = runs.failed.first() {
            let failing = self.clone().with_seed(report.seed);
            runs.shrunk = Some(failing.shrink(report, SHRINK_RUNS_MAX)?);
        }
        Ok(runs)
    }
}

/// The failures of all seeds, the shrunk run of the first, and at the end one line with the sums.
impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.failed {
            for failure in &report.failures {
                writeln!(f, "seed {}: {failure}", report.seed)?;
            }
        }
        if let Some(shrunk) = &self.shrunk {
            write!(f, "{shrunk}")?;
        }
        let Self { seeds, steps, events, .. } = self;
        let (simulated, wall) = (self.simulated.as_seconds(), self.wall.as_secs_f64());
        let failed = self.failed.len();
        write!(
            f,
            "{seeds} seeds in {wall:.1} s, {failed} failed; {simulated} s simulated, {steps} steps, \
             {events} events"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_or_one_number() {
        assert_eq!("3..7".parse(), Ok(Seeds::from(3..7)));
        assert_eq!("5".parse(), Ok(Seeds::from(5..6)));
        for wrong in ["", "7..7", "7..3", "a..b", "-1"] {
            wrong.parse::<Seeds>().unwrap_err();
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_the_default() {
        let seeds = Seeds::from_variable("NO_SUCH_VARIABLE_OF_SEEDS", 1..4);
        assert_eq!(seeds.map(|seeds| seeds.range()), Ok(1..4));
    }
}
