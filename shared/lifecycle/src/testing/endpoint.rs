//! An endpoint in the process of a test.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::Value;

use super::given::Given;
use super::memory::Memory;
use super::request::Request;
use crate::Timestamp;
use crate::caller::Caller;
use crate::describe;
use crate::endpoint::Endpoint;
use crate::runtime::in_process::Function;

/// Codes of the lifecycle that an endpoint can cause although its description lacks them.
const UNDESCRIBED: [&str; 4] =
    ["METHOD_NOT_ALLOWED", "NOT_FOUND", "RATE_LIMIT_EXCEEDED", "UPSTREAM_FAILED"];

/// An endpoint that a test sends requests to: all nine stages, on a [`Memory`].
///
/// Without a setting the time is 2027-01-15 08:00 UTC for every request.
pub struct TestedEndpoint<E> {
    function: Function,
    given: Given,
    endpoint: PhantomData<fn() -> E>,
}

/// The response of an endpoint.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, by name in lower case; without `Set-Cookie`.
    pub headers: BTreeMap<String, String>,
    /// The values of `Set-Cookie`, in order.
    pub cookies: Vec<String>,
    /// The body; empty if there is none, and base64 if it is not UTF-8.
    pub body: String,
    /// The log line of the request, and the lines of its metrics.
    pub lines: Vec<Value>,
}

impl<E: Endpoint> TestedEndpoint<E> {
    pub(super) fn new(endpoint: E, memory: &Memory) -> Self {
        let function = Function::endpoint(endpoint, Arc::new(memory.clone()));
        Self { function, given: Given::usual(), endpoint: PhantomData }
    }

    /// Sets the time of all requests that follow.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.given.now = now;
        self
    }

    /// Sets the seed of ids and secrets. With the same seed, the n-th request has the same ids.
    #[must_use]
    pub fn seeded(mut self, seed: [u8; 32]) -> Self {
        self.given.seed = seed;
        self
    }

    /// Sends a request, and returns the response once the deferred work is done.
    ///
    /// The cause of a 5xx is printed, since the response does not have it.
    ///
    /// # Panics
    ///
    /// When the request lacks a parameter of the path: a defect of the test. When the endpoint
    /// refuses with a code that its `ERRORS` lack, so that the API description lacks it, too.
    pub async fn ask(&self, request: &Request) -> Answer {
        let event = request.to_event(&E::ROUTE, <E::Caller as Caller>::AUTHORIZER);
        let invoked = self.given.run(self.function.invoke(&event)).await;
        let answer = invoked.answer.unwrap_or_else(|error| panic!("no response: {error}"));
        let headers = answer["headers"].as_object().into_iter().flatten();
        let headers = headers
            .filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned())));
        let cookies = answer["cookies"].as_array().into_iter().flatten();
        let answer = Answer {
            cookies: cookies.filter_map(|it| it.as_str().map(str::to_owned)).collect(),
            status: answer["statusCode"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .expect("a response has a status"),
            headers: headers.collect(),
            body: answer["body"].as_str().unwrap_or_default().to_owned(),
            lines: invoked.lines,
        };
        if let Some(cause) = answer.cause() {
            print_cause(&format!("{} {}: {cause}", E::ROUTE.method, E::ROUTE.path));
        }
        if let Some(code) = answer.code().filter(|code| !is_listed::<E>(code)) {
            panic!(
                "{} {} refuses with {code}, which its ERRORS lack: {}",
                E::ROUTE.method,
                E::ROUTE.path,
                answer.body
            );
        }
        answer
    }
}

/// Whether the description of the endpoint has this code, or the lifecycle sends it.
fn is_listed<E: Endpoint>(code: &str) -> bool {
    let described = describe::endpoint::<E>();
    let refusals = described["refusals"].as_array().into_iter().flatten();
    refusals.map(|refusal| &refusal["code"]).any(|listed| listed == code)
        || UNDESCRIBED.contains(&code)
}

#[expect(clippy::print_stderr, reason = "test runners show it with a failed test")]
fn print_cause(cause: &str) {
    eprintln!("{cause}");
}

impl Answer {
    /// Returns a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_lowercase()).map(String::as_str)
    }

    /// Returns the causes of a 5xx, which only the log has.
    pub fn cause(&self) -> Option<&str> {
        self.member("error")
    }

    /// Returns the code of an error.
    pub fn code(&self) -> Option<&str> {
        self.member("code")
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.get(name)).and_then(Value::as_str)
    }

    /// Returns the body as JSON; `null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}
