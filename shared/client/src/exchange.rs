//! The client: how a request is made, made again, and read.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use lifecycle::telemetry::TraceContext;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::answer::{Answer, Data};
use crate::call::Call;
use crate::error::{Error, Refusal};
use crate::session::Session;
use crate::settings::Settings;
use crate::transport::{Arrived, Transport};

/// A client of the API. Its clones share connections, and the session of whoever they are.
#[derive(Clone)]
pub struct Client {
    url: Arc<str>,
    settings: Settings,
    transport: Transport,
    session: Arc<Session>,
    traceparent: Option<Arc<str>>,
}

impl Client {
    /// A client of the API at this address, that is nobody yet.
    ///
    /// # Errors
    ///
    /// Where the system has no roots of trust to judge TLS certificates by.
    pub fn new(url: &str, settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            url: url.trim_end_matches('/').into(),
            settings,
            transport: Transport::new()?,
            session: Arc::new(Session::Anonymous),
            traceparent: None,
        })
    }

    /// The same client as somebody who signs in when it is first needed, and again when their
    /// token has ended.
    #[must_use]
    pub fn signing_in(&self, email: &str, password: &str) -> Self {
        let (email, password, token) = (email.to_owned(), password.to_owned(), None.into());
        self.as_whom(Session::Credentials { email, password, token })
    }

    /// The same client as whoever has this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        self.as_whom(Session::Token(token.to_owned()))
    }

    /// The same client, whose requests belong to the trace of this W3C `traceparent`.
    #[must_use]
    pub fn in_trace(&self, traceparent: &str) -> Self {
        Self { traceparent: Some(traceparent.into()), ..self.clone() }
    }

    fn as_whom(&self, session: Session) -> Self {
        Self { session: Arc::new(session), ..self.clone() }
    }

    /// An answer of the shape `{"data": …}`.
    pub(crate) async fn data<T: DeserializeOwned>(&self, call: Call) -> Result<Answer<T>, Error> {
        Ok(self.body::<Data<T>>(call).await?.map(|body| body.data))
    }

    /// An answer whose body is what was asked for.
    pub(crate) async fn body<T: DeserializeOwned>(&self, call: Call) -> Result<Answer<T>, Error> {
        let Arrived { status, headers, body } = self.settled(call).await?;
        match serde_json::from_slice(&body) {
            Ok(data) => Ok(Answer { data, status, headers }),
            Err(error) => Err(Error::Unreadable { status, reason: error.to_string() }),
        }
    }

    /// An answer without a body.
    pub(crate) async fn nothing(&self, call: Call) -> Result<Answer<()>, Error> {
        let Arrived { status, headers, .. } = self.settled(call).await?;
        Ok(Answer { data: (), status, headers })
    }

    /// Makes the request, signs in again if its token is refused, and makes it once more.
    async fn settled(&self, call: Call) -> Result<Arrived, Error> {
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

    /// A token that is not the refused one. Who comes while somebody signs in waits for that.
    async fn token(&self, refused: Option<&str>, end: Instant) -> Result<Option<String>, Error> {
        let (email, password, token) = match &*self.session {
            Session::Anonymous => return Ok(None),
            Session::Token(token) => return Ok(Some(token.clone())),
            Session::Credentials { email, password, token } => (email, password, token),
        };
        let mut token = token.lock().await;
        if token.is_none() || token.as_deref() == refused {
            let arrived = self.persist(&sign_in(email, password), None, end).await?;
            let session: Data<crate::operations::Session> = serde_json::from_slice(&arrived.body)
                .map_err(|error| Error::Unreadable {
                status: arrived.status,
                reason: error.to_string(),
            })?;
            *token = Some(session.data.access_token);
        }
        Ok(token.clone())
    }

    /// Makes the request again as long as that makes sense.
    async fn persist(
        &self,
        call: &Call,
        token: Option<&str>,
        end: Instant,
    ) -> Result<Arrived, Error> {
        let request_id = Uuid::now_v7().to_string();
        let trace = TraceContext::continued(self.traceparent.as_deref(), None, None).to_string();
        let mut attempt = 1;
        loop {
            let error = match self.attempt(call, token, &request_id, &trace, end).await {
                Ok(arrived) => return Ok(arrived),
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

    async fn attempt(
        &self,
        call: &Call,
        token: Option<&str>,
        request_id: &str,
        trace: &str,
        end: Instant,
    ) -> Result<Arrived, Error> {
        let mut request = Request::builder()
            .method(&call.method)
            .uri(format!("{}{}", self.url, call.path))
            .header("accept", "application/json")
            .header("x-request-id", request_id)
            .header("traceparent", trace);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::<Bytes>::from(call.body.clone()));
        let request = request.map_err(|error| Error::Unsendable(error.to_string()))?;
        let patience = self.settings.attempt.min(end.saturating_duration_since(Instant::now()));
        let bytes_max = self.settings.answer_bytes_max;
        let arrived = self.transport.exchange(request, patience, bytes_max).await;
        let arrived = arrived.map_err(Error::NoAnswer)?;
        if arrived.status.is_success() {
            return Ok(arrived);
        }
        let status = arrived.status;
        Err(match Refusal::read(status, &arrived.headers, &arrived.body) {
            Ok(refusal) => Error::Refused(Box::new(refusal)),
            Err(error) => Error::Unreadable { status, reason: error.to_string() },
        })
    }

    /// How long to wait before the next attempt; nothing where there is to be none. Full jitter,
    /// on top of what the API asks for.
    fn wait_after(&self, error: &Error, repeatable: bool, attempt: u32) -> Option<Duration> {
        if attempt >= self.settings.attempts_max {
            return None;
        }
        let asked_s = match error {
            Error::Refused(refusal) => {
                // Nothing was done before the limit; what a server's failure leaves is unknown.
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

/// `POST /sessions`, which is limited: a refusal is not to be tried again with other words.
pub(crate) fn sign_in(email: &str, password: &str) -> Call {
    let credentials = serde_json::json!({ "email": email, "password": password });
    Call::post("/sessions").json(&credentials).unsigned()
}
