//! The runs of a schedule: when the next one is due, and the last one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// A schedule with its next and its last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleReport {
    /// The logical id of the function.
    pub function: String,
    /// The name of the schedule, unique in the template.
    pub name: String,
    /// The schedule expression.
    pub expression: String,
    /// When the next run is due on the platform's clock; `None` if there is none.
    pub next_at: Option<Timestamp>,
    /// The number of runs that have not ended.
    pub running: u32,
    /// The run that began last.
    pub last: Option<LastRun>,
    /// The number of runs that have begun, also by hand.
    pub count: u64,
}

/// A run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The reason why it failed.
    pub error: Option<String>,
}

/// The runs of a schedule. Clones are handles to the same runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next_at: Option<Timestamp>,
    running: u32,
    last: Option<LastRun>,
    count: u64,
}

/// A run in progress.
pub(super) struct Run<'a> {
    runs: &'a Runs,
    number: u64,
}

impl Runs {
    /// Notes when the next run is due.
    pub(super) fn is_due_at(&self, at: Option<Timestamp>) {
        self.lock().next_at = at;
    }

    /// Notes that a run begins.
    pub(super) fn begin(&self, at: Timestamp) -> Run<'_> {
        let mut state = self.lock();
        state.count += 1;
        state.running += 1;
        state.last = Some(LastRun { at, ended_at: None, error: None });
        Run { runs: self, number: state.count }
    }

    pub(super) fn report(
        &self,
        function: String,
        name: String,
        expression: String,
    ) -> ScheduleReport {
        let state = self.lock();
        ScheduleReport {
            function,
            name,
            expression,
            next_at: state.next_at,
            running: state.running,
            last: state.last.clone(),
            count: state.count,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run<'_> {
    /// Notes that it ends, with its error if it failed.
    pub(super) fn end(self, at: Timestamp, error: Option<String>) {
        let mut state = self.runs.lock();
        if state.count == self.number
            && let Some(last) = &mut state.last
        {
            last.ended_at = Some(at);
            last.error = error;
        }
    }
}

/// A run also ends when its task is aborted.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.runs.lock().running -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_last_run_is_the_one_that_began_last() {
        let runs = Runs::default();
        runs.is_due_at(Some(at(60)));
        let first = runs.begin(at(1));
        let second = runs.begin(at(2));
        first.end(at(3), Some("it failed".to_owned()));
        let report =
            || runs.report("F".to_owned(), "F.Each".to_owned(), "rate(1 minute)".to_owned());
        let shown = report();
        assert_eq!((shown.next_at, shown.running, shown.count), (Some(at(60)), 1, 2));
        assert_eq!(shown.last, Some(LastRun { at: at(2), ended_at: None, error: None }));
        second.end(at(4), None);
        let ended = LastRun { at: at(2), ended_at: Some(at(4)), error: None };
        assert_eq!((report().running, report().last), (0, Some(ended)));
    }
}
