//! One function: its deployment, its environments and its counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::config::FunctionConfig;
use super::deadline::Deadline;
use super::environment::{Environment, StopCommand};
use super::error::InvokeError;
use super::invocation::Pending;
use super::log::{LogLine, LogSink, LogSource};
use super::pool::{FunctionReport, Pool, Scaling};
use super::timeline::Timeline;
use crate::activity::{Activity, Cause};
use crate::clock::Clock;
use crate::faults::NextFaults;
use sam_template::batches::PAYLOAD_BYTES_MAX;

/// One function.
pub(super) struct Function {
    pub(super) deployment: FunctionConfig,
    pub(super) timeline: Arc<Timeline>,
    pub(super) activity: Activity,
    pool: Mutex<Pool>,
    logs: LogSink,
    pub(super) clock: Clock,
    next_faults: NextFaults,
    launch: Launch,
    counters: Counters,
}

/// Where a function's events are recorded.
pub(super) struct Recorder {
    pub(super) timeline: Arc<Timeline>,
    pub(super) activity: Activity,
}

/// Starts the process of a new environment in a separate task.
pub(super) type Launch = fn(&Arc<Function>, Start);

/// A new environment whose process is to start.
pub(super) struct Start {
    /// Its id.
    pub(super) environment: Arc<str>,
    /// The commands to stop it.
    pub(super) orders: mpsc::UnboundedReceiver<StopCommand>,
    /// The next deadline of an invocation.
    pub(super) limit: Arc<Deadline>,
}

/// A function's counters since the platform started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FunctionCounts {
    /// Accepted invocations.
    pub invocations: u64,
    /// Environments that served a first invocation.
    pub cold_starts: u64,
    /// Failed invocations, without throttled ones.
    pub errors: u64,
    /// Throttled invocations.
    pub throttles: u64,
}

#[derive(Default)]
struct Counters {
    invocations: AtomicU64,
    cold_starts: AtomicU64,
    errors: AtomicU64,
    throttles: AtomicU64,
}

impl Function {
    pub(super) fn new(
        deployment: FunctionConfig,
        scaling: Scaling,
        recorder: Recorder,
        logs: &LogSink,
        clock: &Clock,
        launch: Launch,
    ) -> Self {
        Self {
            deployment,
            timeline: recorder.timeline,
            activity: recorder.activity,
            pool: Mutex::new(Pool::new(scaling)),
            logs: Arc::clone(logs),
            clock: clock.clone(),
            next_faults: NextFaults::default(),
            launch,
            counters: Counters::default(),
        }
    }

    /// The same function with these one-shot faults.
    pub(super) fn with(self, next_faults: NextFaults) -> Self {
        Self { next_faults, ..self }
    }

    /// Whether a process that has a response shall be killed, as a one-shot fault of its request.
    pub(super) fn kills_at_response(&self, environment: &str) -> bool {
        if self.next_faults.is_idle() {
            return false;
        }
        let request = self.activity.running_request(environment);
        request.is_some_and(|request| self.next_faults.kills_at_response(&request.id))
    }

    /// Its environments and waiting invocations.
    pub(super) fn report(self: &Arc<Self>) -> FunctionReport {
        self.step(|pool| pool.report())
    }

    /// Runs the function once, for this cause.
    pub(super) async fn invoke(
        self: &Arc<Self>,
        payload: Bytes,
        cause: Cause,
    ) -> Result<Bytes, InvokeError> {
        let request_id = Uuid::new_v4().to_string();
        self.activity.invocation_queued(&request_id, &self.deployment.logical_id, cause);
        let result = match self.submit(&request_id, payload) {
            Ok(answered) => {
                let (function, answered) = (self, Some(answered));
                Wait { function, request_id: &request_id, answered }.result().await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &result {
            self.note_failure(&request_id, error);
        }
        result
    }

    fn note_failure(&self, request_id: &str, error: &InvokeError) {
        let is_throttle = *error == InvokeError::Throttled;
        let counters = &self.counters;
        let counter = if is_throttle { &counters.throttles } else { &counters.errors };
        counter.fetch_add(1, Ordering::Relaxed);
        self.timeline.note_request(request_id, &format!("failed: {}", error.error_type()));
        self.activity.invocation_ended(request_id, Some(error.to_string()));
    }

    /// Queues an invocation, and returns the receiver of its result.
    fn submit(self: &Arc<Self>, request_id: &str, payload: Bytes) -> Result<Answered, InvokeError> {
        let (bytes, limit) = (payload.len(), PAYLOAD_BYTES_MAX);
        if bytes > limit {
            return Err(InvokeError::EventTooLarge { bytes, limit });
        }
        let (answer, answered) = oneshot::channel();
        let request_id = request_id.to_owned();
        let pending = Pending { request_id, trace_id: trace_id(), payload, answer };
        self.step(|pool| {
            self.timeline.queued(&self.deployment.logical_id, &pending.request_id);
            pool.submit(pending)?;
            self.counters.invocations.fetch_add(1, Ordering::Relaxed);
            Ok::<_, InvokeError>(())
        })?;
        Ok(answered)
    }

    /// Changes the pool, then hands waiting invocations to environments that became free.
    pub(super) fn step<T>(self: &Arc<Self>, change: impl FnOnce(&mut Pool) -> T) -> T {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut pool);
        let dispatched = pool.dispatch();
        for (request_id, environment, cold_start) in dispatched.invoked {
            self.timeline.invoked(&request_id, &environment, cold_start);
            self.activity.invocation_taken(&request_id, &environment, cold_start);
            self.counters.cold_starts.fetch_add(u64::from(cold_start), Ordering::Relaxed);
        }
        for _ in 0..dispatched.starts {
            let capacity = self.deployment.invocations_per_environment.max(1);
            let (environment, orders, limit) = Environment::new(pool.version(), capacity);
            let start = Start { environment: Arc::clone(&environment.id), orders, limit };
            pool.add(environment);
            (self.launch)(self, start);
        }
        changed
    }

    /// Changes one environment. Returns `None` if it has ended.
    pub(super) fn step_in<T>(
        self: &Arc<Self>,
        environment: &str,
        change: impl FnOnce(&mut Environment) -> T,
    ) -> Option<T> {
        self.step(|pool| pool.get(environment).map(change))
    }

    /// Passes a line to the log sink.
    pub(super) fn log(&self, environment: &str, source: LogSource, text: &str) {
        let function = &self.deployment.logical_id;
        self.activity.line(environment, source == LogSource::Platform, text);
        (self.logs)(&LogLine { function, environment, source, text });
    }

    pub(super) fn counts(&self) -> FunctionCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        FunctionCounts {
            invocations: read(&self.counters.invocations),
            cold_starts: read(&self.counters.cold_starts),
            errors: read(&self.counters.errors),
            throttles: read(&self.counters.throttles),
        }
    }
}

/// Receives the result of an invocation.
type Answered = oneshot::Receiver<Result<Bytes, InvokeError>>;

/// A caller that waits for a result. If it leaves first, a task records a later failure.
struct Wait<'a> {
    function: &'a Arc<Function>,
    request_id: &'a str,
    /// `None` once the result is there.
    answered: Option<Answered>,
}

impl Wait<'_> {
    async fn result(mut self) -> Result<Bytes, InvokeError> {
        let stopping = Err(InvokeError::Stopping);
        let Some(answered) = &mut self.answered else { return stopping };
        // The pool always sends a result, unless the platform is being dropped.
        let result = answered.await.unwrap_or(stopping);
        self.answered = None;
        result
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(answered) = self.answered.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let (function, request_id) = (Arc::clone(self.function), self.request_id.to_owned());
        runtime.spawn(async move {
            if let Ok(Err(error)) = answered.await {
                function.note_failure(&request_id, &error);
            }
        });
    }
}

/// An X-Ray trace header with `Sampled=0`, as Lambda creates it without tracing.
fn trace_id() -> String {
    let seconds = jiff::Timestamp::now().as_second();
    let root = Uuid::new_v4().simple().to_string();
    let parent = Uuid::new_v4().simple().to_string();
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", &root[..24], &parent[..16])
}
