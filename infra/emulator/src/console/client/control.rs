//! A client of the control address. Each request has a connection, a time limit and a size limit.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::address::ControlUrl;
use crate::activity::view::{Journey, RequestDetail, RequestFilter, RequestPage, RequestRow};

/// The id that stands for the latest request.
pub(super) const LAST: &str = "last";

/// The platform is on this machine, so a connection is a matter of microseconds.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// A view of 64 MiB of activity is made in less.
const READ_TIME_MAX: Duration = Duration::from_secs(15);
/// A resent request may wait for a cold start and for the longest response of API Gateway (30 s).
#[cfg(feature = "mcp")]
const CHANGE_TIME_MAX: Duration = Duration::from_mins(1);
/// The emulator keeps 64 MiB of activity; one view is a part of it.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The number of requests that an error about an unknown id offers.
const OFFERED_MAX: usize = 5;

/// A client of one control address.
#[derive(Debug, Clone)]
pub(super) struct ControlClient {
    url: ControlUrl,
}

/// The reason why the control address gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(
        "nothing listens at {0}: start the platform (`cargo local`, `lambda-emulator`), or name \
         its control address by --control"
    )]
    NotListening(ControlUrl),
    #[error("{url} did not respond within {} s", .time.as_secs())]
    TimedOut { url: ControlUrl, time: Duration },
    #[error("the connection to {url} failed: {reason}")]
    Broken { url: ControlUrl, reason: String },
    #[error("{reason}")]
    Refused { status: StatusCode, reason: String },
    #[error(
        "the response of {url}{path} cannot be read; is it a control address of this version? \
         {reason}"
    )]
    Unreadable { url: ControlUrl, path: String, reason: String },
    #[error("there is no request {id}{}", offered(.latest))]
    Unknown { id: String, latest: Vec<RequestRow> },
    #[error("there are no requests yet")]
    NoRequests,
}

impl ControlClient {
    pub(super) fn new(url: ControlUrl) -> Self {
        Self { url }
    }

    /// A page of requests, newest first.
    pub(super) async fn requests(&self, filter: &RequestFilter) -> Result<RequestPage, AskError> {
        self.read(&format!("/activity/requests{}", query(filter))).await
    }

    /// Everything about a request. `id` is its id, its x-request-id, or [`LAST`].
    pub(super) async fn request(&self, id: &str) -> Result<RequestDetail, AskError> {
        let id = self.known(id).await?;
        let found = self.read(&format!("/activity/requests/{}", encoded(&id))).await;
        self.or_unknown(&id, found).await
    }

    /// The way of a request and of its effects. `id` as for [`Self::request`].
    pub(super) async fn journey(&self, id: &str) -> Result<Journey, AskError> {
        let id = self.known(id).await?;
        let found = self.read(&format!("/activity/requests/{}/journey", encoded(&id))).await;
        self.or_unknown(&id, found).await
    }

    /// The JSON of an address.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, AskError> {
        let body = self.exchange(Method::GET, path, None, READ_TIME_MAX).await?;
        self.parsed(path, &body)
    }

    /// Changes the state of the platform. The result is `null` if the response has no body.
    #[cfg(feature = "mcp")]
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, AskError> {
        let body = self.exchange(method, path, body, CHANGE_TIME_MAX).await?;
        if body.is_empty() { Ok(Value::Null) } else { self.parsed(path, &body) }
    }

    /// The id of the latest request for [`LAST`], or else the id itself.
    pub(super) async fn known(&self, id: &str) -> Result<String, AskError> {
        if id != LAST {
            return Ok(id.to_owned());
        }
        let latest = self.latest(1).await?;
        latest.into_iter().next().map(|row| row.id).ok_or(AskError::NoRequests)
    }

    async fn latest(&self, limit: usize) -> Result<Vec<RequestRow>, AskError> {
        let filter = RequestFilter { limit: Some(limit), ..RequestFilter::default() };
        Ok(self.requests(&filter).await?.requests)
    }

    /// Adds the latest requests to an error about an unknown id.
    pub(super) async fn or_unknown<T>(
        &self,
        id: &str,
        found: Result<T, AskError>,
    ) -> Result<T, AskError> {
        match found {
            Err(AskError::Refused { status: StatusCode::NOT_FOUND, .. }) => {
                let latest = self.latest(OFFERED_MAX).await?;
                Err(AskError::Unknown { id: id.to_owned(), latest })
            }
            found => found,
        }
    }

    fn parsed<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, AskError> {
        serde_json::from_slice(body).map_err(|error| AskError::Unreadable {
            url: self.url.clone(),
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        time: Duration,
    ) -> Result<Bytes, AskError> {
        let connected = timeout(CONNECT_TIME_MAX, TcpStream::connect(self.url.authority())).await;
        let stream = connected
            .map_err(|_| self.late(CONNECT_TIME_MAX))?
            .map_err(|_| AskError::NotListening(self.url.clone()))?;
        let exchanged = timeout(time, self.over(stream, method, path, body)).await;
        let (status, body) = exchanged.map_err(|_| self.late(time))??;
        if status.is_success() {
            return Ok(body);
        }
        let given = serde_json::from_slice::<Value>(&body).ok();
        let reason = given.as_ref().and_then(|given| given["error"].as_str());
        let reason = reason.map_or_else(|| format!("{}{path}: {status}", self.url), str::to_owned);
        Err(AskError::Refused { status, reason })
    }

    async fn over(
        &self,
        stream: TcpStream,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), AskError> {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream))
                .await
                .map_err(|error| self.broken(&error))?;
        // An error of the connection also ends the request, which reports it.
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.url.authority())
            .header(ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let sent = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(sent)).map_err(|error| self.broken(&error))?;
        let response = sender.send_request(request).await.map_err(|error| self.broken(&error))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| self.broken(&*error))?.to_bytes();
        Ok((parts.status, body))
    }

    fn late(&self, time: Duration) -> AskError {
        AskError::TimedOut { url: self.url.clone(), time }
    }

    fn broken(&self, error: &dyn std::error::Error) -> AskError {
        AskError::Broken { url: self.url.clone(), reason: error.to_string() }
    }
}

/// The end of a sentence about an unknown id.
fn offered(latest: &[RequestRow]) -> String {
    if latest.is_empty() {
        return "; there are no requests yet".to_owned();
    }
    let lines = latest.iter().map(|row| {
        let status = row.status.map_or_else(|| "runs".to_owned(), |status| status.to_string());
        format!("\n  {}  {status}  {} {}", row.id, row.method, row.path)
    });
    format!("; the latest are{}", lines.collect::<Vec<_>>().concat())
}

/// The given parts of a filter, as a query.
fn query(filter: &RequestFilter) -> String {
    let Ok(Value::Object(parts)) = serde_json::to_value(filter) else { return String::new() };
    let pairs = parts.iter().filter_map(|(name, value)| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{name}={}", encoded(text))),
        other => Some(format!("{name}={other}")),
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// A text as one part of a path or of a query: all but the unreserved characters of RFC 3986 are
/// percent-encoded.
pub(super) fn encoded(text: &str) -> String {
    let parts = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    parts.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::activity::view::Stage;
    use crate::console::client::fake::Fake;
    use crate::console::client::samples;

    async fn free_url() -> ControlUrl {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
    }

    #[tokio::test]
    async fn an_address_without_a_listener_is_an_error_with_the_remedy() {
        let client = ControlClient::new(free_url().await);

        let error = client.request("x").await.unwrap_err().to_string();

        assert!(error.starts_with("nothing listens at http://127.0.0.1:"), "{error}");
        assert!(error.contains("`cargo local`") && error.contains("--control"), "{error}");
    }

    #[tokio::test]
    async fn an_unknown_id_is_an_error_with_the_latest_ids() {
        let fake = Fake::start().await;

        let error = fake.client().request("a/b").await.unwrap_err().to_string();

        let expected = format!(
            "there is no request a/b; the latest are\n  {}  409  POST /orders\n  \
             {}  201  POST /orders",
            samples::REFUSED,
            samples::PLACED
        );
        assert_eq!(error, expected);
    }

    #[tokio::test]
    async fn last_is_the_latest_request() {
        let fake = Fake::start().await;
        let found = fake.client().request(LAST).await.unwrap();
        assert_eq!(found.row.id, samples::REFUSED);
    }

    #[tokio::test]
    async fn another_server_is_an_error_that_asks_for_the_version() {
        let fake = Fake::start().await;
        let error = fake.client().read::<Journey>("/activity/queues").await.unwrap_err();
        assert!(error.to_string().contains("is it a control address of this version?"), "{error}");
    }

    #[test]
    fn only_given_parts_of_a_filter_are_in_the_query() {
        assert_eq!(query(&RequestFilter::default()), "");
        let filter = RequestFilter {
            text: Some("a b&c/ä".to_owned()),
            refused_at: Some(Stage::Rules),
            limit: Some(5),
            ..RequestFilter::default()
        };
        assert_eq!(query(&filter), "?limit=5&refusedAt=rules&text=a%20b%26c%2F%C3%A4");
    }
}
