//! The network between the functions and everything they call.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::faults::Fault;
use super::outages::Outage;
use super::panic;
use super::state::{Busy, World, lock};
use super::trace::Happened;
use super::upstream::Upstream;
use crate::Millis;
use crate::random::{Chance, Random, Seeded};
use crate::services::{WireRequest, WireResponse};

/// The name under which the world reports an upstream that panics.
const UPSTREAM: &str = "the upstream";

/// The header with the operation of an AWS service.
const TARGET: &str = "x-amz-target";

/// The upstreams, by host.
pub(super) type Hosts = BTreeMap<String, Mutex<Box<dyn Upstream>>>;

/// The reason why a function has no answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// There is no such host.
    NoHost,
    /// The connection was lost.
    Connection,
}

/// The network of one execution environment.
pub(super) struct Wire {
    world: Arc<World>,
    hosts: Arc<Hosts>,
    function: String,
    /// The invocation that runs.
    invocation: Mutex<Option<String>>,
    random: Mutex<Seeded>,
    is_alive: Arc<AtomicBool>,
}

/// The fate of a request. It is drawn before the request is sent.
#[expect(clippy::struct_excessive_bools, reason = "each is drawn for itself")]
struct Fate {
    there: Millis,
    back: Millis,
    /// An error of the service instead of its work.
    error: Option<WireResponse>,
    /// An error instead of its answer, although the work is done: a 5xx leaves it open.
    error_after: Option<WireResponse>,
    is_lost: bool,
    is_answer_lost: bool,
    /// Whether a loss breaks the connection. If not, nothing comes back.
    is_noticed: bool,
    /// Whether a request on the way ends with its environment.
    dies_with_caller: bool,
}

impl Wire {
    pub(super) fn new(
        world: &Arc<World>,
        hosts: &Arc<Hosts>,
        function: &str,
        environment: &str,
    ) -> Self {
        Self {
            world: Arc::clone(world),
            hosts: Arc::clone(hosts),
            function: function.to_owned(),
            invocation: Mutex::default(),
            random: Mutex::new(world.streams.of(&format!("network {environment}"))),
            is_alive: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Sets the invocation that runs.
    pub(super) fn set_invocation(&self, invocation: Option<&str>) {
        *lock(&self.invocation) = invocation.map(str::to_owned);
    }

    /// The invocation that runs.
    pub(super) fn invocation(&self) -> Option<String> {
        lock(&self.invocation).clone()
    }

    /// The environment has ended.
    pub(super) fn cut(&self) {
        self.is_alive.store(false, Ordering::Relaxed);
    }

    /// Sends a request. If the future is dropped, the request goes on: it may be performed.
    ///
    /// # Errors
    /// If there is no answer. A lost answer that is not noticed never comes.
    pub(super) async fn respond(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, Broken> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let is_upstream = self.hosts.contains_key(&host);
        if !is_upstream && request.method() == http::Method::GET && is_of_aws(&host) {
            // It opens a connection before the first request: no service is asked.
            return Ok(response(upstream_failure(404)));
        }
        let call = self.world.next_call();
        let operation = match request.headers().get(TARGET).and_then(|it| it.to_str().ok()) {
            Some(target) if !is_upstream => target.to_owned(),
            _ => format!("{} {host}{}", request.method(), request.uri().path()),
        };
        self.world.record(Happened::Called {
            call,
            function: self.function.clone(),
            invocation: self.invocation(),
            operation: operation.clone(),
            body: String::from_utf8_lossy(request.body()).into_owned(),
        });
        if !is_upstream && !is_of_aws(&host) {
            return Err(self.broken(call, Broken::NoHost));
        }
        let fate = self.fate(&operation, request.body(), is_upstream);
        let (sender, receiver) = oneshot::channel();
        let carrier = Carrier {
            world: Arc::clone(&self.world),
            hosts: Arc::clone(&self.hosts),
            function: self.function.clone(),
            random: Seeded::new(lock(&self.random).bits()),
            is_alive: Arc::clone(&self.is_alive),
            busy: self.world.busy(),
            call,
        };
        tokio::spawn(carrier.carry(request, host, operation, is_upstream, fate, sender));
        match receiver.await {
            Ok(answer) => answer.map_err(|broken| self.broken(call, broken)),
            // The answer never comes. The caller has a time-out, or ends with its environment.
            Err(_) => std::future::pending().await,
        }
    }

    fn broken(&self, call: u64, broken: Broken) -> Broken {
        let reason = match broken {
            Broken::NoHost => "there is no such host",
            Broken::Connection => "the connection was lost",
        };
        self.world.record(Happened::Broken { call, reason });
        broken
    }

    fn fate(&self, operation: &str, body: &[u8], is_upstream: bool) -> Fate {
        let random = &mut *lock(&self.random);
        if !is_upstream {
            self.world.draw_outage(operation, body, random);
        }
        let place = format!("{} {operation}", self.function);
        let draws = |fault, random: &mut Seeded| self.world.draws(fault, &place, random);
        let slow = if is_upstream { Fault::SlowUpstream } else { Fault::SlowCall };
        let (is_slow_there, is_slow_back) = (draws(slow, random), draws(slow, random));
        let is_lost = draws(Fault::LostRequest, random);
        let is_answer_lost = draws(Fault::LostResponse, random);
        let half = Chance::percent(50);
        let error = if is_upstream {
            draws(Fault::FailingUpstream, random).then(|| upstream_error(random))
        } else if draws(Fault::ThrottledCall, random) {
            Some(throttled(operation))
        } else {
            draws(Fault::ServiceError, random).then(|| aws_error(500, "InternalServerError"))
        };
        let is_unknown = error.as_ref().is_some_and(|error| error.status >= 500);
        let is_done = is_unknown && random.happens(half);
        let (error, error_after) = if is_done { (None, error) } else { (error, None) };
        let (latency_max, slow_max) = {
            let mix = lock(&self.world.mix);
            (mix.latency_max, mix.slow_max)
        };
        let mut time = |is_slow| random.up_to(if is_slow { slow_max } else { latency_max });
        let (there, back) = (time(is_slow_there), time(is_slow_back));
        let (is_noticed, dies_with_caller) = (random.happens(half), random.happens(half));
        Fate {
            there,
            back,
            error,
            error_after,
            is_lost,
            is_answer_lost,
            is_noticed,
            dies_with_caller,
        }
    }
}

/// Carries one request, whether or not its caller still waits.
struct Carrier {
    world: Arc<World>,
    hosts: Arc<Hosts>,
    function: String,
    random: Seeded,
    is_alive: Arc<AtomicBool>,
    busy: Busy,
    call: u64,
}

type Answered = oneshot::Sender<Result<Response<Vec<u8>>, Broken>>;

impl Carrier {
    async fn carry(
        mut self,
        request: Request<Vec<u8>>,
        host: String,
        operation: String,
        is_upstream: bool,
        fate: Fate,
        answered: Answered,
    ) {
        sleep(delay(fate.there)).await;
        let is_cut = fate.dies_with_caller && !self.is_alive.load(Ordering::Relaxed);
        if fate.is_lost || is_cut {
            return lost(answered, fate.is_noticed);
        }
        let performed = if is_upstream {
            self.ask_upstream(&request, &host, &operation, fate.error)
        } else {
            match self.world.outage_of(&operation, request.body()) {
                Some(Outage::Silence) => return lost(answered, false),
                Some(Outage::Overload) => response(throttled(&operation)),
                Some(Outage::Unavailable) => response(aws_error(503, "ServiceUnavailable")),
                None => self.ask_aws(&request, fate.error).await,
            }
        };
        self.world.record(Happened::Performed {
            call: self.call,
            status: performed.status().as_u16(),
            body: String::from_utf8_lossy(performed.body()).into_owned(),
        });
        let response = match fate.error_after {
            None => performed,
            Some(error) => {
                let reason = "its answer was replaced by an error of the service";
                self.world.record(Happened::Broken { call: self.call, reason });
                response(error)
            }
        };
        // The effect has happened; only the way back is left, and it may never end.
        drop(self.busy);
        sleep(delay(fate.back)).await;
        if fate.is_answer_lost {
            return lost(answered, fate.is_noticed);
        }
        // The caller may be gone.
        let _ = answered.send(Ok(response));
    }

    fn ask_upstream(
        &mut self,
        request: &Request<Vec<u8>>,
        host: &str,
        operation: &str,
        error: Option<WireResponse>,
    ) -> Response<Vec<u8>> {
        let now = self.world.now();
        let is_wrong = self.world.draws(Fault::WrongUpstream, operation, &mut self.random);
        let Some(upstream) = self.hosts.get(host) else { return response(upstream_failure(404)) };
        let random = &mut self.random;
        let answered = panic::caught(|| match error {
            Some(error) => response(error),
            None if is_wrong => lock(upstream).wrong_answer(request, random),
            None => lock(upstream).answer(request, now, random),
        });
        answered.unwrap_or_else(|reason| {
            self.world.fail(UPSTREAM, format!("{host}: {reason}"));
            response(upstream_failure(500))
        })
    }

    async fn ask_aws(
        &self,
        request: &Request<Vec<u8>>,
        error: Option<WireResponse>,
    ) -> Response<Vec<u8>> {
        if let Some(error) = error {
            return response(error);
        }
        let target = request.headers().get(TARGET).and_then(|target| target.to_str().ok());
        let caller = self.function.as_str();
        let (path, body) = (request.uri().path(), request.body().as_slice());
        response(self.world.call(WireRequest { caller, target, path, body }).await)
    }
}

fn is_of_aws(host: &str) -> bool {
    host.ends_with(".amazonaws.com")
}

/// Drops the answer, which then never comes, or breaks the connection.
fn lost(answered: Answered, is_noticed: bool) {
    if is_noticed {
        // The caller may be gone.
        let _ = answered.send(Err(Broken::Connection));
    }
}

fn delay(time: Millis) -> Duration {
    time.as_duration()
}

fn response(wire: WireResponse) -> Response<Vec<u8>> {
    let mut response = Response::new(wire.body);
    *response.status_mut() = wire.status.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/x-amz-json-1.0"),
    );
    for (name, value) in wire.headers {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    response
}

fn aws_error(status: u16, code: &'static str) -> WireResponse {
    let body = serde_json::json!({ "__type": code, "message": "drawn by the simulation" });
    let headers = vec![("x-amzn-errortype", code.to_owned())];
    WireResponse { status, headers, body: body.to_string().into_bytes() }
}

/// The error of a service that gets too many requests.
fn throttled(operation: &str) -> WireResponse {
    // The operation of SES, which has no target: a method and a URL.
    if operation.starts_with("POST ") {
        return aws_error(429, "TooManyRequestsException");
    }
    let code = match operation.split_once('.') {
        Some(("DynamoDB_20120810", _)) => "ProvisionedThroughputExceededException",
        Some(("AmazonSQS", _)) => "RequestThrottled",
        _ => "ThrottlingException",
    };
    aws_error(400, code)
}

fn upstream_error(random: &mut impl Random) -> WireResponse {
    const STATUSES: [u16; 4] = [500, 502, 503, 429];
    upstream_failure(STATUSES[random.index(STATUSES.len())])
}

fn upstream_failure(status: u16) -> WireResponse {
    WireResponse { status, headers: Vec::new(), body: b"{}".to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_is_throttled_by_the_error_that_it_documents() {
        for (operation, status, code) in [
            ("DynamoDB_20120810.GetItem", 400, "ProvisionedThroughputExceededException"),
            ("AmazonSQS.SendMessage", 400, "RequestThrottled"),
            ("secretsmanager.GetSecretValue", 400, "ThrottlingException"),
            (
                "POST email.us-east-1.amazonaws.com/v2/email/outbound-emails",
                429,
                "TooManyRequestsException",
            ),
        ] {
            let error = throttled(operation);
            let found = (error.status, error.headers[0].1.as_str());
            assert_eq!(found, (status, code), "{operation}");
        }
    }
}
