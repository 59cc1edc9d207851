//! The state of one execution environment: its open polls and its running invocations.
//!
//! This file keeps Lambda's order. An environment is initialised once the runtime and every
//! extension have requested their first event. Each invocation goes to the runtime and to every
//! extension that registered for it. The environment is free again when all of them have requested
//! the next event; the caller has its response earlier.

mod report;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

pub use self::report::{EnvironmentReport, EnvironmentState};
use super::deadline::Deadline;
use super::error::InvokeError;
use super::invocation::{Delivery, Pending, ResultSender};

/// The time limit for requesting the first event.
pub(super) const INIT_LIMIT: Duration = Duration::from_secs(10);

/// The most extensions of one environment, as on Lambda.
const EXTENSIONS_MAX: usize = 10;

/// A command to the environment's supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopCommand {
    /// End the process at once.
    Kill,
    /// End it as Lambda does: SIGTERM, and a grace period if an extension is registered.
    ShutDown,
}

/// The phase of an environment's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Initialising,
    Serving,
    /// It is being ended and takes no more invocations.
    Leaving,
}

/// One execution environment.
pub(super) struct Environment {
    pub(super) id: Arc<str>,
    /// The number of the binary's build.
    pub(super) version: u64,
    /// The time since which it is idle.
    pub(super) idle_since: Instant,
    phase: Phase,
    /// The maximum number of concurrent invocations.
    capacity: usize,
    started: Instant,
    /// The number of invocations that it has taken.
    invocations: u64,
    runtime_polls: VecDeque<oneshot::Sender<Delivery>>,
    extensions: Vec<Extension>,
    running: Vec<Running>,
    /// The reason to end it: an error that it reported, or an overrun initialisation.
    failure: Option<InvokeError>,
    orders: mpsc::UnboundedSender<StopCommand>,
    /// The deadline at which the supervisor checks for overruns.
    limit: Arc<Deadline>,
}

struct Extension {
    id: Uuid,
    name: String,
    wants_invocations: bool,
    poll: Option<oneshot::Sender<Delivery>>,
    /// Whether it has requested its first event.
    ready: bool,
}

struct Running {
    request_id: String,
    deadline: Instant,
    /// Taken when the result is sent.
    answer: Option<ResultSender>,
}

/// The reason why an extension is not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RegistrationError {
    #[error("Extension registration closed already")]
    Closed,
    #[error("Extension with this name already registered")]
    NameTaken,
    #[error("Extension limit (10) reached")]
    TooMany,
    #[error("Invoke event is not supported where one environment serves several invocations")]
    NoInvokeEvents,
}

impl Environment {
    /// Returns the environment, the supervisor's command receiver, and the next deadline.
    pub(super) fn new(
        version: u64,
        capacity: usize,
    ) -> (Self, mpsc::UnboundedReceiver<StopCommand>, Arc<Deadline>) {
        let (orders, order_receiver) = mpsc::unbounded_channel();
        let limit = Arc::new(Deadline::new(Instant::now() + INIT_LIMIT));
        let environment = Self {
            id: Uuid::new_v4().to_string().into(),
            version,
            idle_since: Instant::now(),
            phase: Phase::Initialising,
            capacity,
            started: Instant::now(),
            invocations: 0,
            runtime_polls: VecDeque::new(),
            extensions: Vec::new(),
            running: Vec::new(),
            failure: None,
            orders,
            limit: Arc::clone(&limit),
        };
        (environment, order_receiver, limit)
    }

    pub(super) fn is_initialising(&self) -> bool {
        self.phase == Phase::Initialising
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.phase == Phase::Leaving
    }

    /// Whether it waits for an invocation and none is running.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Serving && self.running.is_empty()
    }

    pub(super) fn running_count(&self) -> usize {
        self.running.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether it has taken an invocation.
    pub(super) fn has_been_invoked(&self) -> bool {
        self.invocations > 0
    }

    /// Whether Lambda grants it a grace period to shut down.
    pub(super) fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// Orders its end. Running invocations continue until the process has ended.
    pub(super) fn order(&mut self, order: StopCommand) {
        self.phase = Phase::Leaving;
        // Sending fails only if the supervisor has ended, and then the process has ended too.
        let _ = self.orders.send(order);
    }

    /// Kills the process; its running invocations fail for this reason.
    pub(super) fn fail(&mut self, reason: InvokeError) {
        self.failure.get_or_insert(reason);
        let _ = self.orders.send(StopCommand::Kill);
    }

    pub(super) fn register(
        &mut self,
        name: &str,
        wants_invocations: bool,
    ) -> Result<Uuid, RegistrationError> {
        if self.phase != Phase::Initialising || !self.runtime_polls.is_empty() {
            return Err(RegistrationError::Closed);
        }
        if self.capacity > 1 && wants_invocations {
            return Err(RegistrationError::NoInvokeEvents);
        }
        if self.extensions.iter().any(|extension| extension.name == name) {
            return Err(RegistrationError::NameTaken);
        }
        if self.extensions.len() == EXTENSIONS_MAX {
            return Err(RegistrationError::TooMany);
        }
        let id = Uuid::new_v4();
        self.extensions.push(Extension {
            id,
            name: name.to_owned(),
            wants_invocations,
            poll: None,
            ready: false,
        });
        Ok(id)
    }

    /// Handles the runtime's request for an invocation. Returns whether that completed
    /// initialisation.
    pub(super) fn runtime_polls(&mut self, poll: oneshot::Sender<Delivery>) -> bool {
        self.runtime_polls.push_back(poll);
        self.settle()
    }

    /// Handles an extension's request for an event. Returns whether that completed initialisation,
    /// or `None` if the extension is not registered.
    pub(super) fn extension_polls(
        &mut self,
        id: Uuid,
        poll: oneshot::Sender<Delivery>,
    ) -> Option<bool> {
        let extension = self.extensions.iter_mut().find(|extension| extension.id == id)?;
        extension.poll = Some(poll);
        extension.ready = true;
        Some(self.settle())
    }

    pub(super) fn extension_name(&self, id: Uuid) -> Option<&str> {
        let found = self.extensions.iter().find(|extension| extension.id == id);
        found.map(|extension| extension.name.as_str())
    }

    /// Whether it can take an invocation now.
    pub(super) fn is_free(&mut self) -> bool {
        // A poll on a closed connection belongs to an ending process.
        self.runtime_polls.retain(|poll| !poll.is_closed());
        self.phase == Phase::Serving
            && self.running.len() < self.capacity
            && !self.runtime_polls.is_empty()
            && self.extensions_wait()
    }

    /// Hands it an invocation. Returns whether it is the first one.
    pub(super) fn take(&mut self, pending: Pending, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let delivery = Delivery {
            request_id: pending.request_id.clone(),
            trace_id: pending.trace_id,
            payload: pending.payload,
            deadline_ms: epoch_ms() + timeout.as_millis(),
        };
        let answer = Some(pending.answer);
        self.running.push(Running { request_id: pending.request_id, deadline, answer });
        for extension in self.extensions.iter_mut().filter(|each| each.wants_invocations) {
            if let Some(poll) = extension.poll.take() {
                // Sending fails only if the process is ending; its supervisor reports that.
                let _ = poll.send(Delivery { payload: Bytes::new(), ..delivery.clone() });
            }
        }
        if let Some(poll) = self.runtime_polls.pop_front() {
            let _ = poll.send(delivery);
        }
        self.update_limit();
        self.invocations += 1;
        self.invocations == 1
    }

    /// Handles the runtime's result of an invocation. Calls `ended` before its caller gets the result.
    /// Returns whether the invocation still awaited one.
    pub(super) fn answered(
        &mut self,
        request_id: &str,
        result: Result<Bytes, InvokeError>,
        ended: impl FnOnce(),
    ) -> bool {
        let running = self.running.iter_mut().find(|running| running.request_id == request_id);
        let Some(answer) = running.and_then(|running| running.answer.take()) else {
            return false;
        };
        ended();
        // The caller may have stopped waiting; the invocation still counts as done.
        let _ = answer.send(result);
        if self.capacity > 1 {
            self.running.retain(|running| running.request_id != request_id);
            self.update_limit();
        }
        true
    }

    /// Fails an overrun initialisation, or overrun invocations, and returns their request ids. Calls
    /// `interrupted` with each before its caller gets the error. Ends the environment, unless it
    /// serves several invocations at once.
    pub(super) fn overran(&mut self, timeout: Duration, interrupted: impl Fn(&str)) -> Vec<String> {
        if self.is_initialising() {
            let limit_s = INIT_LIMIT.as_secs();
            let reason = format!("Init phase timed out after {limit_s} seconds");
            self.limit.set(None);
            self.fail(InvokeError::InitFailed { reason });
            return Vec::new();
        }
        let now = Instant::now();
        let (late, in_time): (Vec<_>, Vec<_>) =
            self.running.drain(..).partition(|running| running.deadline <= now);
        self.running = in_time;
        self.update_limit();
        if self.capacity == 1 && !late.is_empty() {
            self.order(StopCommand::Kill);
        }
        late.into_iter()
            .map(|running| {
                interrupted(&running.request_id);
                if let Some(answer) = running.answer {
                    let _ = answer.send(Err(InvokeError::TimedOut { after: timeout }));
                }
                running.request_id
            })
            .collect()
    }

    /// Handles the process's end: running invocations fail. Returns the reason.
    pub(super) fn ended(&mut self, how: &str) -> InvokeError {
        let reason = self.failure.take().unwrap_or_else(|| match self.phase {
            Phase::Initialising => InvokeError::InitFailed { reason: how.to_owned() },
            Phase::Serving | Phase::Leaving => InvokeError::Crashed { how: how.to_owned() },
        });
        self.give_up(&reason);
        reason
    }

    /// Completes the initialisation or an invocation once runtime and extensions have all polled
    /// again. Returns whether the initialisation is complete.
    fn settle(&mut self) -> bool {
        if self.runtime_polls.is_empty() || !self.extensions_wait() {
            return false;
        }
        let initialised = self.phase == Phase::Initialising;
        if initialised {
            self.phase = Phase::Serving;
        }
        if self.capacity == 1 {
            // A runtime that polls again without a result has dropped its invocation.
            self.give_up(&InvokeError::Crashed { how: "no response was posted".to_owned() });
        }
        self.idle_since = Instant::now();
        self.update_limit();
        initialised
    }

    fn give_up(&mut self, reason: &InvokeError) {
        for answer in self.running.drain(..).filter_map(|running| running.answer) {
            let _ = answer.send(Err(reason.clone()));
        }
    }

    fn extensions_wait(&self) -> bool {
        self.extensions.iter().all(|extension| {
            if extension.wants_invocations { extension.poll.is_some() } else { extension.ready }
        })
    }

    fn update_limit(&self) {
        let earliest = self.running.iter().map(|running| running.deadline).min();
        self.limit.set(earliest);
    }

    /// Its state, for the control address.
    pub(super) fn report(&self) -> EnvironmentReport {
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

fn epoch_ms() -> u128 {
    u128::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
