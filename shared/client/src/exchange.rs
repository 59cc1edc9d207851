//! The client: sends requests, retries them, and reads responses.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::people::SessionView;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use lifecycle::stored;
use lifecycle::telemetry::TraceContext;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::answer::{ApiResponse, Data};
use crate::call::Call;
use crate::error::{ApiError, Error};
use crate::session::Session;
use crate::settings::Settings;
use crate::sign_in::sign_in;
use crate::transport::Transport;
use crate::watch::{Attempt, Watch};

/// A client of the API. Clones share connections and the session.
#[derive(Clone)]
pub struct Client {
    url: Arc<str>,
    settings: Settings,
    transport: Transport,
    session: Arc<Session>,
    traceparent: Option<Arc<str>>,
    watch: Option<Watch>,
}

impl Client {
    /// Creates an anonymous client of the API at this address.
    ///
    /// # Errors
    ///
    /// When the system has no TLS root certificates.
    pub fn new(url: &str, settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            url: url.trim_end_matches('/').into(),
            settings,
            transport: Transport::new()?,
            session: Arc::new(Session::Anonymous),
            traceparent: None,
            watch: None,
        })
    }

    /// Returns the client with credentials. It signs in before the first request that needs it, and
    /// again when its token has expired.
    #[must_use]
    pub fn signing_in(&self, email: &str, password: &str) -> Self {
        let (email, password, token) = (email.to_owned(), password.to_owned(), None.into());
        self.as_whom(Session::Credentials { email, password, token })
    }

    /// Returns the client with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        self.as_whom(Session::Token(token.to_owned()))
    }

    /// Returns the client with other settings.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        Self { settings, ..self.clone() }
    }

    /// Returns the client with requests in the trace of this W3C `traceparent`.
    #[must_use]
    pub fn in_trace(&self, traceparent: &str) -> Self {
        Self { traceparent: Some(traceparent.into()), ..self.clone() }
    }

    /// Returns the client with a callback that gets each finished attempt, for logs and metrics. It
    /// gets the data unchanged, including secrets.
    #[must_use]
    pub fn watched_by(&self, watch: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        Self { watch: Some(Arc::new(watch)), ..self.clone() }
    }

    fn as_whom(&self, session: Session) -> Self {
        Self { session: Arc::new(session), ..self.clone() }
    }

    /// Sends a request whose response has the shape `{"data": …}`.
    pub(crate) async fn data<T: DeserializeOwned>(
        &self,
        call: Call,
    ) -> Result<ApiResponse<T>, Error> {
        Ok(self.body::<Data<T>>(call).await?.map(|body| body.data))
    }

    /// Sends a request whose response body is the data itself.
    pub(crate) async fn body<T: DeserializeOwned>(
        &self,
        call: Call,
    ) -> Result<ApiResponse<T>, Error> {
        let (head, body) = self.settled(call).await?.into_parts();
        // The API may return values that were stored with other limits than input has today.
        match stored::reading(|| serde_json::from_slice(&body)) {
            Ok(data) => Ok(ApiResponse { data, status: head.status, headers: head.headers }),
            Err(error) => Err(Error::unreadable(head.status, &error)),
        }
    }

    /// Sends a request whose response has no body.
    pub(crate) async fn nothing(&self, call: Call) -> Result<ApiResponse<()>, Error> {
        let (head, _) = self.settled(call).await?.into_parts();
        Ok(ApiResponse { data: (), status: head.status, headers: head.headers })
    }

    /// Sends the request. If its token is refused, signs in again and repeats it once.
    async fn settled(&self, call: Call) -> Result<Response<Bytes>, Error> {
        let end = Instant::now() + self.settings.deadline;
        let token = if call.signed { self.token(None, end).await? } else { None };
        let done = self.persist(&call, token.as_deref(), end).await;
        match (done, token, &*self.session) {
            (Err(Error::Refused(refusal)), Some(refused), Session::Credentials { .. })
                if refusal.status == StatusCode::UNAUTHORIZED =>
            {
                let token = self.token(Some(&refused), end).await?;
                self.persist(&call, token.as_deref(), end).await
            }
            (done, ..) => done,
        }
    }

    /// Returns a token other than the refused one. Concurrent callers share one sign-in.
    async fn token(&self, refused: Option<&str>, end: Instant) -> Result<Option<String>, Error> {
        let (email, password, token) = match &*self.session {
            Session::Anonymous => return Ok(None),
            Session::Token(token) => return Ok(Some(token.clone())),
            Session::Credentials { email, password, token } => (email, password, token),
        };
        let Ok(mut token) = timeout_at(end, token.lock()).await else {
            return Err(Error::NoAnswer("another call's sign-in took too long".to_owned()));
        };
        if token.is_none() || token.as_deref() == refused {
            let answer = self.persist(&sign_in(email, password), None, end).await?;
            let session: Data<SessionView> = serde_json::from_slice(answer.body())
                .map_err(|error| Error::unreadable(answer.status(), &error))?;
            *token = Some(session.data.access_token);
        }
        Ok(token.clone())
    }

    /// Sends the request, and retries it while that makes sense.
    async fn persist(
        &self,
        call: &Call,
        token: Option<&str>,
        end: Instant,
    ) -> Result<Response<Bytes>, Error> {
        let request = self.request(call, token)?;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(call, request.clone(), end).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = self.wait_after(&error, call.repeatable, attempt);
            match wait.filter(|wait| *wait < end.saturating_duration_since(Instant::now())) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Builds the request, with an id and a trace that all attempts share.
    fn request(&self, call: &Call, token: Option<&str>) -> Result<Request<Full<Bytes>>, Error> {
        let trace = TraceContext::continued(self.traceparent.as_deref(), None, None);
        let mut request = Request::builder()
            .method(&call.method)
            .uri(format!("{}{}", self.url, call.path))
            .header("accept", "application/json")
            .header("x-request-id", Uuid::now_v7().to_string())
            .header("traceparent", trace.to_string());
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::from(call.body.clone()));
        request.map_err(|error| Error::Unsendable(error.to_string()))
    }

    async fn attempt(
        &self,
        call: &Call,
        request: Request<Full<Bytes>>,
        end: Instant,
    ) -> Result<Response<Bytes>, Error> {
        let begun = Instant::now();
        let patience = self.settings.attempt.min(end.saturating_duration_since(begun));
        let bytes_max = self.settings.answer_bytes_max;
        let answer = self.transport.exchange(request, patience, bytes_max).await;
        if let Some(watch) = &self.watch {
            let (method, path, took) = (&call.method, &*call.path, begun.elapsed());
            watch(&Attempt { method, path, answer: answer.as_ref().map_err(String::as_str), took });
        }
        let answer = answer.map_err(Error::NoAnswer)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        match ApiError::read(status, answer.headers(), answer.body()) {
            Ok(refusal) => Err(Error::Refused(Box::new(refusal))),
            Err(_) if call.also_answered == Some(status) && is_json(answer.body()) => Ok(answer),
            // The status decides about a retry, and not the format of the body.
            Err(_) if is_temporary(status) => {
                Err(Error::Refused(Box::new(ApiError::of_proxy(status, answer.headers()))))
            }
            Err(error) => Err(Error::unreadable(status, &error)),
        }
    }

    /// Returns the wait before the next attempt; `None` if there is none. Full jitter is added to
    /// the API's `Retry-After`.
    fn wait_after(&self, error: &Error, repeatable: bool, attempt: u32) -> Option<Duration> {
        if attempt >= self.settings.attempts_max {
            return None;
        }
        let asked_s = match error {
            Error::Refused(refusal) => {
                // A rate limit refuses a request before it has an effect; a server error may come
                // after one.
                let limited = refusal.status == StatusCode::TOO_MANY_REQUESTS;
                let failed = refusal.status.is_server_error() && repeatable;
                (limited || failed).then_some(refusal.retry_after_s.unwrap_or(0))?
            }
            Error::NoAnswer(_) if repeatable => 0,
            Error::NoAnswer(_) | Error::Unreadable { .. } | Error::Unsendable(_) => return None,
        };
        let longest = self.settings.backoff.saturating_mul(1 << (attempt - 1).min(16));
        let jitter = longest.mul_f64(fastrand::f64());
        Some(Duration::from_secs(asked_s.into()) + jitter)
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// Whether a later attempt may have another result.
fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
