//! The state of an execution environment, for the control address.

use std::time::Duration;

use serde::Serialize;

use super::{Environment, Phase};

/// An execution environment as the control address shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentReport {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: EnvironmentState,
    /// The time since its start, in milliseconds.
    pub age_ms: u64,
    /// The time since it is idle, in milliseconds.
    pub idle_ms: Option<u64>,
    /// The number of invocations that it has taken.
    pub invocations: u64,
    /// The number of invocations that it runs now.
    pub running: usize,
}

/// The state of an execution environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum EnvironmentState {
    /// Its process has started and has not asked for an invocation yet.
    Initialising,
    /// It runs an invocation.
    Running,
    /// It waits for an invocation.
    Idle,
    /// It is being ended.
    Ending,
}

impl Environment {
    pub(in crate::functions) fn report(&self) -> EnvironmentReport {
        let state = match self.phase {
            Phase::Initialising => EnvironmentState::Initialising,
            Phase::Leaving => EnvironmentState::Ending,
            Phase::Serving if self.running.is_empty() => EnvironmentState::Idle,
            Phase::Serving => EnvironmentState::Running,
        };
        let is_idle = state == EnvironmentState::Idle;
        EnvironmentReport {
            id: self.id.to_string(),
            state,
            age_ms: milliseconds(self.started.elapsed()),
            idle_ms: is_idle.then(|| milliseconds(self.idle_since.elapsed())),
            invocations: self.invocations,
            running: self.running.len(),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
