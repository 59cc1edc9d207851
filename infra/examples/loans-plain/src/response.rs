//! Responses, and errors with a code, a sentence and the request's id.

use std::error::Error as StdError;

use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use lambda_http::http::{HeaderName, StatusCode};
use lambda_http::{Body, Error, Request, RequestExt, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// A successful response.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Value,
}

impl Reply {
    pub fn ok(data: &impl Serialize, version: u64) -> Self {
        let headers = vec![(ETAG, format!("\"{version}\""))];
        Self { status: 200, headers, body: json!({ "data": data }) }
    }

    pub fn created(path: String, data: &impl Serialize) -> Self {
        Self { status: 201, headers: vec![(LOCATION, path)], body: json!({ "data": data }) }
    }

    /// The stored response of an earlier request with the same key.
    pub fn replayed(status: u16, path: String, body: Value) -> Self {
        let replayed = HeaderName::from_static("idempotency-replayed");
        Self { status, headers: vec![(LOCATION, path), (replayed, "true".to_owned())], body }
    }

    pub fn body(&self) -> &Value {
        &self.body
    }
}

/// A response to a request that failed.
#[derive(Debug)]
pub enum Failure {
    Refused { status: u16, code: &'static str, message: &'static str },
    Internal(Box<dyn StdError + Send + Sync>),
}

impl Failure {
    pub fn refused(status: u16, code: &'static str, message: &'static str) -> Self {
        Self::Refused { status, code, message }
    }

    pub fn not_found() -> Self {
        Self::refused(404, "NOT_FOUND", "There is no such resource.")
    }

    pub fn invalid() -> Self {
        Self::refused(400, "INVALID_REQUEST", "The request is invalid.")
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

/// The id of the request, for logs and errors.
pub fn request_id(request: &Request) -> String {
    let context = request.lambda_context_ref();
    context.map(|context| context.request_id.clone()).unwrap_or_default()
}

/// The response of a function, with the headers that all responses have.
pub fn answer(request: &Request, reply: Result<Reply, Failure>) -> Result<Response<Body>, Error> {
    let request_id = request_id(request);
    let (mut status, mut headers, body) = match reply {
        Ok(Reply { status, headers, body }) => (status, headers, body),
        Err(Failure::Refused { status, code, message }) => {
            tracing::info!(request_id, status, code, "refused");
            (status, Vec::new(), error(code, message, &request_id))
        }
        Err(Failure::Internal(cause)) => {
            tracing::error!(request_id, error = cause, "failed");
            let body = error("INTERNAL_ERROR", "An unexpected error occurred.", &request_id);
            (500, Vec::new(), body)
        }
    };
    let known = request.headers().get(IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
    let mut body = Body::from(body.to_string());
    if known.is_some_and(|known| headers.iter().any(|(name, tag)| name == ETAG && tag == known)) {
        (status, body) = (StatusCode::NOT_MODIFIED.as_u16(), Body::Empty);
    } else {
        headers.push((CONTENT_TYPE, "application/json".to_owned()));
    }
    headers.push((CACHE_CONTROL, "no-store".to_owned()));
    headers.push((HeaderName::from_static("x-content-type-options"), "nosniff".to_owned()));
    headers.push((HeaderName::from_static("x-request-id"), request_id));
    let response = Response::builder().status(status);
    let response = headers.into_iter().fold(response, |it, (name, value)| it.header(name, value));
    Ok(response.body(body)?)
}

fn error(code: &str, message: &str, request_id: &str) -> Value {
    json!({ "error": { "code": code, "message": message, "traceId": request_id } })
}
