//! Schedules: a function runs whenever its expression is due, or by hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use super::events;
use super::mapping::Mapping;
use super::runs::{Runs, ScheduleReport};
use crate::activity::Cause;
use crate::functions::InvokeError;
use sam_template::ScheduleService;
use sam_template::schedules::Schedule;

/// Invokes the function whenever the schedule is due, until the task is aborted.
pub(super) async fn keep(scheduled: Scheduled, schedule: Schedule) {
    let clock = scheduled.mapping.stores.clock().clone();
    loop {
        let reading = clock.read();
        let Some(wait) = schedule.wait(reading.now()) else { break };
        scheduled.runs.is_due_at(reading.now().checked_add(wait).ok());
        clock.sleep(reading, wait).await;
        // The next run must not wait for the end of this one.
        let scheduled = scheduled.clone();
        tokio::spawn(async move {
            if let Err(error) = scheduled.run().await {
                scheduled.mapping.say(&format!("a scheduled run failed: {error}"));
            }
        });
    }
    scheduled.runs.is_due_at(None);
}

/// A schedule's function and its event.
#[derive(Clone)]
pub(super) struct Scheduled {
    pub(super) mapping: Mapping,
    /// The schedule expression.
    pub(super) expression: String,
    pub(super) runs: Runs,
    pub(super) service: ScheduleService,
    /// The event's input, instead of the service's default.
    pub(super) input: Option<String>,
}

impl Scheduled {
    async fn run(&self) -> Result<Bytes, InvokeError> {
        let event = self.input.clone();
        let (name, now) = (self.mapping.name.as_str(), self.mapping.now());
        let event = event.unwrap_or_else(|| events::of_schedule(self.service, name, now));
        let run = self.runs.begin(now);
        let cause = Cause::Schedule(name.to_owned());
        let result = self.mapping.invoke(event, cause).await;
        run.end(self.mapping.now(), result.as_ref().err().map(ToString::to_string));
        result
    }
}

/// The schedules of a template, for showing them and running them by hand.
#[derive(Clone, Default)]
pub struct Schedules(Arc<Vec<Scheduled>>);

impl Schedules {
    pub(super) fn new(schedules: Vec<Scheduled>) -> Self {
        Self(Arc::new(schedules))
    }

    /// The logical ids of the functions.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        let functions: BTreeSet<&str> =
            self.0.iter().map(|scheduled| scheduled.mapping.function.as_str()).collect();
        functions.into_iter()
    }

    /// Each schedule with its next and its last run.
    pub fn reports(&self) -> Vec<ScheduleReport> {
        self.0.iter().map(Scheduled::report).collect()
    }

    /// Invokes a function now as its schedule would, and waits for the end of the run. `None` if
    /// the function has no schedule.
    pub async fn run(&self, function: &str) -> Option<Result<Bytes, InvokeError>> {
        let mut latest = self.0.iter().rev();
        Some(latest.find(|scheduled| scheduled.mapping.function == function)?.run().await)
    }
}

impl Scheduled {
    fn report(&self) -> ScheduleReport {
        let (function, name) = (self.mapping.function.clone(), self.mapping.name.clone());
        self.runs.report(function, name, self.expression.clone())
    }
}
