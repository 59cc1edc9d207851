//! The state of an execution environment, for the control address.

use serde::Serialize;

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
