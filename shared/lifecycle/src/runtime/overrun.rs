//! Ends an invocation whose work blocks its thread beyond the deadline.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::invocation::{Handler, LastWords};
use super::shared::Shared;
use super::watchdog::{Watchdog, Watched, hand_over};
use crate::clock;
use crate::error::{BoxError, RequestError, ServiceError};
use crate::ports::Store;
use crate::telemetry::Document;
use crate::telemetry::log::print_all;
use crate::telemetry::units::millis;

/// Connects the store again: the existing connections belong to the blocked runtime.
pub(crate) type Reconnect = Box<dyn Fn() -> Result<Arc<dyn Store>, BoxError> + Send>;

/// Starts the watchdog of a handler. If no thread can be started, the service continues without
/// one. `reconnect` is `None` for a function without the table of counts.
pub(crate) fn watchdog(
    handler: Arc<dyn Handler>,
    shared: Arc<Shared>,
    reconnect: Option<Reconnect>,
) -> Option<Arc<Watchdog>> {
    let overdue = move |watched: &Watched, watchdog: &Watchdog| {
        end(watched, &*handler, &shared, reconnect.as_ref());
        if shared.settings.concurrency > 1 {
            watchdog.wait_for_others();
        }
        // The blocked thread cannot be freed: the process must not get more requests.
        std::process::exit(1);
    };
    match Watchdog::start(overdue) {
        Ok(watchdog) => Some(watchdog),
        Err(error) => {
            tracing::error!(%error, "watchdog not started; only Lambda ends a blocked invocation");
            None
        }
    }
}

/// The error of a blocked invocation.
const BLOCKED: &str = "the handler blocked its thread beyond the deadline";

/// Logs the invocation, responds to it, and counts it, in order of importance.
pub(super) fn end(
    watched: &Watched,
    handler: &dyn Handler,
    shared: &Shared,
    reconnect: Option<&Reconnect>,
) {
    let took = watched.began.elapsed();
    let words = handler.overran(watched);
    let (outcome, answer, line) = if let Some(LastWords { answer, line }) = words {
        ("response", serde_json::to_vec(&answer), line)
    } else {
        let error = json!({ "errorType": "TIMED_OUT", "errorMessage": BLOCKED });
        ("error", serde_json::to_vec(&error), failed(shared, watched, took))
    };
    print_all([line]);
    if let Some(inspector) = &shared.inspector {
        inspector.blocked(&watched.invocation_id, BLOCKED);
    }
    let left = || watched.ends.saturating_duration_since(Instant::now().into_std());
    let answer = answer.unwrap_or_default();
    let id = &watched.invocation_id;
    if let Err(error) = hand_over(&shared.settings.runtime_api, id, outcome, &answer, left()) {
        tracing::error!(%error, "cannot send the time-out response to the Runtime API");
    }
    if let Some(reconnect) = reconnect {
        exchange(shared, reconnect, left());
    }
}

/// The log line of a blocked consumer, authorizer or rotation.
pub(super) fn failed(shared: &Shared, watched: &Watched, took: Duration) -> String {
    let settings = &shared.settings;
    let at = clock::now();
    let labels = [("type", "TIMED_OUT"), ("service", settings.service.as_str())];
    let mut line = Document::new(&settings.service);
    line.metric(&labels, "errors_total", "Count", 1);
    line.member("level", "ERROR");
    line.member("timestamp", at);
    line.member("message", "the handler blocked its thread beyond the deadline; the process exits");
    line.member("function", &settings.function);
    line.member("invocationId", &watched.invocation_id);
    line.member("durationMs", millis(took));
    line.into_json(at)
}

/// Exchanges the counts with the other execution environments, on a new connection.
fn exchange(shared: &Shared, reconnect: &Reconnect, left: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let told = runtime.map_err(BoxError::from).and_then(|runtime| {
        runtime.block_on(async {
            let store = reconnect()?;
            let exchange = shared.limiter.exchange_all(&*store);
            tokio::time::timeout(left, exchange).await.map_err(BoxError::from)
        })
    });
    if let Err(error) = told {
        let error = RequestError::ServiceError(ServiceError::internal(error));
        tracing::error!(%error, "rate limit counts not exchanged before the process exit");
    }
}
