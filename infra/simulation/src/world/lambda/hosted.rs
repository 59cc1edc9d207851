//! The code of a function in an execution environment: the only place that knows the library whose
//! functions are simulated.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, Weak};

use aws::testing::{AsyncRespond, ConnectorFailure, connector};
use bytes::Bytes;
use http::{Request, Response};
use lifecycle::Timestamp;
use lifecycle::testing::simulated::{
    self, Deferred, SimulatedFunction, SimulatedInvocation, Surroundings, within,
};
use sam_template::batches::PAYLOAD_BYTES_MAX;
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::Millis;
use crate::random::{Random, Seeded};
use crate::world::network::{Broken, Wire};
use crate::world::state::{BEGINNING, World, lock};
use crate::world::trace::Happened;

/// A function that has started.
pub(super) struct Hosted(SimulatedFunction);

/// An invocation.
pub(super) struct Invocation {
    pub(super) id: String,
    pub(super) event: Bytes,
    pub(super) deadline: Instant,
    pub(super) x_ray: Option<String>,
    pub(super) cold_start: bool,
}

/// An invocation that has ended.
pub(super) struct Ended {
    /// The payload, or the message of the error.
    pub(super) answer: Result<Json, String>,
    /// The work after the response.
    pub(super) deferred: Option<Deferred>,
}

/// The surroundings of an execution environment. Code that outlives its world does not keep it.
struct Around {
    world: Weak<World>,
    wire: Weak<Wire>,
    environment: String,
    skew: Millis,
    random: Mutex<Seeded>,
}

impl Surroundings for Around {
    fn now(&self) -> Timestamp {
        let now = self.world.upgrade().map_or(BEGINNING, |world| world.now()) + self.skew;
        Timestamp::from_millis(i64::try_from(now.0).unwrap_or(i64::MAX))
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut random = lock(&self.random);
        for chunk in bytes.chunks_mut(8) {
            let drawn = random.bits().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }

    fn log(&self, line: &str) {
        let (Some(world), Some(wire)) = (self.world.upgrade(), self.wire.upgrade()) else { return };
        let line = serde_json::from_str(line).unwrap_or_else(|_| Json::String(line.to_owned()));
        let (environment, invocation) = (self.environment.clone(), wire.invocation());
        world.record(Happened::Line { environment, invocation, line });
    }
}

/// Answers the requests of an environment.
struct OnWire(Weak<Wire>);

#[async_trait::async_trait]
impl AsyncRespond for OnWire {
    async fn respond(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ConnectorFailure> {
        let wire = self.0.upgrade().ok_or(ConnectorFailure::Refused)?;
        wire.respond(request).await.map_err(|broken| match broken {
            Broken::NoHost => ConnectorFailure::Refused,
            Broken::Connection => ConnectorFailure::Reset,
        })
    }
}

impl Hosted {
    /// Starts a function: calls its `main` with these variables.
    ///
    /// # Errors
    /// The text that the function would have logged.
    pub(super) async fn start(
        world: &Arc<World>,
        wire: &Arc<Wire>,
        environment: &str,
        skew: Millis,
        variables: Arc<BTreeMap<String, String>>,
        main: &(dyn Fn() -> ExitCode + Send + Sync),
    ) -> Result<Self, String> {
        let around = Around {
            world: Arc::downgrade(world),
            wire: Arc::downgrade(wire),
            environment: environment.to_owned(),
            skew,
            random: Mutex::new(world.streams.of(&format!("environment {environment}"))),
        };
        let network = connector(OnWire(Arc::downgrade(wire)));
        let lookup = move |name: &str| variables.get(name).cloned();
        let start = async move { network.scope(|| simulated::start(Arc::new(lookup), main)) };
        within(Arc::new(around), start).await.map(Self)
    }

    /// The init phase before the first event.
    pub(super) async fn initialise(&self) {
        self.0.initialise().await;
    }

    pub(super) async fn invoke(&self, invocation: Invocation) -> Ended {
        let Invocation { id, event, deadline, x_ray, cold_start } = invocation;
        let invocation = SimulatedInvocation { id, event, deadline, x_ray, cold_start };
        match self.0.invoke(invocation).await {
            Ok(returned) => {
                Ended { answer: within_limit(returned.payload), deferred: returned.deferred }
            }
            Err(failed) => Ended { answer: Err(failed.error), deferred: failed.deferred },
        }
    }
}

/// The payload, or the error of one that is larger than Lambda returns.
fn within_limit(payload: Json) -> Result<Json, String> {
    if payload.to_string().len() <= PAYLOAD_BYTES_MAX {
        return Ok(payload);
    }
    Err(format!(
        "Response payload size exceeded maximum allowed payload size ({PAYLOAD_BYTES_MAX} bytes)."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_over_the_payload_limit_is_an_error() {
        let payload = |bytes: usize| Json::String("x".repeat(bytes - 2));
        assert!(within_limit(payload(PAYLOAD_BYTES_MAX)).is_ok());
        let error = within_limit(payload(PAYLOAD_BYTES_MAX + 1)).unwrap_err();
        assert!(error.contains("exceeded maximum allowed payload size"), "{error}");
    }
}
