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
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Calls to the store: operation, table, duration.
    pub(crate) queries: Vec<(&'static str, &'static str, Duration)>,
    /// Look-ups in a cache: its name and whether it was a hit.
    pub(crate) cache: Vec<(&'static str, bool)>,
    /// Error types that the response does not show.
    pub(crate) errors: Vec<&'static str>,
    /// The fields of the service; a later one replaces an earlier one of its name.
    pub(crate) fields: Vec<(&'static str, FieldValue)>,
    /// The values of the service's metrics.
    pub(crate) values: Vec<OwnValue>,
    /// The fields, and the number of values, before the current run of stages 6 to 8.
    pub(crate) mark: (Vec<(&'static str, FieldValue)>, usize),
    /// Whether fields or values of the service were dropped.
    pub(crate) has_dropped: bool,
}

impl Noted {
    /// Whether it has nothing but values that can be added to those of others.
    pub(crate) fn is_usual(&self) -> bool {
        self.fields.is_empty() && self.errors.is_empty() && !self.has_dropped
    }

    /// Adds the values of another request or record.
    pub(crate) fn extend(&mut self, other: Self) {
        self.queries.extend(other.queries);
        self.cache.extend(other.cache);
        self.values.extend(other.values);
    }

    /// The number of values of the most frequent kind.
    pub(crate) fn values_count_max(&self) -> usize {
        self.queries.len().max(self.cache.len()).max(self.values.len())
    }

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

    /// Reads the observations so far.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Noted) -> T) -> T {
        read(&self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the observations so far.
    pub(crate) fn take_noted(&self) -> Noted {
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner))
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
    note(|noted| noted.mark = (noted.fields.clone(), noted.values.len()));
}

/// Restores the service's fields and values as they were at the mark.
pub(crate) fn restore_own() {
    note(|noted| {
        let (fields, values) = &noted.mark;
        noted.fields.clone_from(fields);
        noted.values.truncate(*values);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::captured::Captured;

    #[tokio::test]
    async fn calls_and_lookups_belong_to_the_current_request() {
        let observations = Observations::of("req-1".to_owned(), None);
        let took = Duration::from_millis(3);
        observed(Arc::clone(&observations), async {
            observe_query("GetItem", "notes", took);
            observe_cache("products", true);
            observe_error("CACHE_FULL");
        })
        .await;
        observe_query("PutItem", "notes", took);
        let noted = observations.take_noted();
        assert_eq!(noted.queries, [("GetItem", "notes", took)]);
        assert_eq!((noted.cache, noted.errors), (vec![("products", true)], vec!["CACHE_FULL"]));
    }

    #[test]
    fn a_service_with_too_many_values_is_warned_once() {
        let logged = Captured::start();
        let mut noted = Noted::default();
        noted.drop_own("field", "first");
        noted.drop_own("metric", "second");
        let message = "too many fields or metrics of the service; the rest is dropped";
        let [line] = <[serde_json::Value; 1]>::try_from(logged.of(message)).unwrap();
        assert_eq!((&line["kind"], &line["name"]), (&"field".into(), &"first".into()));
    }
}
