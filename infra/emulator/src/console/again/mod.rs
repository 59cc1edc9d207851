//! Sending a request again, and copying it as a command or a test.

mod curl;
mod edit;
mod literal;
mod shown;
mod test;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::shown::Shown;
use super::reading::{self, refused, unknown};
use super::send::{CLIENT, send};
use crate::activity::view::OriginalRequest;
use crate::control::{Control, ControlError};

/// The maximum bytes of the body of `resend`: the API's limit, and some more, because a text in JSON
/// is longer than the text.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The maximum number of headers. The API accepts fewer; many more make a `HeaderMap` panic.
const HEADERS_MAX: usize = 500;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Headers that concern a connection, and not the request; and headers that the platform sets.
const LEFT_OUT: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "proxy-connection",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-console-account",
];

/// The headers with the id that the gateway gave a request.
const IDS: [&str; 2] = ["apigw-requestid", "x-amzn-requestid"];

/// The body of `resend`. Parts that are absent stay as they were.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Changes {
    idempotency_key: KeyChange,
    body: Option<String>,
    /// The path with its query.
    path: Option<String>,
    headers: Option<Vec<(String, String)>>,
    /// The account whose token it gets.
    account: Option<String>,
    /// The name of the client, for the list of requests.
    client: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeyChange {
    #[default]
    Same,
    New,
    None,
}

/// The response of `resend`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent {
    /// The id of the new request.
    id: Option<String>,
    /// Its `x-request-id`.
    request_id: Option<String>,
    status: u16,
}

/// `POST /activity/requests/{id}/resend`: sends a request again, with the secret values that it had.
pub(super) async fn resend(
    State(control): State<Control>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Sent>, ControlError> {
    let changes: Changes = reading::body(&body)?;
    let original = original(&control, &id)?;
    let mut request = changed(&control, &original, &changes)?;
    if let Some(account) = &changes.account {
        let token = control.accounts.authorization(account).await?;
        request.headers_mut().insert(AUTHORIZATION, token);
    }
    let gone = |reason: String| {
        let reason = format!("the API does not respond: {reason}");
        ControlError::new(StatusCode::BAD_GATEWAY, reason)
    };
    let answer = send(&control.api_url, request).await.map_err(gone)?;
    let (head, mut answer) = answer.into_parts();
    // To its end, so that the request has ended when the page shows it. Nothing is kept.
    while let Some(frame) = answer.frame().await {
        frame.map_err(|error| gone(error.to_string()))?;
    }
    if head.status == StatusCode::UNAUTHORIZED
        && let Some(account) = &changes.account
    {
        control.accounts.forget(account).await;
    }
    let header = |name: &str| head.headers.get(name)?.to_str().ok().map(str::to_owned);
    let request_id = header("x-request-id");
    let by_request_id =
        || Some(control.functions.activity().request(request_id.as_deref()?)?.row.id);
    let id = IDS.into_iter().find_map(header).or_else(by_request_id);
    Ok(Json(Sent { id, request_id, status: head.status.as_u16() }))
}

/// `GET /activity/requests/{id}/curl`: the request as a command for a shell.
pub(super) async fn curl(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Response, ControlError> {
    let original = original(&control, &id)?;
    let shown = Shown::of(control.functions.activity().redaction(), &original);
    Ok(text(curl::command(&control.api_url, &shown)))
}

/// `GET /activity/requests/{id}/test`: the request as a test in Rust.
pub(super) async fn test(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Result<Response, ControlError> {
    let original = original(&control, &id)?;
    let detail =
        control.functions.activity().request(&id).ok_or_else(|| unknown("request", &id))?;
    let shown = Shown::of(control.functions.activity().redaction(), &original);
    Ok(text(test::test(&shown, detail.row.route.as_deref(), detail.row.status)))
}

fn original(control: &Control, id: &str) -> Result<OriginalRequest, ControlError> {
    control.functions.activity().original(id).ok_or_else(|| {
        match control.functions.activity().request(id) {
            Some(_) => {
                let reason = "the request's headers and body are no longer in memory";
                ControlError::new(StatusCode::CONFLICT, reason)
            }
            None => unknown("request", id),
        }
    })
}

/// The original request with the changes.
fn changed(
    control: &Control,
    original: &OriginalRequest,
    changes: &Changes,
) -> Result<Request<Full<Bytes>>, ControlError> {
    let redaction = control.functions.activity().redaction();
    let method: Method =
        original.method.parse().map_err(|_| refused("the request's method cannot be sent"))?;
    let path = match &changes.path {
        Some(path) => edit::path(redaction, &original.path, path)?,
        None => original.path.clone(),
    };
    let path: http::uri::PathAndQuery = path
        .parse()
        .map_err(|error| refused(format!("path: {error}; special characters must be encoded")))?;
    let headers = match &changes.headers {
        Some(headers) => edit::headers(redaction, &original.headers, headers)?,
        None => original.headers.clone(),
    };
    let mut headers = read_headers(&headers)?;
    let body = match &changes.body {
        Some(body) => edit::body(redaction, &original.body, body)?,
        None => original.body.clone(),
    };
    if original.body.is_empty() && !body.is_empty() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    match changes.idempotency_key {
        KeyChange::Same => {}
        KeyChange::New => {
            let key = Uuid::new_v4().to_string();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(&key).map_err(|_| invalid())?);
        }
        KeyChange::None => {
            headers.remove(IDEMPOTENCY_KEY);
        }
    }
    let client = changes.client.as_deref().unwrap_or("console");
    if client.len() > 200 {
        return Err(refused("client has more than 200 bytes"));
    }
    headers
        .insert(CLIENT, HeaderValue::from_str(client).map_err(|_| refused("client is invalid"))?);
    let mut request = Request::new(Full::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = path.into();
    *request.headers_mut() = headers;
    Ok(request)
}

fn read_headers(pairs: &[(String, String)]) -> Result<HeaderMap, ControlError> {
    if pairs.len() > HEADERS_MAX {
        return Err(refused(format!("headers: there are more than {HEADERS_MAX}")));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let invalid = || refused(format!("headers: {name:.80} or its value is invalid"));
        let name: HeaderName = name.to_ascii_lowercase().parse().map_err(|_| invalid())?;
        // Values may have bytes beyond ASCII.
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
        if !LEFT_OUT.contains(&name.as_str()) {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

fn invalid() -> ControlError {
    refused("a header is invalid")
}

fn text(text: String) -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_headers_are_refused_before_they_are_added() {
        let pairs = |count: usize| -> Vec<(String, String)> {
            (0..count).map(|number| (format!("x-{number}"), "v".to_owned())).collect()
        };
        assert!(read_headers(&pairs(HEADERS_MAX)).is_ok());
        assert!(read_headers(&pairs(40_000)).is_err());
    }
}
