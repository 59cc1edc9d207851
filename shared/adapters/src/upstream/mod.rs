//! Other people's services over HTTP: one client for all of them, over the connectors that AWS is
//! called by, so that a function links one HTTP client and one TLS stack.
//!
//! Beside it stands what makes others bearable: the [`Breaker`] and the [`AccessTokens`], both
//! shared by all instances.

mod breaker;
mod circuit;
mod error;
mod message;
mod retry;
mod tokens;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::byte_stream::ByteStream;
use lifecycle::{Deadline, Permit, Timestamp, Upstream};
use tokio::time::{sleep, timeout};

pub use self::breaker::{Breaker, Guarded, Health};
pub use self::circuit::CIRCUITS;
pub use self::error::UpstreamError;
pub use self::message::{Request, Response};
use self::retry::{Budget, pause};
pub use self::tokens::{AccessToken, AccessTokens, TOKENS, TokenError};
use crate::Aws;

/// The largest body of an answer, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How long one attempt may take, unless the client is told otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What has less time than this is not tried again: that would be a time-out of our making.
const RETRY_LEFT_MIN: Duration = Duration::from_secs(1);
/// Kept back from the time that is left, so that what came of a call can still be noted.
const RESERVE: Duration = Duration::from_millis(500);

/// A client of one upstream. Cheap to clone; clones share the budget for retries.
#[derive(Clone)]
pub struct Client {
    aws: Aws,
    upstream: Upstream,
    url: Arc<str>,
    timeout: Duration,
    budget: Arc<Budget>,
}

impl Aws {
    /// The client of an upstream.
    ///
    /// # Panics
    ///
    /// When the upstream is not among the uses that the endpoint declares: a fault of the
    /// endpoint, which its first start shows.
    pub fn upstream(&self, upstream: Upstream) -> Client {
        let url = self.configuration().upstream(upstream);
        let url = url.unwrap_or_else(|| panic!("USES lacks the upstream {}", upstream.name()));
        let client = Client::of(self.clone(), upstream, url.trim_end_matches('/'));
        // The roots that a connector trusts take milliseconds to load; nobody waits during init.
        let starting = client.clone();
        self.prepare(async move {
            starting.connector();
        });
        client
    }
}

impl Client {
    /// The client of an address, whoever has named it.
    pub(crate) fn of(aws: Aws, upstream: Upstream, url: &str) -> Self {
        Self { aws, upstream, url: url.into(), timeout: TIMEOUT, budget: Arc::default() }
    }

    /// With another time-out for each attempt than five seconds.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Which upstream it is.
    pub fn upstream(&self) -> Upstream {
        self.upstream
    }

    /// The upstream's address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request, and reads the answer whatever its status; [`Response::success`] tells.
    ///
    /// An attempt takes as long as the client's time-out or the request's deadline allow. What is
    /// safe to repeat is tried twice more, after a pause with full jitter, if the connection
    /// failed or the upstream answered 429 or 5xx: as long as there is time to wait as the
    /// upstream asks by `Retry-After`, and as long as no more than one request in ten is a retry,
    /// of all clients and of the one that the request is on behalf of.
    ///
    /// # Errors
    ///
    /// Which of connection, time-out and size it was.
    pub async fn send<C>(
        &self,
        permit: &Permit<C>,
        request: &Request,
    ) -> Result<Response, UpstreamError> {
        self.send_before(permit.deadline(), request).await
    }

    pub(crate) async fn send_before(
        &self,
        deadline: Deadline,
        request: &Request,
    ) -> Result<Response, UpstreamError> {
        self.budget.earn(request.client());
        for retries in 0.. {
            let answer = self.attempt(left(deadline), request).await;
            let pause = pause(&answer, retries).filter(|pause| {
                request.is_repeatable()
                    && *pause + RETRY_LEFT_MIN <= left(deadline)
                    && self.budget.spend(request.client())
            });
            match pause {
                Some(pause) => sleep(pause).await,
                None => return answer,
            }
        }
        unreachable!("retries end")
    }

    async fn attempt(&self, left: Duration, request: &Request) -> Result<Response, UpstreamError> {
        let within = self.timeout.min(left);
        let late = UpstreamError::TimedOut { upstream: self.upstream.name(), within };
        if within.is_zero() {
            return Err(late);
        }
        let answer = timeout(within, self.exchange(request)).await.unwrap_or(Err(late));
        if let Err(error @ UpstreamError::TimedOut { .. }) = &answer {
            // Of a fault that is a lack of time, the log would hear nothing else.
            tracing::warn!("{error}");
        }
        answer
    }

    async fn exchange(&self, request: &Request) -> Result<Response, UpstreamError> {
        let name = self.upstream.name();
        let unsendable = |source| UpstreamError::Unsendable { upstream: name, source };
        let request = request.to_http(&self.url).map_err(|error| unsendable(error.into()))?;
        let request = HttpRequest::try_from(request).map_err(|error| unsendable(error.into()))?;
        let answer = self.connector().call(request).await;
        let answer = answer.map_err(|error| UpstreamError::of_connector(name, error))?;
        self.read(answer).await
    }

    async fn read(&self, answer: HttpResponse) -> Result<Response, UpstreamError> {
        let name = self.upstream.name();
        let answer =
            answer.try_into_http1x().map_err(|error| UpstreamError::broken(name, error))?;
        let (head, body) = answer.into_parts();
        let (mut stream, mut body) = (ByteStream::new(body), Vec::new());
        while let Some(piece) = stream.next().await {
            body.extend(piece.map_err(|error| UpstreamError::broken(name, error))?);
            if body.len() > BODY_BYTES_MAX {
                return Err(UpstreamError::TooLarge { upstream: name });
            }
        }
        Ok(Response { upstream: name, status: head.status, headers: head.headers, body })
    }

    /// Whoever is spoken to in the clear, beside us, needs nobody's roots.
    fn connector(&self) -> &SharedHttpConnector {
        if self.url.starts_with("https:") { self.aws.others() } else { self.aws.connector() }
    }
}

fn left(deadline: Deadline) -> Duration {
    deadline.left().saturating_sub(RESERVE)
}

/// By the clock, not by the request's moment: an upstream takes its time.
fn now() -> Timestamp {
    SystemTime::now().into()
}
