//! The client of an upstream.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::byte_stream::ByteStream;
use lifecycle::{Deadline, Permit, Upstream};
use tokio::time::{sleep, timeout};

use super::limits::{BODY_BYTES_MAX, TIMEOUT};
use super::retry::{Budget, pause};
use super::{Request, Response, UpstreamError};
use crate::Aws;

/// With less time than this there is no retry: it would cause a time-out of our making.
const RETRY_LEFT_MIN: Duration = Duration::from_secs(1);
/// Time reserved for recording the result of a call.
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
    /// When the function's `RESOURCES` lacks the upstream. Its first start shows this bug.
    pub fn upstream(&self, upstream: Upstream) -> Client {
        let url = self.configuration().upstream(upstream);
        let url = url.unwrap_or_else(|| panic!("RESOURCES lacks the upstream {}", upstream.name()));
        let client = Client::of(self.clone(), upstream, url.trim_end_matches('/'));
        if client.is_encrypted() {
            self.prepare_public_roots();
        }
        client
    }
}

impl Client {
    /// The client of an address that the caller provides.
    pub(crate) fn of(aws: Aws, upstream: Upstream, url: &str) -> Self {
        Self { aws, upstream, url: url.into(), timeout: TIMEOUT, budget: Arc::default() }
    }

    /// Sets the time-out of each attempt, instead of five seconds.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The upstream.
    pub fn upstream(&self) -> Upstream {
        self.upstream
    }

    /// The upstream's address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request, and returns the response of any status; see [`Response::success`].
    ///
    /// The client's time-out and the request's deadline limit each attempt. A repeatable request is
    /// tried twice more if the connection failed or the upstream answered 429 or 5xx. The pause has
    /// full jitter and respects `Retry-After`. There is no retry without enough time, or beyond one
    /// retry in ten requests: of all clients, and of the client that caused the request.
    ///
    /// # Errors
    ///
    /// When the connection fails, the time-out passes, or the body is too large.
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
            let answer = self.attempt(time_left(deadline), request).await;
            let pause = pause(&answer, retries).filter(|pause| {
                request.is_repeatable()
                    && *pause + RETRY_LEFT_MIN <= time_left(deadline)
                    && self.budget.spend(request.client())
            });
            match pause {
                Some(pause) => sleep(pause).await,
                None => return answer,
            }
        }
        unreachable!("the last attempt returns")
    }

    async fn attempt(&self, left: Duration, request: &Request) -> Result<Response, UpstreamError> {
        let within = self.timeout.min(left);
        let late = UpstreamError::TimedOut { upstream: self.upstream.name(), within };
        if within.is_zero() {
            return Err(late);
        }
        let answer = timeout(within, self.exchange(request)).await.unwrap_or(Err(late));
        if let Err(error @ UpstreamError::TimedOut { .. }) = &answer {
            // [`ServiceError::TimedOut`] carries no cause, so only this line shows which upstream
            // it was.
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

    /// Plain-HTTP upstreams are local stand-ins, and need no TLS roots.
    fn is_encrypted(&self) -> bool {
        self.url.starts_with("https:")
    }

    fn connector(&self) -> &SharedHttpConnector {
        if self.is_encrypted() { self.aws.public_roots_connector() } else { self.aws.connector() }
    }
}

/// The time that a request may still wait for an upstream.
pub(super) fn time_left(deadline: Deadline) -> Duration {
    deadline.left().saturating_sub(RESERVE)
}
