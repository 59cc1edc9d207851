//! Lambda: runs the functions' binaries as AWS does, each execution environment a process.
//!
//! An invocation goes to a warm environment or starts one ([`pool`]). Each environment has:
//!
//! - a listener with the Runtime API and the Extensions API ([`runtime_api`], [`extensions_api`]);
//! - a supervisor that starts and ends the process ([`supervisor`]);
//! - a state that keeps Lambda's order of events ([`environment`]).
//!
//! A [`timeline`] records the events of each invocation.
//!
//! Not emulated: asynchronous invocation, streamed responses, external extensions, and AWS's second
//! attempt at an initialisation that exceeds ten seconds.

mod config;
mod deadline;
mod environment;
mod error;
mod extensions_api;
mod function;
mod handle;
mod invocation;
mod log;
mod pool;
mod process_group;
mod runtime_api;
#[cfg(test)]
pub(crate) mod scripted;
mod supervisor;
#[cfg(test)]
mod tests;
mod timeline;
mod variables;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval, sleep};

pub use self::config::FunctionConfig;
pub use self::environment::{EnvironmentReport, EnvironmentState};
pub use self::error::InvokeError;
pub use self::function::FunctionCounts;
pub(crate) use self::log::fields_of;
pub use self::log::{LogLine, LogSink, LogSource};
pub use self::pool::FunctionReport;
pub use self::timeline::{InvocationRecord, TimelineEvent};

use self::environment::StopCommand;
use self::function::{Function, Launch, Recorder, Start};
use self::pool::Scaling;
use self::supervisor::supervise;
use self::timeline::Timeline;
use crate::activity::{Activity, Cause};
use crate::clock::Clock;
use crate::faults::{FaultPoint, NextFaults};
use crate::services::Environments;

/// Maximum concurrent invocations of a function without reserved concurrency: an account's quota.
const INVOCATIONS_MAX: usize = 1_000;
/// Maximum processes per function, to spare this machine. Further invocations queue; AWS would
/// start another environment.
const ENVIRONMENTS_MAX: usize = 32;
/// The idle time after which an environment is ended.
const IDLE_MAX: Duration = Duration::from_mins(5);
/// The interval at which idle environments are ended.
const REAP_EVERY: Duration = Duration::from_secs(5);

/// The running functions. Clones are handles to the same functions.
#[derive(Clone)]
pub struct Functions {
    shared: Arc<Shared>,
}

struct Shared {
    functions: BTreeMap<String, Arc<Function>>,
    timeline: Arc<Timeline>,
    clock: Clock,
    activity: Activity,
    next_faults: NextFaults,
}

impl Functions {
    /// Prepares the functions. The first invocation starts a process.
    pub fn start(deployments: Vec<FunctionConfig>, logs: &LogSink) -> Self {
        Self::start_with(deployments, logs, &Clock::default())
    }

    /// Like [`Functions::start`], with another clock.
    pub fn start_with(deployments: Vec<FunctionConfig>, logs: &LogSink, clock: &Clock) -> Self {
        Self::start_recording(deployments, logs, clock, &Activity::new(clock))
    }

    /// Like [`Functions::start_with`], with the records of a platform.
    pub fn start_recording(
        deployments: Vec<FunctionConfig>,
        logs: &LogSink,
        clock: &Clock,
        activity: &Activity,
    ) -> Self {
        Self::start_by(launch, deployments, logs, clock, activity)
    }

    /// Like [`Functions::start_recording`], with another way to start the processes.
    fn start_by(
        launch: Launch,
        deployments: Vec<FunctionConfig>,
        logs: &LogSink,
        clock: &Clock,
        activity: &Activity,
    ) -> Self {
        let timeline = Arc::new(Timeline::default());
        let next_faults = NextFaults::default();
        let functions = deployments.into_iter().map(|deployment| {
            let id = deployment.logical_id.clone();
            let scaling = scaling(&deployment);
            let recorder = Recorder { timeline: Arc::clone(&timeline), activity: activity.clone() };
            let function = Function::new(deployment, scaling, recorder, logs, clock, launch);
            (id, Arc::new(function.with(next_faults.clone())))
        });
        let functions = functions.collect();
        let (clock, activity) = (clock.clone(), activity.clone());
        let shared = Arc::new(Shared { functions, timeline, clock, activity, next_faults });
        tokio::spawn(reap(Arc::downgrade(&shared)));
        Self { shared }
    }

    /// Runs a function once, by its logical id, and waits for its result. The function runs to its
    /// end even if the caller stops waiting.
    ///
    /// # Errors
    /// If the function cannot run or fails; see [`InvokeError`].
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        self.invoke_for(function, payload, Cause::ByHand).await
    }

    /// Like [`Functions::invoke`], with the cause.
    ///
    /// # Errors
    /// Like [`Functions::invoke`].
    pub async fn invoke_for(
        &self,
        function: &str,
        payload: Bytes,
        cause: Cause,
    ) -> Result<Bytes, InvokeError> {
        match self.shared.functions.get(function) {
            Some(function) => function.invoke(payload, cause).await,
            None => Err(InvokeError::Unknown(function.to_owned())),
        }
    }

    /// The environment variables by which a function finds the emulated services. For a function
    /// that another program runs.
    pub fn variables(&self, function: &str) -> Option<BTreeMap<String, String>> {
        let function = self.shared.functions.get(function)?;
        Some(variables::everywhere(&function.deployment))
    }

    /// Kills the process of an environment, without cleanup.
    pub fn kill(&self, environment: &str) {
        self.shared.kill(environment);
    }

    /// Adds an event to the environment's timeline.
    pub fn note(&self, environment: &str, what: &str) {
        self.shared.note(environment, what);
    }

    /// Turns on or off that every invocation gets a new environment.
    pub fn cold_start_every_call(&self, enabled: bool) {
        for function in self.shared.functions.values() {
            function.step(|pool| pool.set_single_use(enabled));
        }
    }

    /// The one-shot fault of the next request.
    pub fn next_faults(&self) -> &NextFaults {
        &self.shared.next_faults
    }

    /// The execution environments of each function, by its logical id.
    pub fn reports(&self) -> BTreeMap<String, FunctionReport> {
        let functions = self.shared.functions.iter();
        functions.map(|(id, function)| (id.clone(), function.report())).collect()
    }

    /// The records of the platform.
    pub fn activity(&self) -> &Activity {
        &self.shared.activity
    }

    /// The clock of the functions.
    pub(crate) fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Ends every environment as soon as it is idle. Further invocations get new ones.
    pub(crate) fn recycle(&self) {
        for function in self.shared.functions.values() {
            function.step(pool::Pool::new_version);
        }
    }

    /// Handles a rebuilt binary: environments of the old one end as soon as they are idle.
    pub fn binary_changed(&self, binary: &Path) {
        let functions = self.shared.functions.values();
        for function in functions.filter(|function| function.deployment.binary == binary) {
            function.step(pool::Pool::new_version);
        }
    }

    /// The latest invocations, newest last.
    pub fn invocations(&self) -> Vec<InvocationRecord> {
        self.shared.timeline.records()
    }

    /// The counters by the functions' logical ids.
    pub fn counts(&self) -> BTreeMap<String, FunctionCounts> {
        let functions = self.shared.functions.iter();
        functions.map(|(id, function)| (id.clone(), function.counts())).collect()
    }

    /// The functions as an interface for the stores.
    pub fn environments(&self) -> Weak<dyn Environments> {
        let environments: Arc<dyn Environments> = self.shared.clone();
        Arc::downgrade(&environments)
    }

    /// Kills all environments. Further invocations fail.
    pub fn kill_all(&self) {
        for function in self.shared.functions.values() {
            function.step(|pool| pool.stop(StopCommand::Kill));
        }
    }

    /// Ends all environments as Lambda does, and waits until they have ended.
    pub async fn stop(&self) {
        for function in self.shared.functions.values() {
            function.step(|pool| pool.stop(StopCommand::ShutDown));
        }
        // Each environment ends within its grace period; after that it is killed.
        while !self.shared.functions.values().all(|each| each.step(|pool| pool.is_empty())) {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Environments for Shared {
    fn next_fault(
        &self,
        environment: &str,
        call: &dyn Fn() -> u64,
        is_met: &dyn Fn(&FaultPoint) -> bool,
    ) -> Option<FaultPoint> {
        if self.next_faults.is_idle() {
            return None;
        }
        let request = self.activity.running_request(environment)?;
        self.next_faults.met(&request.id, call(), is_met)
    }

    fn note(&self, environment: &str, what: &str) {
        self.timeline.note_environment(environment, what);
    }

    fn kill(&self, environment: &str) {
        self.timeline.note_environment(environment, "killed");
        self.activity.environment_killed(environment);
        for function in self.functions.values() {
            function.step_in(environment, |environment| environment.order(StopCommand::Kill));
        }
    }
}

/// Starts the process of an environment, and the task that watches it.
fn launch(function: &Arc<Function>, start: Start) {
    tokio::spawn(supervise(Arc::clone(function), start));
}

fn scaling(deployment: &FunctionConfig) -> Scaling {
    let reserved = deployment.reserved_concurrency.map(|count| count as usize);
    Scaling {
        invocations_max: reserved.unwrap_or(INVOCATIONS_MAX),
        environments_max: reserved.unwrap_or(ENVIRONMENTS_MAX).min(ENVIRONMENTS_MAX),
        timeout: deployment.timeout,
        idle_max: IDLE_MAX,
    }
}

async fn reap(shared: Weak<Shared>) {
    let mut ticks = interval(REAP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        for function in shared.functions.values() {
            function.step(pool::Pool::reap);
        }
    }
}
