//! A client for HTTP and HTTPS, and its requests.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

use crate::description::Description;
use crate::response::ApiResponse;

/// Longer than any gateway's time-out.
const PATIENCE: Duration = Duration::from_secs(35);

/// Shared, because reading the trusted roots takes time.
static CONNECTOR: LazyLock<HttpsConnector<HttpConnector>> = LazyLock::new(|| {
    let builder = HttpsConnectorBuilder::new().with_native_roots();
    builder.expect("the system has roots of trust").https_or_http().enable_http1().build()
});

/// An HTTP client. Its connections live in the runtime of its test and end with it. Clones share
/// them.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    description: Option<&'static Description>,
}

impl Http {
    /// A client that checks every response against the description, if there is one.
    pub fn new(description: Option<&'static Description>) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(CONNECTOR.clone());
        Self { client, description }
    }

    /// The same client, with requests that come from this address of the machine: 127.0.0.2.
    #[must_use]
    pub fn with_source(&self, source: IpAddr) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_local_address(Some(source));
        let builder = HttpsConnectorBuilder::new().with_native_roots();
        let builder =
            builder.expect("the system has roots of trust").https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new()).build(builder.wrap_connector(http));
        Self { client, description: self.description }
    }

    /// The same client, without checks of the responses.
    pub(crate) fn unchecked(&self) -> Self {
        Self { client: self.client.clone(), description: None }
    }

    /// A request to an absolute URL.
    pub fn call(&self, method: Method, url: &str) -> Call {
        let request = Request::builder().method(method).uri(url);
        Call { http: self.clone(), request, body: Vec::new() }
    }
}

/// A request under construction.
#[must_use = "a request does nothing until it is sent"]
pub struct Call {
    http: Http,
    request: Builder,
    body: Vec<u8>,
}

impl Call {
    /// Adds a header to others of the same name.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// Adds a header of any bytes to others of the same name.
    pub fn raw_header(self, name: &str, value: &[u8]) -> Self {
        let value = HeaderValue::from_bytes(value).expect("bytes that a header may have");
        Self { request: self.request.header(name, value), ..self }
    }

    /// Adds the access token: `authorization: Bearer …`.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Adds the header `idempotency-key`.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sets a body in JSON, and adds its media type.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Sets the bytes of the body.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sends the request, and reads the response to its end.
    ///
    /// # Panics
    /// If no response arrives within 35 seconds, or if it differs from the API's description.
    pub async fn send(self) -> ApiResponse {
        let request = self.request.body(Full::from(self.body)).expect("a request that can be sent");
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let exchange = async {
            let response = self.http.client.request(request).await.expect("a response arrives");
            let (head, body) = response.into_parts();
            let body = body.collect().await.expect("the whole body arrives").to_bytes();
            ApiResponse::new(head.status.as_u16(), head.headers, body)
        };
        let answer =
            timeout(PATIENCE, exchange).await.expect("the response arrives before the time-out");
        if let Some(description) = self.http.description {
            description.assert_describes(&method, &path, &answer);
        }
        answer
    }
}
