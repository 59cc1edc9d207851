//! Functions of a simulation: started by their `main`, invoked without Lambda.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

use super::defer_mode::DeferMode;
use super::deferred::DeferredWork;
use super::invocation::{Handler, Invocation};
use super::probe;
use super::shared::Shared;
use crate::Deadline;
use crate::resource::Resource;
use crate::surroundings::{self, Environment, Surroundings, Tasks, driven};
use crate::telemetry::{log, panic_message};

/// The environment variables of a simulated function, by name.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Starts a function as Lambda does at a cold start: calls its `main`, with these environment
/// variables.
///
/// In its `main` the function reads the variables and builds the endpoint, consumer, authorizer or
/// rotation. It does not serve: this function returns it. With the crate `aws`, `main` also needs
/// the connector of the simulation; see `aws::testing::connector`.
///
/// Call it within an async runtime, and within [`within`](crate::testing::simulated::within): the
/// function keeps those surroundings for its whole life.
///
/// # Errors
///
/// The text that the function would have logged before its process ended: missing variables, or a
/// panic of `main`. An error, too, if the process or the thread has another subscriber of `tracing`:
/// the log lines would be lost.
pub fn start(
    environment: Variables,
    main: impl FnOnce() -> ExitCode,
) -> Result<SimulatedFunction, String> {
    let name = environment("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "function".to_owned());
    log::start_simulated().map_err(|reason| format!("{name} cannot start: {reason}"))?;
    let level = environment("LOG_LEVEL").filter(|level| !level.is_empty());
    let home = Home {
        surroundings: surroundings::current(),
        function: name.into(),
        log_level: log::level_of(level.as_deref()),
        tasks: Arc::new(Tasks::default()),
    };
    let before = STARTING.replace(Some(Starting { variables: environment, built: None }));
    let ended =
        surroundings::started_in(home.environment(), || catch_unwind(AssertUnwindSafe(main)));
    let started = STARTING.replace(before);
    let built = match (ended, started.and_then(|started| started.built)) {
        (Err(panic), _) => Err(panic_message(&*panic)),
        (Ok(_), Some(built)) => built,
        (Ok(_), None) => Err("main returned without serving".to_owned()),
    };
    Ok(SimulatedFunction { built: built?, home, description: OnceLock::new() })
}

/// The environment variables of the simulated function whose `main` this thread runs; `None` outside
/// of [`start`].
pub fn variables() -> Option<Variables> {
    STARTING.with_borrow(|starting| Some(Arc::clone(&starting.as_ref()?.variables)))
}

thread_local! {
    static STARTING: RefCell<Option<Starting>> = const { RefCell::new(None) };
}

/// A function whose `main` runs.
struct Starting {
    variables: Variables,
    built: Option<Result<Built, String>>,
}

/// A function that is built.
pub(super) struct Built {
    pub(super) handler: Arc<dyn Handler>,
    pub(super) shared: Arc<Shared>,
    pub(super) resources: Vec<Resource>,
    pub(super) describe: Box<dyn Fn() -> Value + Send + Sync>,
}

/// Hands a function over to [`start`], instead of serving it.
pub(super) fn hand_over(built: Result<Built, String>) -> ExitCode {
    let code = if built.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    STARTING.with_borrow_mut(|starting| {
        if let Some(starting) = starting {
            starting.built = Some(built);
        }
    });
    code
}

/// The surroundings and the tasks of an execution environment.
#[derive(Clone)]
struct Home {
    surroundings: Option<Arc<dyn Surroundings>>,
    function: Arc<str>,
    log_level: LevelFilter,
    tasks: Arc<Tasks>,
}

impl Home {
    fn environment(&self) -> Environment {
        Environment {
            function: Arc::clone(&self.function),
            log_level: self.log_level,
            tasks: Arc::downgrade(&self.tasks),
        }
    }

    /// Runs work of the environment, and its background tasks meanwhile.
    async fn run<F: Future>(&self, work: F) -> F::Output {
        let work = driven(&self.tasks, work);
        surroundings::all(self.surroundings.clone(), Some(self.environment()), work).await
    }
}

/// An execution environment of a simulated function: caches, breakers, counts and background tasks
/// live as long as this value.
///
/// All of it happens inside of the futures that it returns, in the surroundings of its start:
///
/// - A dropped future is work that ends there, at its last await point. No task is left behind. The
///   environment must not be used again, except where Lambda would use it again.
/// - Between two futures the environment is frozen: its background tasks, such as the refresh of a
///   secret, stand still. Time passes for them.
/// - Dropping the value ends the environment, with its background tasks.
///
/// As on Lambda, one invocation runs at a time, and the next one after the deferred work. The
/// watchdog is off.
pub struct SimulatedFunction {
    built: Built,
    home: Home,
    description: OnceLock<Value>,
}

/// An invocation of a simulated function.
#[derive(Debug, Clone)]
pub struct SimulatedInvocation {
    /// Lambda's id of the invocation.
    pub id: String,
    /// The event, as JSON.
    pub event: Bytes,
    /// When Lambda ends the invocation. The function ends its work up to half a second before.
    pub deadline: Instant,
    /// `X-Amzn-Trace-Id`, if Lambda sends it.
    pub x_ray: Option<String>,
    /// Whether it is the first invocation of its environment.
    pub cold_start: bool,
}

/// The result of an invocation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Returned {
    /// The payload for the service that invoked the function: a response for API Gateway, the failures of a
    /// batch, the finding of an authorizer.
    pub payload: Value,
    /// The work after the response, if there is any.
    pub deferred: Option<Deferred>,
    /// The lines about the request or the records, with their metrics. They are in the log before the
    /// response leaves.
    pub lines: Vec<Value>,
}

/// A failed invocation, which Lambda retries or reports.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failed {
    /// The error's type and message for Lambda.
    pub error: String,
    /// As in [`Returned`]: failed batches have lines, too.
    pub deferred: Option<Deferred>,
    /// As in [`Returned`].
    pub lines: Vec<Value>,
}

/// The work of an invocation after its response: messages, mails, posts, exchanges of counts, spans.
/// Only a function with an internal extension has some.
///
/// A future. Lambda would send the next event once it is done. If it is dropped, the work is lost,
/// as in an environment that dies.
pub struct Deferred(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Future for Deferred {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl SimulatedFunction {
    /// Opens connections and reads secrets, as Lambda's init phase does before the first event. A
    /// failure is harmless.
    pub async fn initialise(&self) {
        self.home.run(self.built.shared.adapter.warm()).await;
    }

    /// Invokes the function.
    ///
    /// # Errors
    ///
    /// If the invocation is a failed one.
    ///
    /// # Panics
    ///
    /// Never: responses always have a JSON form.
    pub async fn invoke(&self, invocation: SimulatedInvocation) -> Result<Returned, Failed> {
        let SimulatedInvocation { id, event, deadline, x_ray, cold_start } = invocation;
        let deadline = Deadline::ending_at(deadline);
        let invocation = Invocation { invocation_id: id, event, deadline, x_ray, cold_start };
        let handler = &*self.built.handler;
        // With an extension, the simulation decides when the work is done.
        let has_extension = handler.defers_work();
        let mode = if has_extension { DeferMode::Spawned } else { DeferMode::BeforeResponse };
        let ended = async {
            let handled = probe::answered_or_handled(handler, invocation).await;
            let lines = handled.deferred.as_ref().map(lines_of).unwrap_or_default();
            (handled.answer, lines, mode.before_answer(handled.deferred).await)
        };
        let (answer, lines, left) = Box::pin(self.home.run(ended)).await;
        let deferred = left.map(|work| self.deferred(work));
        match answer {
            Ok(answer) => {
                let payload = serde_json::to_value(answer);
                let payload = payload.expect("responses always have a JSON form");
                Ok(Returned { payload, deferred, lines })
            }
            Err(error) => Err(Failed { error, deferred, lines }),
        }
    }

    fn deferred(&self, work: DeferredWork) -> Deferred {
        let home = self.home.clone();
        Deferred(Box::pin(async move { home.run(work.perform()).await }))
    }

    /// The name of the function.
    pub fn name(&self) -> &str {
        &self.home.function
    }

    /// The kind: `endpoint`, `consumer`, `authorizer` or `rotation`.
    pub fn kind(&self) -> &str {
        self.describe()["kind"].as_str().unwrap_or_default()
    }

    /// The method and the path template of an endpoint.
    pub fn route(&self) -> Option<(&str, &str)> {
        let route = &self.describe()["route"];
        Some((route["method"].as_str()?, route["path"].as_str()?))
    }

    /// The resources that the function was connected with.
    pub fn resources(&self) -> &[Resource] {
        &self.built.resources
    }

    /// The description that `--describe` prints.
    pub fn describe(&self) -> &Value {
        self.description.get_or_init(&self.built.describe)
    }
}

impl fmt::Debug for SimulatedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedFunction").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deferred")
    }
}

fn lines_of(deferred: &DeferredWork) -> Vec<Value> {
    deferred.lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
