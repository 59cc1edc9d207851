//! Detects conditions that can never hold.

use std::time::Duration;

use tokio::time::Instant;

use crate::commit::FailedWrite;
use crate::error::ServiceError;
use crate::telemetry::observe_error;

/// The error type of conditions that can never hold.
const CONDITION_NEVER_HOLDS: &str = "CONDITION_NEVER_HOLDS";

/// The conditions that failed in successive runs of stages 6 to 8.
///
/// If they are equal and the store returns equal items, no other writer has made the facts stale.
/// One equal run proves nothing yet, because a read may lag behind the write before it.
#[derive(Debug, Default)]
pub(super) struct Repetition {
    /// The failures of the last run, since when they have been equal, and in how many runs.
    last: Option<(Vec<FailedWrite>, Instant, u32)>,
}

impl Repetition {
    /// The least number of equal runs.
    const RUNS_MIN: u32 = 3;
    /// The least time between the first equal run and the last: longer than replication of a table
    /// or of its index usually takes.
    const LASTING: Duration = Duration::from_secs(1);

    /// Notes the failed conditions of a run.
    ///
    /// # Errors
    ///
    /// An internal error when the conditions can never hold.
    pub(super) fn note(&mut self, failed: Vec<FailedWrite>) -> Result<(), ServiceError> {
        let (since, runs) = match &self.last {
            Some((last, since, runs)) if *last == failed => (*since, runs + 1),
            _ => (Instant::now(), 1),
        };
        if runs >= Self::RUNS_MIN && since.elapsed() >= Self::LASTING {
            let conditions = failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let message = "a condition can never hold: equal decisions meet an unchanged item";
            tracing::error!(conditions, runs, "{message}");
            observe_error(CONDITION_NEVER_HOLDS);
            return Err(ServiceError::internal(format!("{message}: {conditions}")));
        }
        self.last = Some((failed, since, runs));
        Ok(())
    }

    /// Notes that another transaction used the same items: the next failure counts as the first.
    pub(super) fn interrupt(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::commit::OutboxRow;
    use crate::effects::{Condition, Write};
    use crate::record::Key;

    fn failed(version: i64) -> Vec<FailedWrite> {
        let condition = Condition::AtLeast("version", version);
        let write = Write::delete::<OutboxRow>(Key::new("1")).when(condition);
        vec![FailedWrite::of(&write, None)]
    }

    #[tokio::test(start_paused = true)]
    async fn equal_failures_are_a_defect_after_3_runs_and_a_second() {
        for (runs, apart_ms, is_defect) in
            [(2, 2_000, false), (3, 499, false), (3, 500, true), (8, 100, false), (11, 100, true)]
        {
            let mut repetition = Repetition::default();
            for run in 1..runs {
                assert!(repetition.note(failed(1)).is_ok(), "{run}");
                advance(Duration::from_millis(apart_ms)).await;
            }
            assert_eq!(repetition.note(failed(1)).is_err(), is_defect, "{runs} {apart_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn another_failure_or_another_writer_starts_the_count_again() {
        let mut repetition = Repetition::default();
        for version in [1, 1, 2, 2, 1] {
            assert!(repetition.note(failed(version)).is_ok());
            advance(Duration::from_secs(2)).await;
        }
        assert!(repetition.note(failed(1)).is_ok());
        repetition.interrupt();
        advance(Duration::from_secs(2)).await;
        for _ in 0..2 {
            assert!(repetition.note(failed(1)).is_ok());
            advance(Duration::from_secs(2)).await;
        }
        assert!(repetition.note(failed(1)).is_err());
    }
}
