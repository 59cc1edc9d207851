//! The environments of one function, and the invocations that wait for one.
//!
//! Everything here is synchronous and under one lock, so that each step sees a consistent state. An
//! invocation goes to the first free environment. For each one without, a new environment is
//! started.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use super::environment::{Environment, EnvironmentReport, StopCommand};
use super::error::InvokeError;
use super::invocation::Pending;

/// The limits to a function's scaling.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scaling {
    /// Maximum concurrent invocations; more are throttled.
    pub(super) invocations_max: usize,
    /// Maximum processes; further invocations wait for a free one.
    pub(super) environments_max: usize,
    /// The timeout of one invocation.
    pub(super) timeout: Duration,
    /// The idle time after which an environment is ended.
    pub(super) idle_max: Duration,
}

/// The environments of a function as the control address shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionReport {
    /// The invocations that wait for an environment.
    pub waiting: usize,
    /// The environments, oldest first.
    pub environments: Vec<EnvironmentReport>,
}

/// The environments of one function, and the invocations that wait for one.
pub(super) struct Pool {
    scaling: Scaling,
    pending: VecDeque<Pending>,
    environments: Vec<Environment>,
    /// The number of the binary's build for new environments.
    version: u64,
    /// Whether each environment serves only one invocation.
    single_use: bool,
    stopping: bool,
}

/// The result of dispatching waiting invocations.
#[derive(Default)]
pub(super) struct Dispatched {
    /// Request id, environment, and whether it is a cold start.
    pub(super) invoked: Vec<(String, String, bool)>,
    /// The number of environments to start.
    pub(super) starts: usize,
}

impl Pool {
    pub(super) fn new(scaling: Scaling) -> Self {
        Self {
            scaling,
            pending: VecDeque::new(),
            environments: Vec::new(),
            version: 0,
            single_use: false,
            stopping: false,
        }
    }

    /// The number of the binary's build for new environments.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Queues an invocation, or rejects it.
    pub(super) fn submit(&mut self, pending: Pending) -> Result<(), InvokeError> {
        if self.stopping {
            return Err(InvokeError::Stopping);
        }
        let running: usize = self.environments.iter().map(Environment::running_count).sum();
        if running + self.pending.len() >= self.scaling.invocations_max {
            return Err(InvokeError::Throttled);
        }
        self.pending.push_back(pending);
        Ok(())
    }

    /// Hands waiting invocations to free environments, and returns how many more environments are
    /// needed.
    pub(super) fn dispatch(&mut self) -> Dispatched {
        self.retire();
        let mut dispatched = Dispatched::default();
        let (timeout, reuse) = (self.scaling.timeout, self.reuse());
        for environment in &mut self.environments {
            while reuse.allows(environment) && environment.is_free() {
                let Some(pending) = self.pending.pop_front() else {
                    return dispatched;
                };
                let request_id = pending.request_id.clone();
                let cold_start = environment.take(pending, timeout);
                dispatched.invoked.push((request_id, environment.id.to_string(), cold_start));
            }
        }
        let starting = self.environments.iter();
        let starting = starting.filter(|each| each.is_initialising() && reuse.allows(each));
        let coming: usize = starting.map(Environment::capacity).sum();
        let staying = self.environments.iter().filter(|each| !each.is_leaving()).count();
        let room = self.scaling.environments_max.saturating_sub(staying);
        dispatched.starts = self.pending.len().saturating_sub(coming).min(room);
        dispatched
    }

    pub(super) fn add(&mut self, environment: Environment) {
        self.environments.push(environment);
    }

    pub(super) fn get(&mut self, id: &str) -> Option<&mut Environment> {
        self.environments.iter_mut().find(|environment| &*environment.id == id)
    }

    /// Handles the end of an environment's process, and returns the reason unless the end was
    /// ordered. If its initialisation failed, the oldest waiting invocation fails too. Otherwise a
    /// function that cannot start would be restarted forever.
    pub(super) fn ended(&mut self, id: &str, how: &str) -> Option<InvokeError> {
        let position = self.environments.iter().position(|each| &*each.id == id)?;
        let mut environment = self.environments.remove(position);
        let reason = environment.ended(how);
        if environment.is_initialising()
            && let Some(pending) = self.pending.pop_front()
        {
            let _ = pending.answer.send(Err(reason.clone()));
        }
        (!environment.is_leaving()).then_some(reason)
    }

    /// Sets whether each environment serves only one invocation.
    pub(super) fn set_single_use(&mut self, single_use: bool) {
        self.single_use = single_use;
        self.retire();
    }

    /// New environments run the next build; those of the old one end as soon as they are idle.
    pub(super) fn new_version(&mut self) {
        self.version += 1;
        self.retire();
    }

    /// Ends environments that were idle for too long.
    pub(super) fn reap(&mut self) {
        let idle_max = self.scaling.idle_max;
        let idle = self.environments.iter_mut().filter(|each| each.is_idle());
        for environment in idle.filter(|each| each.idle_since.elapsed() > idle_max) {
            environment.order(StopCommand::ShutDown);
        }
    }

    /// Ends all environments. Further invocations are rejected.
    pub(super) fn stop(&mut self, how: StopCommand) {
        self.stopping = true;
        for pending in self.pending.drain(..) {
            let _ = pending.answer.send(Err(InvokeError::Stopping));
        }
        for environment in &mut self.environments {
            environment.order(how);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.environments.is_empty()
    }

    /// The environments and the number of waiting invocations.
    pub(super) fn report(&self) -> FunctionReport {
        let environments = self.environments.iter().map(Environment::report);
        FunctionReport { waiting: self.pending.len(), environments: environments.collect() }
    }

    /// Ends idle environments that may not be reused.
    fn retire(&mut self) {
        let reuse = self.reuse();
        let idle = self.environments.iter_mut().filter(|each| each.is_idle());
        for environment in idle.filter(|each| !reuse.allows(each)) {
            environment.order(StopCommand::ShutDown);
        }
    }

    fn reuse(&self) -> Reuse {
        Reuse { version: self.version, single_use: self.single_use }
    }
}

/// Which environments may take an invocation.
#[derive(Clone, Copy)]
struct Reuse {
    version: u64,
    single_use: bool,
}

impl Reuse {
    /// Not those of an old build or time, also while one of their invocations runs.
    fn allows(self, environment: &Environment) -> bool {
        environment.version == self.version && !(self.single_use && environment.has_been_invoked())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::sync::oneshot;

    use super::super::environment::EnvironmentState;
    use super::super::invocation::Delivery;
    use super::*;

    type Caller = oneshot::Receiver<Result<Bytes, InvokeError>>;

    fn pool(invocations_max: usize) -> Pool {
        Pool::new(Scaling {
            invocations_max,
            environments_max: 8,
            timeout: Duration::from_secs(3),
            idle_max: Duration::from_mins(1),
        })
    }

    fn submit(pool: &mut Pool, request_id: &str) -> Result<Caller, InvokeError> {
        let (answer, caller) = oneshot::channel();
        let pending = Pending {
            request_id: request_id.to_owned(),
            trace_id: String::new(),
            payload: Bytes::from_static(b"{}"),
            answer,
        };
        pool.submit(pending).map(|()| caller)
    }

    fn start(pool: &mut Pool) -> String {
        start_with(pool, 1)
    }

    fn start_with(pool: &mut Pool, capacity: usize) -> String {
        let (environment, orders, limit) = Environment::new(pool.version(), capacity);
        // Keep the supervisor's ends open while the test runs.
        std::mem::forget((orders, limit));
        let id = environment.id.to_string();
        pool.add(environment);
        id
    }

    fn poll(pool: &mut Pool, id: &str) -> oneshot::Receiver<Delivery> {
        let (sender, receiver) = oneshot::channel();
        pool.get(id).unwrap().runtime_polls(sender);
        receiver
    }

    #[tokio::test]
    async fn an_invocation_without_a_free_environment_starts_one() {
        let mut pool = pool(10);
        let _caller = submit(&mut pool, "r1").unwrap();
        assert_eq!(pool.dispatch().starts, 1);
        let id = start(&mut pool);
        assert_eq!(pool.dispatch().starts, 0, "one is already starting");

        let mut delivery = poll(&mut pool, &id);
        let dispatched = pool.dispatch();

        assert_eq!(dispatched.invoked, [("r1".to_owned(), id, true)]);
        assert_eq!(delivery.try_recv().unwrap().request_id, "r1");
    }

    #[tokio::test]
    async fn the_next_invocation_waits_until_the_extension_polls() {
        let mut pool = pool(10);
        let id = start(&mut pool);
        let environment = pool.get(&id).unwrap();
        let extension = environment.register("telemetry", true).unwrap();
        let mut first = submit(&mut pool, "r1").unwrap();
        let (events, mut event) = oneshot::channel();
        pool.get(&id).unwrap().extension_polls(extension, events).unwrap();
        let _delivery = poll(&mut pool, &id);
        pool.dispatch();
        assert_eq!(event.try_recv().unwrap().request_id, "r1");

        assert!(pool.get(&id).unwrap().answered("r1", Ok(Bytes::from_static(b"1")), || ()));
        assert!(first.try_recv().unwrap().is_ok(), "the response was sent");
        let _poll = poll(&mut pool, &id);
        let _second = submit(&mut pool, "r2").unwrap();
        assert!(pool.dispatch().invoked.is_empty(), "the extension is still working");

        let (events, _event) = oneshot::channel();
        pool.get(&id).unwrap().extension_polls(extension, events).unwrap();
        assert_eq!(pool.dispatch().invoked, [("r2".to_owned(), id, false)]);
    }

    #[tokio::test]
    async fn more_invocations_than_reserved_are_throttled() {
        let mut pool = pool(1);
        let _caller = submit(&mut pool, "r1").unwrap();

        assert_eq!(submit(&mut pool, "r2").unwrap_err(), InvokeError::Throttled);
    }

    #[tokio::test]
    async fn an_environment_that_fails_to_start_fails_one_invocation() {
        let mut pool = pool(10);
        let mut first = submit(&mut pool, "r1").unwrap();
        let mut second = submit(&mut pool, "r2").unwrap();
        let id = start(&mut pool);

        pool.ended(&id, "exit status: 1");

        assert!(matches!(first.try_recv().unwrap(), Err(InvokeError::InitFailed { .. })));
        assert!(second.try_recv().is_err(), "the second still waits");
    }

    #[tokio::test]
    async fn an_environment_of_an_old_build_takes_no_more_invocations() {
        let mut pool = pool(10);
        let id = start(&mut pool);
        let _delivery = poll(&mut pool, &id);
        pool.new_version();
        let _caller = submit(&mut pool, "r1").unwrap();

        let dispatched = pool.dispatch();

        assert!(dispatched.invoked.is_empty());
        assert_eq!(dispatched.starts, 1);
    }

    #[tokio::test]
    async fn a_busy_environment_takes_no_more_invocations_once_it_is_outdated() {
        let outdate: [fn(&mut Pool); 2] = [Pool::new_version, |pool| pool.set_single_use(true)];
        for outdate in outdate {
            let mut pool = pool(10);
            let id = start_with(&mut pool, 2);
            let _deliveries = (poll(&mut pool, &id), poll(&mut pool, &id));
            let _first = submit(&mut pool, "r1").unwrap();
            assert_eq!(pool.dispatch().invoked.len(), 1);
            outdate(&mut pool);
            let _second = submit(&mut pool, "r2").unwrap();

            let dispatched = pool.dispatch();

            assert_eq!((dispatched.invoked, dispatched.starts), (vec![], 1));
        }
    }

    #[tokio::test]
    async fn environments_are_reported_with_their_state_and_number_of_invocations() {
        let mut pool = pool(10);
        let id = start(&mut pool);
        let state = |pool: &Pool| {
            let report = pool.report().environments.remove(0);
            (report.state, report.invocations, report.running)
        };
        assert_eq!(state(&pool), (EnvironmentState::Initialising, 0, 0));
        let _delivery = poll(&mut pool, &id);
        assert_eq!(state(&pool), (EnvironmentState::Idle, 0, 0));
        let _caller = submit(&mut pool, "r1").unwrap();
        assert_eq!(pool.report().waiting, 1);
        pool.dispatch();
        assert_eq!(state(&pool), (EnvironmentState::Running, 1, 1));
        pool.get(&id).unwrap().answered("r1", Ok(Bytes::from_static(b"1")), || ());
        let _next = poll(&mut pool, &id);
        assert_eq!(state(&pool), (EnvironmentState::Idle, 1, 0));
    }
}
