//! The durations of the stages of a request or record.

use std::time::Duration;

use serde::{Serialize, Serializer};
use tokio::time::Instant;

use super::units::millis;

/// The duration of each stage.
#[derive(Debug)]
pub(crate) struct Stages {
    started: Instant,
    last: Instant,
    times: Vec<(&'static str, Duration)>,
}

impl Stages {
    /// Starts the first stage.
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        Self { started: now, last: now, times: Vec::with_capacity(10) }
    }

    /// Ends a stage. The durations of a stage that runs several times are added.
    pub(crate) fn end(&mut self, stage: &'static str) {
        let now = Instant::now();
        let took = now - self.last;
        self.last = now;
        match self.times.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, total)) => *total += took,
            None => self.times.push((stage, took)),
        }
    }

    /// The start of the first stage.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The time since the start.
    pub(crate) fn total(&self) -> Duration {
        self.started.elapsed()
    }

    /// The stages, in the order in which they first ended.
    pub(crate) fn times(&self) -> &[(&'static str, Duration)] {
        &self.times
    }
}

/// Stages in a log line: an object of their durations in milliseconds.
pub(super) struct Millis<'a> {
    pub(super) times: &'a [(&'static str, Duration)],
    /// Shorter stages are left out.
    pub(super) shortest: Duration,
}

impl Millis<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.shown().next().is_none()
    }

    fn shown(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let long = self.times.iter().filter(|(_, took)| *took >= self.shortest);
        long.map(|(name, took)| (*name, millis(*took)))
    }
}

impl Serialize for Millis<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[test]
    fn stages_that_are_shorter_are_left_out() {
        let times = [("routing", Duration::from_millis(1)), ("rules", Duration::from_millis(3))];
        let shown = |shortest: u64| {
            let millis = Millis { times: &times, shortest: Duration::from_millis(shortest) };
            (serde_json::to_value(&millis).unwrap(), millis.is_empty())
        };
        assert_eq!(shown(1), (serde_json::json!({ "routing": 1.0, "rules": 3.0 }), false));
        assert_eq!(shown(3), (serde_json::json!({ "rules": 3.0 }), false));
        assert_eq!(shown(4), (serde_json::json!({}), true));
    }

    #[tokio::test(start_paused = true)]
    async fn the_total_is_the_time_since_the_start() {
        let mut stages = Stages::start();
        advance(Duration::from_millis(2)).await;
        stages.end("routing");
        advance(Duration::from_millis(3)).await;
        assert_eq!(stages.times(), [("routing", Duration::from_millis(2))]);
        assert_eq!(stages.total(), Duration::from_millis(5));
    }
}
