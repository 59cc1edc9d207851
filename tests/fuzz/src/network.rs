//! The surroundings of the functions: time, randomness and log, and a network to the simulated services.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws::testing::{AsyncRespond, ConnectorFailure};
use http::{HeaderValue, Request, Response};
use lifecycle::Timestamp;
use lifecycle::testing::simulated::Surroundings;
use simulate::upstreams::{Alerts, Objects, Partner};
use simulation::Millis;
use simulation::random::{Random, Seeded};
use simulation::services::{Called, Services, WireRequest, WireResponse};
use simulation::world::Upstream;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// The time at which each input arrives: a minute after the stored items of `tests/items`.
pub const NOW: Millis = Millis(1_800_000_060_000);

/// The time, the randomness and the log of all functions.
pub(crate) struct Around {
    pub(crate) began: Mutex<Instant>,
    pub(crate) random: Mutex<Seeded>,
    pub(crate) lines: Mutex<Vec<String>>,
}

impl Around {
    pub(crate) fn elapsed(&self, runtime: &Runtime) -> Duration {
        runtime.block_on(async { lock(&self.began).elapsed() })
    }

    fn millis(&self) -> Millis {
        NOW + Millis::of(lock(&self.began).elapsed())
    }
}

impl Surroundings for Around {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.millis().0).unwrap_or(i64::MAX))
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut random = lock(&self.random);
        for chunk in bytes.chunks_mut(8) {
            let drawn = random.bits().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }

    fn log(&self, line: &str) {
        lock(&self.lines).push(line.to_owned());
    }
}

/// The services, and the answers of the input.
pub(crate) struct State {
    pub(crate) services: Services,
    pub(crate) answers: VecDeque<Response<Vec<u8>>>,
    pub(crate) answers_of_aws: bool,
    /// Whether a call may have changed the services.
    pub(crate) wrote: bool,
}

/// The network of all functions.
pub(crate) struct Network {
    pub(crate) state: Mutex<State>,
    pub(crate) around: Arc<Around>,
    pub(crate) partner: Mutex<Partner>,
}

/// The network of one function.
pub(crate) struct Wire {
    pub(crate) network: Arc<Network>,
    pub(crate) caller: &'static str,
}

#[async_trait]
impl AsyncRespond for Wire {
    async fn respond(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ConnectorFailure> {
        let host = request.uri().host().unwrap_or_default();
        let is_aws = host.ends_with(".amazonaws.com");
        let state = &mut *lock(&self.network.state);
        if is_aws && !request.headers().contains_key("authorization") {
            return Ok(response(404, Vec::new()));
        }
        if (state.answers_of_aws || !is_aws)
            && let Some(answer) = state.answers.pop_front()
        {
            return Ok(answer);
        }
        if is_aws { Ok(self.ask_aws(state, &request)) } else { self.ask_upstream(host, &request) }
    }
}

impl Wire {
    fn ask_aws(&self, state: &mut State, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let now = self.network.around.millis();
        let target = request.headers().get("x-amz-target").and_then(|it| it.to_str().ok());
        let operation = target.and_then(|it| it.split_once('.')).map_or("", |(_, it)| it);
        let reads = ["GetItem", "BatchGetItem", "Query", "Scan", "GetSecretValue"];
        state.wrote |= !reads.contains(&operation);
        let mut random = Seeded::new(5);
        let request = WireRequest {
            caller: self.caller,
            target,
            path: request.uri().path(),
            body: request.body(),
        };
        let called = state.services.call(now, &mut random, request);
        let wire = match called {
            Called::AtOnce(wire) => wire,
            Called::CompletesAt(at, id) => {
                let ended = state.services.advance(at, &mut random);
                let ended = ended.into_iter().find(|(ended, _)| *ended == id);
                ended.expect("the services use no freedom").1
            }
        };
        of_wire(wire)
    }

    fn ask_upstream(
        &self,
        host: &str,
        request: &Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ConnectorFailure> {
        let (now, mut random) = (self.network.around.millis(), Seeded::new(6));
        Ok(match host.split('.').next().unwrap_or_default() {
            "partner" => lock(&self.network.partner).answer(request, now, &mut random),
            "objects" => Objects.answer(request, now, &mut random),
            "slack" | "datadog" | "new_relic" => Alerts.answer(request, now, &mut random),
            _ => return Err(ConnectorFailure::Refused),
        })
    }
}

fn of_wire(wire: WireResponse) -> Response<Vec<u8>> {
    let mut response = response(wire.status, wire.body);
    for (name, value) in wire.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn response(status: u16, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().unwrap_or_default();
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
