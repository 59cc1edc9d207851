//! A small HTTP client for APIs on this machine.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request, StatusCode, header};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::timeout;
use tooling::Error;
use tooling::context::Context;

/// The timeout of one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// Sends requests over persistent connections.
#[derive(Clone, Debug)]
pub struct Client(legacy::Client<HttpConnector, Full<Bytes>>);

/// A response.
#[derive(Debug)]
pub struct HttpResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client without connections.
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(legacy::Client::builder(TokioExecutor::new()).build(connector))
    }

    /// Sends a request, with a bearer token if given and a JSON body if given.
    pub async fn call(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<HttpResponse, Error> {
        self.call_with(method, url, token, &[], body).await
    }

    /// Sends a request with further headers.
    pub async fn call_with(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<HttpResponse, Error> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(body))?;
        let response = timeout(REQUEST_LIMIT, self.0.request(request)).await??;
        let (head, body) = response.into_parts();
        let body = timeout(REQUEST_LIMIT, body.collect()).await??.to_bytes();
        Ok(HttpResponse { status: head.status, headers: head.headers, body })
    }

    /// Posts JSON and returns the JSON of the response, which must have this status.
    pub async fn post(
        &self,
        url: &str,
        body: &Value,
        expected: StatusCode,
    ) -> Result<Value, Error> {
        let answer = self.call(Method::POST, url, None, Some(body)).await?;
        answer.json_of(expected).map_err(|error| format!("{url}: {error}").into())
    }
}

impl HttpResponse {
    /// The JSON of a response, which must have this status.
    pub fn json_of(&self, expected: StatusCode) -> Result<Value, Error> {
        if self.status == expected {
            let text = || String::from_utf8_lossy(&self.body).into_owned();
            return serde_json::from_slice(&self.body).context(text);
        }
        Err(format!("{} {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}

/// Signs in as a user of the demo and returns the token.
///
/// # Errors
///
/// If the API cannot be reached, or rejects the password.
pub async fn sign_in(
    client: &Client,
    api: &str,
    who: &str,
    password: &str,
) -> Result<String, Error> {
    let credentials = json!({ "email": format!("{who}@example.com"), "password": password });
    let session = client.post(&format!("{api}/sessions"), &credentials, StatusCode::OK).await?;
    Ok(session["data"]["accessToken"].as_str().ok_or("no token")?.to_owned())
}
