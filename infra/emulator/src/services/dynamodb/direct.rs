//! Calls of items, answered in this process without the embedded server.
//!
//! By the server, a call is a second HTTP exchange over loopback, and its body is read as JSON three
//! times. Here the body is read once, by the operation's own type.
//!
//! The server words the refusals of malformed requests, by rules that are not public. So it gets each
//! request that cannot be read. The errors of an operation that has read its request are its own.

#[cfg(test)]
mod tests;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use dynoxide::auth_material::{self, AuthMaterial};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The media type of calls by an SDK, and of their answers.
const MEDIA_TYPE: &str = "application/x-amz-json-1.0";

const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-crc32");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The answer to a call whose body is of the usual form; `None` if the server has to answer.
pub(super) fn answer(
    database: &Database,
    operation: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<Response> {
    if !are_usual(headers) {
        return None;
    }
    let (status, body) = run(database, operation, body)?;
    Some(response(status, body.into()))
}

/// Whether the server would find nothing to refuse or to add by these headers.
fn are_usual(headers: &HeaderMap) -> bool {
    let material = AuthMaterial {
        authorization: headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
        query: "",
        has_date_header: headers.contains_key("x-amz-date") || headers.contains_key(DATE),
    };
    headers.get(CONTENT_TYPE).is_some_and(|media_type| media_type == MEDIA_TYPE)
        && !headers.contains_key(ORIGIN)
        && auth_material::validate(material).is_none()
}

/// Runs an operation on items.
fn run(database: &Database, operation: &str, body: &[u8]) -> Option<(StatusCode, String)> {
    match operation {
        "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| database.batch_write_item(request)),
        "DeleteItem" => call(body, |request| database.delete_item(request)),
        "GetItem" => call(body, |request| database.get_item(request)),
        "PutItem" => call(body, |request| database.put_item(request)),
        "Query" => call(body, |request| database.query(request)),
        "Scan" => call(body, |request| database.scan(request)),
        "TransactGetItems" => call(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => call(body, |request| database.transact_write_items(request)),
        "UpdateItem" => call(body, |request| database.update_item(request)),
        _ => None,
    }
}

fn call<Input: DeserializeOwned, Output: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Input) -> Result<Output, DynoxideError>,
) -> Option<(StatusCode, String)> {
    let request = serde_json::from_slice(body).ok()?;
    let answered = operation(request).and_then(|output| {
        let written = serde_json::to_string(&output);
        written.map_err(|error| DynoxideError::InternalServerError(error.to_string()))
    });
    match answered {
        Ok(body) => Some((StatusCode::OK, body)),
        Err(error) => {
            let status = StatusCode::from_u16(error.status_code());
            Some((status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error.to_json()))
        }
    }
}

fn response(status: StatusCode, body: Bytes) -> Response {
    let checksum = crc32fast::hash(&body);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CHECKSUM, checksum.into());
    headers.insert(REQUEST_ID, request_id());
    response
}

/// An id of 52 characters, as `DynamoDB` gives them.
fn request_id() -> HeaderValue {
    let id = format!("{:032X}{:020X}", fastrand::u128(..), fastrand::u128(..1_u128 << 80));
    HeaderValue::try_from(id).expect("hexadecimal digits are visible ASCII")
}
