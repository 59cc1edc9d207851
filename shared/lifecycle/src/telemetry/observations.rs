//! Observations made while a request is served, collected per request.
//!
//! They are stored with the task that serves the request, because concurrent requests share the
//! endpoint and the environment.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::TraceContext;
use super::own_value::{FieldValue, OwnValue};

tokio::task_local! {
    static CURRENT: Arc<Observations>;
}

/// The observations of one request.
#[derive(Debug, Default)]
pub(crate) struct Observations {
    request_id: String,
    trace: Option<TraceContext>,
    noted: Mutex<Noted>,
}

/// The recorded observations.
#[derive(Debug, Default, Clone)]
pub(crate) struct Noted {
    /// Calls to the store: operation, table, duration.
    pub(crate) queries: Vec<(&'static str, &'static str, Duration)>,
    /// Look-ups in a cache: its name and whether it was a hit.
    pub(crate) cache: Vec<(&'static str, bool)>,
    /// Error types that the response does not show.
    pub(crate) errors: Vec<&'static str>,
    /// The fields of the service; a later one replaces an earlier one of its name.
    pub(super) fields: Vec<(&'static str, FieldValue)>,
    /// The values of the service's metrics.
    pub(super) values: Vec<OwnValue>,
    /// The numbers of fields and of values before the current run of stages 6 to 8.
    pub(super) mark: (usize, usize),
    /// Whether fields or values of the service were dropped.
    pub(super) has_dropped: bool,
}

impl Noted {
    /// Drops a field or a value of the service beyond the maximum; warns once.
    pub(super) fn drop_own(&mut self, kind: &str, name: &str) {
        if !std::mem::replace(&mut self.has_dropped, true) {
            tracing::warn!(
                kind,
                name,
                "too many fields or metrics of the service; the rest is dropped"
            );
        }
    }
}

impl Observations {
    pub(crate) fn of(request_id: String, trace: Option<TraceContext>) -> Arc<Self> {
        Arc::new(Self { request_id, trace, noted: Mutex::default() })
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(crate) fn noted(&self) -> Noted {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Records something about the current request or record, if there is one.
pub(super) fn note(note: impl FnOnce(&mut Noted)) {
    let _ = CURRENT.try_with(|current| current.note(note));
}

/// Marks the service's fields and values so far, before the first run of stages 6 to 8.
pub(crate) fn mark_own() {
    note(|noted| noted.mark = (noted.fields.len(), noted.values.len()));
}

/// Discards the service's fields and values since the mark.
pub(crate) fn restore_own() {
    note(|noted| {
        let (fields, values) = noted.mark;
        noted.fields.truncate(fields);
        noted.values.truncate(values);
    });
}

/// Runs a future and collects its observations.
pub(crate) fn observed<F: Future>(
    observations: Arc<Observations>,
    future: F,
) -> impl Future<Output = F::Output> {
    CURRENT.scope(observations, future)
}

/// Attaches a future that another task runs to the current request, so that its log lines and
/// metrics have the request's id. Without a current request the future is unchanged.
/// [`background::spawn`](crate::background::spawn) does it for its tasks.
pub fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let current = CURRENT.try_with(Arc::clone).ok();
    let carried = async move {
        match current {
            Some(current) => CURRENT.scope(current, future).await,
            None => future.await,
        }
    };
    #[cfg(any(test, feature = "testing"))]
    let carried = crate::surroundings::all(
        crate::surroundings::current(),
        crate::surroundings::environment(),
        carried,
    );
    carried
}

/// Records a call to the store: `operation` in AWS's spelling (`GetItem`), and the table's logical
/// name. Without a current request it does nothing.
pub fn observe_query(operation: &'static str, table: &'static str, took: Duration) {
    let _ = CURRENT.try_with(|current| {
        current.note(|noted| noted.queries.push((operation, table, took)));
    });
}

/// Records a look-up in a cache, and whether it was a hit.
pub fn observe_cache(cache: &'static str, hit: bool) {
    let _ = CURRENT.try_with(|current| current.note(|noted| noted.cache.push((cache, hit))));
}

/// Records an error type that the response does not show (`RATE_LIMITER_UNAVAILABLE`).
pub fn observe_error(kind: &'static str) {
    let _ = CURRENT.try_with(|current| current.note(|noted| noted.errors.push(kind)));
}

/// The id of the current request.
pub fn request_id() -> Option<String> {
    CURRENT.try_with(|current| current.request_id.clone()).ok()
}

/// The `traceparent` of the current request, to pass on.
pub fn traceparent() -> Option<String> {
    CURRENT.try_with(|current| current.trace.as_ref().map(ToString::to_string)).ok().flatten()
}

/// The `tracestate` of the current request, to pass on.
pub fn tracestate() -> Option<String> {
    let state = |trace: &TraceContext| trace.state().map(str::to_owned);
    CURRENT.try_with(|current| current.trace.as_ref().and_then(state)).ok().flatten()
}
