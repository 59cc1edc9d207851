//! Lambda: runs the functions' binaries as AWS does, each execution environment a process.
//!
//! An invocation goes to a warm environment or starts one ([`pool`]). Each environment has a
//! listener of its own that speaks the Runtime API and the Extensions API ([`runtime_api`],
//! [`extensions_api`]), a supervisor that starts and ends the process ([`supervisor`]), and a state
//! that keeps Lambda's order of events ([`environment`]). What happened when is on record
//! ([`timeline`]).
//!
//! Left out: asynchronous invocation, streamed answers, external extensions, and the second try that
//! AWS gives an initialisation that took more than ten seconds.

mod environment;
mod error;
mod extensions_api;
mod function;
mod group;
mod invocation;
mod pool;
mod runtime_api;
mod supervisor;
mod timeline;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval, sleep};

pub use self::error::InvokeError;
pub use self::function::FunctionCounts;
pub use self::timeline::{InvocationRecord, TimelineEvent};

use self::environment::Order;
use self::function::Function;
use self::group::Group;
use self::pool::Scaling;
use self::timeline::Timeline;
use crate::stores::Environments;

/// The most invocations of one function at once where none are reserved: an account's quota.
const INVOCATIONS_MAX: usize = 1_000;
/// The most processes of one function: this machine is no data centre. What finds all of them at
/// work waits, where AWS would start another.
const ENVIRONMENTS_MAX: usize = 32;
/// How long an environment is kept for nothing.
const IDLE_MAX: Duration = Duration::from_mins(5);
/// How often idle environments are looked for.
const REAP_EVERY: Duration = Duration::from_secs(5);

/// A function that is ready to run.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Its name in the template.
    pub logical_id: String,
    /// The program.
    pub binary: PathBuf,
    /// The template's environment variables, resolved.
    pub variables: BTreeMap<String, String>,
    /// The access key by which the stores know it.
    pub access_key_id: String,
    /// Where `DynamoDB`, SQS, Secrets Manager and SES are.
    pub services_endpoint: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Memory in MB, as it is told to the function.
    pub memory_mb: u32,
    /// The most invocations at once, where some are reserved.
    pub reserved_concurrency: Option<u32>,
    /// How many invocations one environment serves at once: 1, or more for Lambda Managed
    /// Instances.
    pub invocations_per_environment: usize,
}

/// A line that a function's process printed, or that the platform says about it.
#[derive(Debug, Clone, Copy)]
pub struct LogLine<'a> {
    /// The logical id of the function.
    pub function: &'a str,
    /// The execution environment.
    pub environment: &'a str,
    /// Who says it.
    pub source: LogSource,
    /// The line, without its end.
    pub text: &'a str,
}

/// Who says a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// The function, on its standard output.
    Stdout,
    /// The function, on its standard error.
    Stderr,
    /// The platform, about the function.
    Platform,
}

/// Whoever reads the logs.
pub type LogSink = Arc<dyn Fn(&LogLine<'_>) + Send + Sync>;

/// The functions, running. Clones are handles to the same functions.
#[derive(Clone)]
pub struct Functions {
    shared: Arc<Shared>,
}

struct Shared {
    functions: BTreeMap<String, Arc<Function>>,
    timeline: Arc<Timeline>,
}

impl Functions {
    /// Makes the functions ready; no process is started before the first invocation.
    pub fn start(deployments: Vec<Deployment>, logs: &LogSink) -> Self {
        let timeline = Arc::new(Timeline::default());
        let group = Arc::new(Group::default());
        let functions = deployments.into_iter().map(|deployment| {
            let id = deployment.logical_id.clone();
            let scaling = scaling(&deployment);
            let function = Function::new(deployment, scaling, &timeline, &group, logs);
            (id, Arc::new(function))
        });
        let shared = Arc::new(Shared { functions: functions.collect(), timeline });
        tokio::spawn(reap(Arc::downgrade(&shared)));
        Self { shared }
    }

    /// Runs a function once, by its logical id, and waits for its answer. It runs to its end even
    /// where nobody waits any more.
    ///
    /// # Errors
    /// Where it cannot be run or does not answer; see [`InvokeError`].
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        match self.shared.functions.get(function) {
            Some(function) => function.invoke(payload).await,
            None => Err(InvokeError::Unknown(function.to_owned())),
        }
    }

    /// The environment variables by which a function finds its tables, queues and secrets here
    /// where something else runs it.
    pub fn variables(&self, function: &str) -> Option<BTreeMap<String, String>> {
        let function = self.shared.functions.get(function)?;
        Some(variables::everywhere(&function.deployment))
    }

    /// Ends the process of an environment at once, with nothing cleaned up.
    pub fn kill(&self, environment: &str) {
        self.shared.kill(environment);
    }

    /// Adds a line to the record of what an environment is doing.
    pub fn note(&self, environment: &str, what: &str) {
        self.shared.note(environment, what);
    }

    /// From now on every invocation gets an environment of its own, or no longer.
    pub fn cold_start_every_call(&self, enabled: bool) {
        for function in self.shared.functions.values() {
            function.step(|pool| pool.set_single_use(enabled));
        }
    }

    /// A binary has been built anew: environments of the old one end as soon as they are idle.
    pub fn binary_changed(&self, binary: &Path) {
        let functions = self.shared.functions.values();
        for function in functions.filter(|function| function.deployment.binary == binary) {
            function.step(pool::Pool::new_version);
        }
    }

    /// The last invocations, newest last.
    pub fn invocations(&self) -> Vec<InvocationRecord> {
        self.shared.timeline.records()
    }

    /// What has been counted, by the functions' logical ids.
    pub fn counts(&self) -> BTreeMap<String, FunctionCounts> {
        let functions = self.shared.functions.iter();
        functions.map(|(id, function)| (id.clone(), function.counts())).collect()
    }

    /// The functions as the stores deal with them.
    pub fn environments(&self) -> Weak<dyn Environments> {
        let environments: Arc<dyn Environments> = self.shared.clone();
        Arc::downgrade(&environments)
    }

    /// Ends all environments at once, and refuses everything from now on.
    pub fn kill_all(&self) {
        for function in self.shared.functions.values() {
            function.step(|pool| pool.stop(Order::Kill));
        }
    }

    /// Ends all environments as Lambda does, and waits until they are gone.
    pub async fn stop(&self) {
        for function in self.shared.functions.values() {
            function.step(|pool| pool.stop(Order::ShutDown));
        }
        // Each environment ends within its grace period, by force if need be.
        while !self.shared.functions.values().all(|each| each.step(|pool| pool.is_empty())) {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Environments for Shared {
    fn note(&self, environment: &str, what: &str) {
        self.timeline.note_environment(environment, what);
    }

    fn kill(&self, environment: &str) {
        self.timeline.note_environment(environment, "killed");
        for function in self.functions.values() {
            function.step_in(environment, |environment| environment.order(Order::Kill));
        }
    }
}

fn scaling(deployment: &Deployment) -> Scaling {
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
