//! The result of a run.

use std::fmt;
use std::time::Duration;

use super::faults::FaultMix;
use super::trace::{Happened, Trace};
use crate::Millis;

/// The result of a run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The simulated time.
    pub simulated: Millis,
    /// The time that the run took.
    pub wall: Duration,
    /// The calls of services, of functions and of event sources.
    pub steps: u64,
    /// The events of the trace.
    pub events: u64,
    /// The failures that the oracles found, in order.
    pub failures: Vec<Failure>,
    /// The trace.
    pub trace: Trace,
    /// The operations that ran, with their indexes in the plan.
    pub operations: Vec<(usize, String)>,
}

/// A failure that an oracle found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The name of the oracle.
    pub oracle: String,
    /// The wrong state, in one sentence.
    pub reason: String,
    /// When it was found.
    pub at: Millis,
    /// The request of the event that failed, if it was the event of a request.
    pub request: Option<String>,
}

/// A failing run with as little in it as the search has found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Shrunk {
    /// The smallest run that still fails in the same oracle.
    pub report: Report,
    /// Its faults.
    pub faults: FaultMix,
    /// The number of runs of the search.
    pub runs: usize,
}

impl Report {
    /// Whether no oracle found anything.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// The report as it is kept among others: a good one without its trace, which may be long.
    pub(super) fn kept(self) -> Self {
        if self.is_ok() { Self { trace: Trace::default(), ..self } } else { self }
    }

    /// The ids of the last requests, in order.
    fn last_requests(&self) -> Vec<&str> {
        const SHOWN_MAX: usize = 3;
        let requests = self.trace.events().iter().filter_map(|event| match &event.what {
            Happened::Requested { request, .. } => Some(request.as_str()),
            _ => None,
        });
        let requests: Vec<&str> = requests.collect();
        requests[requests.len().saturating_sub(SHOWN_MAX)..].to_vec()
    }

    /// The events of one request in words, an event a line, each after the time since the beginning in
    /// seconds. Empty if the report has no such request.
    pub fn journey(&self, request: &str) -> String {
        self.trace.journey_in_words(request)
    }
}

/// One line: `seed 7: 3600 s simulated in 0.21 s, 812 steps, 4031 events, 0 failures`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, steps, events, .. } = self;
        let (simulated, wall) = (self.simulated.as_seconds(), self.wall.as_secs_f64());
        let failures = self.failures.len();
        write!(
            f,
            "seed {seed}: {simulated} s simulated in {wall:.2} s, {steps} steps, {events} events, \
             {failures} failures"
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.oracle, self.reason)
    }
}

/// The seed, the faults, the operations, the failures, and the journeys of the failing requests.
impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, faults, runs } = self;
        writeln!(f, "seed {} after {runs} runs, with {faults}", report.seed)?;
        for (index, text) in &report.operations {
            writeln!(f, "  operation {index}: {text}")?;
        }
        let mut requests: Vec<&str> = Vec::new();
        for failure in &report.failures {
            writeln!(f, "  {failure}")?;
            requests.extend(failure.request.as_deref().filter(|it| !requests.contains(it)));
        }
        // Found at rest: the last requests are near the reason.
        if requests.is_empty() {
            requests = report.last_requests();
        }
        for request in requests {
            writeln!(f, "  the journey of {request}")?;
            f.write_str(&report.journey(request))?;
        }
        Ok(())
    }
}
