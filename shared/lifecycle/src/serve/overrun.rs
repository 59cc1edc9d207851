//! What becomes of an invocation whose work does not let go of its thread.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Shared;
use super::lambda::{Answer, Handler};
use super::watchdog::{Watchdog, Watched, hand_over};
use crate::Timestamp;
use crate::failure::{BoxError, Failure, Fault};
use crate::platform::Platform;
use crate::telemetry::line::{metric, millis};
use crate::telemetry::log::print;

/// How a platform is connected anew: what is connected belongs to a runtime that is stuck.
pub(crate) type Reconnect = Box<dyn Fn() -> Result<Arc<dyn Platform>, BoxError> + Send>;

/// What is answered and told in place of a handler that does not.
pub(crate) struct LastWords {
    pub(crate) answer: Answer,
    pub(crate) line: String,
}

/// Starts the watch over a handler. Without a thread there is none, and the service goes on.
pub(crate) fn watchdog(
    handler: Arc<dyn Handler>,
    shared: Arc<Shared>,
    reconnect: Reconnect,
) -> Option<Arc<Watchdog>> {
    let overdue = move |watched: &Watched, watchdog: &Watchdog| {
        end(watched, &*handler, &shared, &reconnect);
        if shared.settings.concurrency > 1 {
            watchdog.wait_for_others();
        }
        // The thread cannot be freed of its work: nothing else may be given to this process.
        std::process::exit(1);
    };
    match Watchdog::start(overdue) {
        Ok(watchdog) => Some(watchdog),
        Err(error) => {
            tracing::error!(%error, "no watchdog: work that overruns is ended by Lambda alone");
            None
        }
    }
}

/// Tells of the invocation, answers it, and then counts it, in the order of what may be lost last.
fn end(watched: &Watched, handler: &dyn Handler, shared: &Shared, reconnect: &Reconnect) {
    let took = watched.began.elapsed();
    let words = handler.overran(watched);
    let (outcome, answer, line) = if let Some(LastWords { answer, line }) = words {
        ("response", serde_json::to_vec(&answer), line)
    } else {
        let message = "the work overran its time and kept its thread";
        let error = json!({ "errorType": "TIMED_OUT", "errorMessage": message });
        ("error", serde_json::to_vec(&error), failed(shared, watched, took))
    };
    print(&line);
    let left = || watched.ends.saturating_duration_since(std::time::Instant::now());
    let answer = answer.unwrap_or_default();
    let id = &watched.invocation_id;
    if let Err(error) = hand_over(&shared.settings.runtime_api, id, outcome, &answer, left()) {
        tracing::error!(%error, "an answer in place of work that overran was not taken");
    }
    exchange(shared, reconnect, left());
}

/// The line of a consumer, an authorizer or a rotation that overran.
fn failed(shared: &Shared, watched: &Watched, took: Duration) -> String {
    let settings = &shared.settings;
    let at = Timestamp::now();
    let labels = [("type", "TIMED_OUT"), ("service", settings.service.as_str())];
    let mut line = metric(&settings.service, at, &labels, "errors_total", "Count", 1);
    let facts = json!({
        "level": "ERROR", "timestamp": at, "function": settings.function,
        "message": "work overran its time and kept its thread; the process ends",
        "invocationId": watched.invocation_id, "durationMs": millis(took),
    });
    if let (true, Some(facts)) = (line.ends_with('}'), facts.as_object()) {
        line.pop();
        for (name, value) in facts {
            line.extend([",", &json!(name).to_string(), ":", &value.to_string()]);
        }
        line.push('}');
    }
    line
}

/// Tells the other execution environments what was counted here, by a connection of its own.
fn exchange(shared: &Shared, reconnect: &Reconnect, left: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let told = runtime.map_err(BoxError::from).and_then(|runtime| {
        runtime.block_on(async {
            let platform = reconnect()?;
            let exchange = shared.limiter.exchange_all(&*platform);
            tokio::time::timeout(left, exchange).await.map_err(BoxError::from)
        })
    });
    if let Err(error) = told {
        let error = Failure::Fault(Fault::internal(error));
        tracing::error!(%error, "the counts of a process that ends are lost");
    }
}
