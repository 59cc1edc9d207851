//! The collector of one request or record.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::super::observations::Observations;
use super::built::HAS_INSPECTOR;
use super::records::{
    Begun, Ended, InspectorRecord, Judge, Reached, SettledRecord, Stage, VerdictRecord,
};
use super::state::State;
use super::text::{printed, shortened};
use super::writer::Writer;
use crate::commit::FailedWrite;
use crate::error::{DomainError, ErrorResponse, RequestError, ServiceError};

/// The maximum numbers of entries in a record.
const CACHES_MAX: usize = 500;
const STALE_MAX: usize = 50;

/// The inspection of one request or record. Without an inspector it is empty and does nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inspection(Option<Arc<Open>>);

/// A request or record that is in progress.
#[derive(Debug)]
pub(super) struct Open {
    writer: Arc<Writer>,
    invocation: String,
    observations: Arc<Observations>,
    /// The record; `None` for a request.
    record: Option<RecordOf>,
    state: Mutex<State>,
}

/// The beginning of a request.
pub(crate) struct RequestOf<'a> {
    pub(crate) invocation: &'a str,
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) cold_start: bool,
    pub(crate) started: Instant,
}

/// The origin of a record.
#[derive(Debug)]
pub(crate) struct RecordOf {
    /// The id of a queue's message.
    pub(crate) message_id: Option<String>,
    pub(crate) record_id: String,
    pub(crate) request_id: String,
    pub(crate) source: &'static str,
    pub(crate) deliveries: u32,
}

/// The end of a request.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) status: u16,
    pub(crate) refused_at: Option<Stage>,
    pub(crate) failure: Option<ErrorResponse>,
    /// The chain of causes, for errors that are not the client's.
    pub(crate) error: Option<String>,
    pub(crate) replayed: bool,
    pub(crate) deferred: usize,
}

/// The end of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    Processed,
    /// A rule, or a queue, has refused it; it counts as processed.
    Rejected,
    Duplicate,
    DeadLettered,
}

impl Inspection {
    pub(super) fn of(open: Arc<Open>) -> Self {
        Self(Some(open))
    }

    /// Begins the inspection of a request.
    pub(super) fn of_request(
        writer: &Arc<Writer>,
        observations: &Arc<Observations>,
        request: &RequestOf<'_>,
    ) -> Self {
        writer.write(&InspectorRecord::Begun(Begun {
            invocation: request.invocation,
            request_id: observations.request_id(),
            method: request.method,
            route: request.route,
            cold_start: request.cold_start,
        }));
        let state = State::begin(Stage::Routing, request.started);
        Self::begin(writer, request.invocation, observations, None, state)
    }

    /// Begins the inspection of a record.
    pub(super) fn of_record(
        writer: &Arc<Writer>,
        observations: &Arc<Observations>,
        invocation: &str,
        started: Instant,
        record: RecordOf,
    ) -> Self {
        let state = State::begin(Stage::Deserialization, started);
        Self::begin(writer, invocation, observations, Some(record), state)
    }

    fn begin(
        writer: &Arc<Writer>,
        invocation: &str,
        observations: &Arc<Observations>,
        record: Option<RecordOf>,
        state: State,
    ) -> Self {
        Self(Some(Arc::new(Open {
            writer: Arc::clone(writer),
            invocation: invocation.to_owned(),
            observations: Arc::clone(observations),
            record,
            state: Mutex::new(state),
        })))
    }

    /// Returns the part that the inspector knows while the request or record is in progress.
    pub(super) fn open(&self) -> Option<&Arc<Open>> {
        if HAS_INSPECTOR { self.0.as_ref() } else { None }
    }

    /// A stage begins. Nothing happens if it is running already.
    pub(crate) fn enter(&self, stage: Stage) {
        self.note(|state| state.enter(stage, true));
    }

    /// A stage continues, without a further run.
    pub(crate) fn resume(&self, stage: impl Into<Option<Stage>>) {
        if let Some(stage) = stage.into() {
            self.note(|state| state.enter(stage, false));
        }
    }

    /// The running stage.
    pub(crate) fn running(&self) -> Option<Stage> {
        self.open().map(|open| open.state().running)
    }

    pub(crate) fn input(&self, input: &impl Debug) {
        if self.open().is_some() {
            // A `Debug` that panics must not change the request.
            let printed = catch_unwind(AssertUnwindSafe(|| printed(input))).ok();
            self.note(|state| state.input = printed);
        }
    }

    pub(crate) fn caller(&self, caller: impl FnOnce() -> Option<String>) {
        if self.open().is_some() {
            let caller = caller().map(shortened);
            self.note(|state| state.caller = caller);
        }
    }

    /// A decision about the caller. Facts are decided about again in each attempt: the last decision
    /// counts.
    pub(crate) fn verdict(&self, by: Judge, allowed: bool, reason: impl FnOnce() -> String) {
        if self.open().is_some() {
            let verdict =
                VerdictRecord { stage: by.stage(), by, allowed, reason: shortened(reason()) };
            self.note(|state| {
                state.verdicts.retain(|earlier| by != Judge::Facts || earlier.by != by);
                state.verdicts.push(verdict);
            });
        }
    }

    /// The facts of an attempt were stale.
    pub(crate) fn stale(&self, failed: &[FailedWrite]) {
        self.note(|state| {
            let room = STALE_MAX.saturating_sub(state.stale.len());
            let failed = failed.iter().take(room);
            state.stale.extend(failed.map(|failed| shortened(failed.to_string())));
        });
    }

    /// An attempt met another request at the same time.
    pub(crate) fn conflict(&self) {
        self.note(|state| {
            if state.stale.len() < STALE_MAX {
                state
                    .stale
                    .push("another request used the same items or key at the same time".to_owned());
            }
        });
    }

    /// A rule rejected the record.
    pub(crate) fn rejected(&self, rejection: &DomainError) {
        self.note(|state| state.note = Some((Some(rejection.code), rejection.message.to_string())));
    }

    /// A queue refused a message of the record, which has its replacement effects.
    pub(crate) fn replaced(&self, code: &'static str, error: &str) {
        self.note(|state| state.note = Some((Some(code), error.to_owned())));
    }

    /// The running stage is about to read or to commit in this attempt.
    pub(crate) fn reached(&self, attempts: u32) {
        let Some(open) = self.open() else { return };
        let (mut progress, running) = {
            let mut state = open.state();
            state.attempts = attempts;
            (state.progress(), state.running)
        };
        progress.stages.retain(|(stage, ..)| *stage < running);
        progress.caches = open.caches();
        let (invocation, progress) = (open.invocation.as_str(), &progress);
        open.writer.write(&InspectorRecord::Reached(Reached { invocation, progress, running }));
    }

    /// The request has ended.
    pub(crate) fn ended(&self, attempts: u32, ending: impl FnOnce() -> Ending) {
        let Some(open) = self.open() else { return };
        let ending = ending();
        let (mut progress, stale) = {
            let mut state = open.state();
            if std::mem::replace(&mut state.is_over, true) {
                return;
            }
            state.attempts = attempts;
            (state.progress(), std::mem::take(&mut state.stale))
        };
        progress.caches = open.caches();
        let failure = ending.failure.as_ref();
        let error = ending.error.map(shortened);
        open.writer.write(&InspectorRecord::Ended(Ended {
            invocation: &open.invocation,
            progress: &progress,
            status: ending.status,
            code: failure.map(|failure| failure.code),
            message: failure.map(|failure| &*failure.message),
            refused_at: ending.refused_at.map(Stage::of_nine),
            error: error.as_deref(),
            replayed: ending.replayed,
            field_errors: failure.map(|failure| failure.details.as_slice()).unwrap_or_default(),
            stale: &stale,
            deferred: ending.deferred,
        }));
    }

    /// The record is settled, or has failed.
    pub(crate) fn settled(&self, settled: Result<Settlement, &RequestError>) {
        let Some(open) = self.open() else { return };
        let (outcome, reason) = match settled {
            Ok(settlement @ (Settlement::Rejected | Settlement::DeadLettered)) => {
                (settlement.name(), open.state().note.take())
            }
            Ok(settlement) => (settlement.name(), None),
            Err(failure) => ("failed", Some((Some(failure.response().code), failure.to_string()))),
        };
        open.settled(outcome, reason);
    }

    /// The record is unreadable, and its dead-letter queue has it.
    pub(crate) fn unreadable(&self, reason: &str) {
        self.note(|state| state.note = Some((None, reason.to_owned())));
    }

    /// The process exits because the work blocks its thread.
    pub(super) fn blocked(&self, error: &str) {
        let Some(open) = self.open() else { return };
        let failure = RequestError::ServiceError(ServiceError::TimedOut).response();
        if open.record.is_some() {
            return open.settled("failed", Some((Some(failure.code), error.to_owned())));
        }
        let (attempts, running) = {
            let state = open.state();
            (state.attempts, state.running)
        };
        self.ended(attempts, || Ending {
            status: failure.status.as_u16(),
            refused_at: Some(running),
            failure: Some(failure),
            error: Some(error.to_owned()),
            ..Ending::default()
        });
    }

    fn note(&self, note: impl FnOnce(&mut State)) {
        if let Some(open) = self.open() {
            note(&mut open.state());
        }
    }
}

impl Open {
    pub(super) fn is_of(&self, invocation: &str) -> bool {
        self.invocation == invocation
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn caches(&self) -> Vec<(&'static str, bool)> {
        let mut caches = self.observations.read(|noted| noted.cache.clone());
        caches.truncate(CACHES_MAX);
        caches
    }

    fn settled(&self, outcome: &str, reason: Option<(Option<&'static str>, String)>) {
        let Some(record) = &self.record else { return };
        let progress = {
            let mut state = self.state();
            if std::mem::replace(&mut state.is_over, true) {
                return;
            }
            state.progress()
        };
        let (code, error) = reason.unzip();
        let code = code.flatten();
        let error = error.map(shortened);
        self.writer.write(&InspectorRecord::Record(SettledRecord {
            invocation: &self.invocation,
            message_id: record.message_id.as_deref(),
            record_id: &record.record_id,
            request_id: &record.request_id,
            source: record.source,
            deliveries: record.deliveries,
            outcome,
            code,
            error: error.as_deref(),
            stages: &progress.stages,
            input: progress.input.as_deref(),
        }));
    }
}

impl Settlement {
    fn name(self) -> &'static str {
        match self {
            Self::Processed | Self::Rejected => "processed",
            Self::Duplicate => "duplicate",
            Self::DeadLettered => "deadLettered",
        }
    }
}
