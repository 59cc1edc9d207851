//! Requests to an upstream, and its responses.

use std::fmt;

use aws_smithy_types::body::SdkBody;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, DATE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use lifecycle::clock::now;
use lifecycle::telemetry::{request_id, traceparent, tracestate};
use lifecycle::{Timestamp, Upstream};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::UpstreamError;

/// Longest wait that a `Retry-After` can ask for, in seconds.
const RETRY_AFTER_S_MAX: u32 = 3600;

/// A request to an upstream, complete except for the upstream's address. It can be sent more than
/// once.
///
/// Its `Debug` shows only the method and the path: headers and bodies contain secrets.
#[derive(Clone)]
pub struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    repeatable: bool,
    on_behalf_of: Option<String>,
}

impl Request {
    /// A `GET` of a path, which begins with a slash.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A `POST` of JSON.
    ///
    /// # Panics
    ///
    /// When the value's `Serialize` fails: a bug of its type, which its first test shows.
    pub fn post_json(path: impl Into<String>, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("a request body has a JSON form");
        Self { body, ..Self::new(Method::POST, path) }.header("content-type", "application/json")
    }

    /// A `POST` of a form.
    pub fn post_form(path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        Self { body, ..Self::new(Method::POST, path) }
            .header("content-type", "application/x-www-form-urlencoded")
    }

    /// A request with any method, without a body. The method determines whether it is safe to
    /// repeat (RFC 9110, 9.2.2).
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            repeatable: method.is_idempotent(),
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            on_behalf_of: None,
        }
    }

    /// Names the client that caused it, so that one client cannot use up the retries of all.
    #[must_use]
    pub fn on_behalf_of(self, client: &str) -> Self {
        Self { on_behalf_of: Some(client.to_owned()), ..self }
    }

    pub(super) fn client(&self) -> Option<&str> {
        self.on_behalf_of.as_deref()
    }

    /// Adds a parameter to the query string.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a bearer token (RFC 6750).
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// Marks a `POST` as safe to repeat.
    #[must_use]
    pub fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// Marks it as not repeatable, for a caller that retries in another way.
    #[must_use]
    pub fn once(self) -> Self {
        Self { repeatable: false, ..self }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// The HTTP request, with the id and the trace of the request that causes it.
    pub(super) fn to_http(&self, url: &str) -> Result<http::Request<SdkBody>, http::Error> {
        let query = Serializer::new(String::new()).extend_pairs(&self.query).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("{url}{}{mark}{query}", self.path);
        let mut request = http::Request::builder().method(self.method.clone()).uri(uri);
        let causes = [
            ("x-request-id", request_id()),
            ("traceparent", traceparent()),
            ("tracestate", tracestate()),
        ];
        for (name, value) in causes {
            request = value.into_iter().fold(request, |request, value| request.header(name, value));
        }
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(ACCEPT.as_str())) {
            request = request.header(ACCEPT, "application/json");
        }
        let headers = self.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        request.body(SdkBody::from(self.body.clone()))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An upstream's response, read to its end.
///
/// Its `Debug` shows only the status.
pub struct Response {
    pub(super) upstream: &'static str,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An invented response, for tests of code that reads responses.
    pub fn made_up(upstream: Upstream, status: StatusCode, body: &str) -> Self {
        let (upstream, headers) = (upstream.name(), HeaderMap::new());
        Self { upstream, status, headers, body: body.as_bytes().to_vec() }
    }

    /// Returns the response if its status is a success.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::Status`] otherwise.
    pub fn success(self) -> Result<Self, UpstreamError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let (upstream, retry_after_s) = (self.upstream, self.retry_after_s());
        Err(UpstreamError::Status { upstream, status: self.status, retry_after_s })
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::Unreadable`] when it does not have the expected form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, UpstreamError> {
        let upstream = self.upstream;
        serde_json::from_slice(&self.body).map_err(|error| UpstreamError::Unreadable {
            upstream,
            place: format!("{:?} error in column {}", error.classify(), error.column()),
        })
    }

    /// The wait that the upstream asks for by `Retry-After` (RFC 9110, 10.2.3), in seconds; an hour
    /// at most. A date counts from the response's `Date`, since clocks differ. Without `Date`, it
    /// counts from our clock.
    pub fn retry_after_s(&self) -> Option<u32> {
        let said = self.header(RETRY_AFTER)?;
        let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
        #[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
        let seconds = if said.chars().all(is_number) {
            let seconds: f64 = said.parse().ok()?;
            seconds.ceil().min(f64::from(RETRY_AFTER_S_MAX)) as i64
        } else {
            let from = self.header(DATE).and_then(http_date);
            http_date(said)? - from.unwrap_or_else(|| now().as_seconds())
        };
        u32::try_from(seconds.clamp(0, RETRY_AFTER_S_MAX.into())).ok()
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// A date in any of the three forms that headers have (RFC 9110, 5.6.7), in seconds since 1970.
fn http_date(text: &str) -> Option<i64> {
    httpdate::parse_http_date(text).ok().map(|date| Timestamp::from(date).as_seconds())
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)
    }
}
