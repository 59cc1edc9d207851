//! A function: its settings, its versions, and its idle environments.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::environment::Environment;
use crate::Millis;
use crate::random::{Random, Seeded};
use crate::world::state::lock;
use crate::world::version::Version;

/// The invocations of one function at a time, without reserved concurrency.
const CONCURRENCY: u32 = 1_000;

/// The settings of a function in its template.
pub(in crate::world) struct Settings {
    pub(in crate::world) logical_id: String,
    pub(in crate::world) timeout: Millis,
    pub(in crate::world) reserved_concurrency: Option<u32>,
    pub(in crate::world) variables: Arc<BTreeMap<String, String>>,
}

/// A function.
pub(super) struct Function {
    pub(super) settings: Settings,
    pub(super) versions: Vec<Version>,
    pub(super) random: Mutex<Seeded>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The environments without an invocation; the last was used last.
    idle: Vec<Environment>,
    running: u32,
    started: u64,
    /// The version that a deployment has set, and its number.
    deployed: Option<usize>,
    deployment: u64,
}

/// A place of a function's concurrency.
pub(super) struct Place(Arc<Function>);

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.0.state).running -= 1;
    }
}

impl Function {
    pub(super) fn new(settings: Settings, versions: Vec<Version>, random: Seeded) -> Self {
        Self { settings, versions, random: Mutex::new(random), state: Mutex::default() }
    }

    /// A place for an invocation; `None` if the function is throttled.
    pub(super) fn place(self: &Arc<Self>) -> Option<Place> {
        let mut state = lock(&self.state);
        let max = self.settings.reserved_concurrency.unwrap_or(CONCURRENCY);
        if state.running >= max {
            return None;
        }
        state.running += 1;
        Some(Place(Arc::clone(self)))
    }

    /// The idle environment that was used last.
    pub(super) fn take_idle(&self) -> Option<Environment> {
        lock(&self.state).idle.pop()
    }

    /// The idle environments that have been idle for longer than they live.
    pub(super) fn take_old(&self, now: Millis) -> Vec<Environment> {
        let mut state = lock(&self.state);
        let idle = std::mem::take(&mut state.idle);
        let (old, kept) = idle.into_iter().partition(|environment| environment.is_old(now));
        state.idle = kept;
        old
    }

    /// Gives an environment back. Returns it if a deployment has replaced its version.
    pub(super) fn give_back(&self, environment: Environment) -> Option<Environment> {
        let mut state = lock(&self.state);
        if environment.deployment != state.deployment {
            return Some(environment);
        }
        state.idle.push(environment);
        None
    }

    /// The name, the version and the deployment of a new environment.
    pub(super) fn next(&self) -> (String, usize, u64) {
        let mut state = lock(&self.state);
        let name = format!("{}#{}", self.settings.logical_id, state.started);
        state.started += 1;
        let deployment = state.deployment;
        let version = match state.deployed {
            Some(version) => version,
            None => self.drawn_version(),
        };
        (name, version, deployment)
    }

    /// The last version whose share is drawn; the first, if none is.
    fn drawn_version(&self) -> usize {
        let mut random = lock(&self.random);
        let later = self.versions.iter().enumerate().skip(1).rev();
        let drawn = later.map(|(index, version)| (index, random.happens(version.share)));
        let drawn: Vec<(usize, bool)> = drawn.collect();
        drawn.into_iter().find(|(_, happens)| *happens).map_or(0, |(index, _)| index)
    }

    /// Sets the version of new environments. Returns the idle ones, which end.
    pub(super) fn deploy(&self, version: usize) -> Vec<Environment> {
        let mut state = lock(&self.state);
        state.deployed = Some(version.min(self.versions.len().saturating_sub(1)));
        state.deployment += 1;
        std::mem::take(&mut state.idle)
    }
}
