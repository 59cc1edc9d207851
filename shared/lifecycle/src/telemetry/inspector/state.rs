//! The state of a request or record that is in progress.

use std::time::Duration;

use tokio::time::Instant;

use super::super::units::millis;
use super::records::{Progress, Stage, VerdictRecord};

/// How far a request or a record has come.
#[derive(Debug)]
pub(super) struct State {
    pub(super) running: Stage,
    /// The time since which the running stage is not yet counted.
    since: Instant,
    times: Vec<(Stage, Duration, u32)>,
    pub(super) input: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) attempts: u32,
    pub(super) verdicts: Vec<VerdictRecord>,
    pub(super) stale: Vec<String>,
    /// The code and the sentence of the rejection that left a record without effects.
    pub(super) note: Option<(Option<&'static str>, String)>,
    pub(super) is_over: bool,
}

impl State {
    pub(super) fn begin(running: Stage, since: Instant) -> Self {
        Self {
            running,
            since,
            times: vec![(running, Duration::ZERO, 1)],
            input: None,
            caller: None,
            attempts: 0,
            verdicts: Vec::new(),
            stale: Vec::new(),
            note: None,
            is_over: false,
        }
    }

    /// Changes the running stage; counts a run of it, unless it is running already.
    pub(super) fn enter(&mut self, stage: Stage, is_run: bool) {
        self.count_time();
        if stage == self.running {
            return;
        }
        self.running = stage;
        match self.times.iter_mut().find(|(known, ..)| *known == stage) {
            Some((_, _, runs)) => *runs += u32::from(is_run),
            None => self.times.push((stage, Duration::ZERO, 1)),
        }
    }

    /// Adds the time until now to the running stage.
    fn count_time(&mut self) {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.since);
        self.since = now;
        let running = self.times.iter_mut().find(|(stage, ..)| *stage == self.running);
        if let Some((_, total, _)) = running {
            *total += took;
        }
    }

    pub(super) fn progress(&mut self) -> Progress {
        self.count_time();
        let stages = self.times.iter();
        Progress {
            stages: stages.map(|(stage, took, runs)| (*stage, millis(*took), *runs)).collect(),
            input: self.input.clone(),
            caller: self.caller.clone(),
            attempts: self.attempts,
            verdicts: self.verdicts.clone(),
            caches: Vec::new(),
        }
    }
}
