//! What happens while a request is served, noted where it happens and collected per request.
//!
//! The note is kept beside the task that serves the request, not in the endpoint and not in the
//! environment: one process may serve several requests at once.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::TraceContext;
use crate::effects::Message;

tokio::task_local! {
    static CURRENT: Arc<Observations>;
}

/// What was noted while one request was served.
#[derive(Debug, Default)]
pub(crate) struct Observations {
    request_id: String,
    trace: Option<TraceContext>,
    noted: Mutex<Noted>,
}

/// The notes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Noted {
    /// Calls of the store: operation, table, how long.
    pub(crate) queries: Vec<(&'static str, &'static str, Duration)>,
    /// Look-ups in a cache: its name and whether it knew.
    pub(crate) cache: Vec<(&'static str, bool)>,
    /// Errors that the answer does not show, by their type.
    pub(crate) errors: Vec<&'static str>,
    /// Messages that go out whatever the answer is.
    pub(crate) messages: Vec<Message>,
}

impl Observations {
    pub(crate) fn of(request_id: String, trace: Option<TraceContext>) -> Arc<Self> {
        Arc::new(Self { request_id, trace, noted: Mutex::default() })
    }

    pub(crate) fn noted(&self) -> Noted {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Runs a future with notes kept.
pub(crate) fn observed<F: Future>(
    observations: Arc<Observations>,
    future: F,
) -> impl Future<Output = F::Output> {
    CURRENT.scope(observations, future)
}

/// Has a future that another task runs belong to the request that is being served: its log lines
/// and metrics name the request. Outside of a request it is the future as it is.
pub fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let current = CURRENT.try_with(Arc::clone).ok();
    async move {
        match current {
            Some(current) => CURRENT.scope(current, future).await,
            None => future.await,
        }
    }
}

/// Notes a call of the store: `operation` as AWS names it (`GetItem`), the table's logical name.
/// Outside of a request nothing is noted.
pub fn observe_query(operation: &'static str, table: &'static str, took: Duration) {
    let _ = CURRENT.try_with(|current| {
        current.note(|noted| noted.queries.push((operation, table, took)));
    });
}

/// Notes a look-up in a cache, and whether the cache knew.
pub fn observe_cache(cache: &'static str, hit: bool) {
    let _ = CURRENT.try_with(|current| current.note(|noted| noted.cache.push((cache, hit))));
}

/// Notes an error that the answer does not show, by its type (`RATE_LIMITER_UNAVAILABLE`).
pub fn observe_error(kind: &'static str) {
    let _ = CURRENT.try_with(|current| current.note(|noted| noted.errors.push(kind)));
}

/// Leaves a message to be sent after the answer of an endpoint, whatever the answer is: word of
/// what has failed would not get out among the effects of a request, which has none if it fails.
pub fn leave_message(message: Message) {
    let _ = CURRENT.try_with(|current| current.note(|noted| noted.messages.push(message)));
}

/// The id of the request that is being served.
pub fn request_id() -> Option<String> {
    CURRENT.try_with(|current| current.request_id.clone()).ok()
}

/// The `traceparent` of the request that is being served, to be passed on.
pub fn traceparent() -> Option<String> {
    CURRENT.try_with(|current| current.trace.as_ref().map(ToString::to_string)).ok().flatten()
}

/// The `tracestate` of the request that is being served, to be passed on.
pub fn tracestate() -> Option<String> {
    let state = |trace: &TraceContext| trace.state().map(str::to_owned);
    CURRENT.try_with(|current| current.trace.as_ref().and_then(state)).ok().flatten()
}
