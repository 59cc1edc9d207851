//! Functions in the process of a test, without Lambda.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::invocation::{Handler, Invocation};
use super::settings::Settings;
use super::shared::Shared;
use super::{consumer, endpoint};
use crate::Deadline;
use crate::consumer::Consumer;
use crate::endpoint::Endpoint;
use crate::ports::Adapter;

/// The time for one invocation.
const TIME: Duration = Duration::from_secs(10);

/// A function that a test invokes.
pub(crate) struct Function(Arc<dyn Handler>);

/// The result of an invocation, after its deferred work.
pub(crate) struct Invoked {
    /// The payload for Lambda, or the message of a failed invocation.
    pub(crate) answer: Result<Value, String>,
    /// The lines of the requests and records, with their metrics.
    pub(crate) lines: Vec<Value>,
}

impl Function {
    pub(crate) fn endpoint<E: Endpoint>(endpoint: E, adapter: Arc<dyn Adapter>) -> Self {
        Self(Arc::new(endpoint::Handler::new(endpoint, shared(adapter))))
    }

    pub(crate) fn consumer<C: Consumer>(consumer: C, adapter: Arc<dyn Adapter>) -> Self {
        Self(Arc::new(consumer::Handler::new(consumer, shared(adapter))))
    }

    pub(crate) async fn invoke(&self, event: &Value) -> Invoked {
        let invocation = Invocation {
            invocation_id: String::new(),
            event: Bytes::from(event.to_string()),
            deadline: Deadline::after(TIME),
            x_ray: None,
            cold_start: false,
        };
        let handled = self.0.handle(invocation).await;
        let answer = handled
            .answer
            .map(|answer| serde_json::to_value(answer).expect("responses always have a JSON form"));
        let mut lines = Vec::new();
        if let Some(mut deferred) = handled.deferred {
            // The test gets them, instead of its standard output.
            let written = std::mem::take(&mut deferred.lines);
            lines.extend(written.iter().filter_map(|line| serde_json::from_str(line).ok()));
            deferred.perform().await;
        }
        Invoked { answer, lines }
    }
}

fn shared(adapter: Arc<dyn Adapter>) -> Arc<Shared> {
    let (service, function) = ("test".to_owned(), "test".to_owned());
    Arc::new(Shared::new(Settings { service, function, ..Settings::default() }, adapter))
}
