//! A client for HTTP and HTTPS, and its requests.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

use super::ApiResponse;
use super::checks::assert_is_described;

/// Longer than any gateway's time-out.
const PATIENCE: Duration = Duration::from_secs(35);

/// Shared, because reading the trusted roots takes time.
static CONNECTOR: LazyLock<HttpsConnector<HttpConnector>> = LazyLock::new(|| {
    let builder = HttpsConnectorBuilder::new().with_native_roots();
    builder.expect("the system has roots of trust").https_or_http().enable_http1().build()
});

/// A client. Its connections end with its test.
pub(crate) type Client = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

pub(super) fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build(CONNECTOR.clone())
}

/// A client whose requests come from this address.
pub(super) fn client_at(source: IpAddr) -> Client {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_local_address(Some(source));
    let builder = HttpsConnectorBuilder::new().with_native_roots();
    let builder = builder.expect("the system has roots of trust").https_or_http().enable_http1();
    legacy::Client::builder(TokioExecutor::new()).build(builder.wrap_connector(http))
}

/// A request under construction.
pub(crate) struct Call {
    client: Client,
    request: Builder,
    body: Vec<u8>,
}

impl Call {
    pub(super) fn new(client: &Client, method: Method, url: &str) -> Self {
        let request = Request::builder().method(method).uri(url);
        Self { client: client.clone(), request, body: Vec::new() }
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// Adds a header of any bytes to others of the same name.
    pub(crate) fn raw_header(self, name: &str, value: &[u8]) -> Self {
        let value = http::HeaderValue::from_bytes(value).expect("bytes that a header may have");
        Self { request: self.request.header(name, value), ..self }
    }

    /// Adds the access token.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Adds the idempotency key.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(crate) async fn send(self) -> ApiResponse {
        let request = self.request.body(Full::from(self.body)).expect("a request that can be sent");
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let exchange = async {
            let response = self.client.request(request).await.expect("a response arrives");
            let (head, body) = response.into_parts();
            let body = body.collect().await.expect("the whole body arrives").to_bytes();
            ApiResponse { status: head.status.as_u16(), headers: head.headers, body }
        };
        let answer =
            timeout(PATIENCE, exchange).await.expect("the response arrives before the time-out");
        assert_is_described(&method, &path, &answer);
        answer
    }
}
