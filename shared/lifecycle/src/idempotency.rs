//! Idempotency by key: the stored response is part of the commit that it belongs to.
//!
//! There is no marker for work in progress, so nothing can get stuck. The first commit wins; the
//! condition of every later one fails and returns the stored response. A first request needs no
//! read, unless its reply reports a failure.
//!
//! Only committed requests are stored. A rejection has changed nothing, so a retry is harmless and
//! may succeed. A [`Result`](crate::reply::Reply) that replies with a server error is not stored,
//! either, although its effects are committed: a retry may succeed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::canonical::canonical;
use crate::effects::{Condition, Write};
use crate::error::FieldErrors;
use crate::hash::hash_of;
use crate::http::{Request, Response};
use crate::record::{Key, Record, TableName};
use crate::route::Route;

/// The idempotency table: stored responses and inbox records; its time-to-live attribute is
/// `expiresAt`.
pub const IDEMPOTENCY_KEYS: TableName = TableName::new("ledger");

/// The request header with the key.
pub(crate) const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that marks a replayed response.
pub(crate) const REPLAYED_HEADER: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The hash of no parts: most requests have no query, and many no parameters.
const HASH_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// How long a response is stored.
const KEPT_S: i64 = 24 * 60 * 60;

/// Whether an endpoint recognises repeated requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Idempotency {
    /// Every request is new.
    None,
    /// A repeated request with the same `Idempotency-Key` is recognised within 24 hours. Its response
    /// is stored in one item, which may have 400 KB: a larger one is a 500 without effects. Server
    /// errors are not stored.
    Accepted,
    /// As `Accepted`; a request without the header is invalid.
    Required,
}

/// The scoped idempotency key of a request, with the hash of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScopedIdempotencyKey {
    ledger_key: Key,
    request_hash: String,
}

impl ScopedIdempotencyKey {
    /// Returns the key in the request's header, if there is one.
    ///
    /// # Errors
    ///
    /// When the header is malformed, or required and missing.
    pub(crate) fn named(
        idempotency: Idempotency,
        request: &Request,
    ) -> Result<Option<&[u8]>, FieldErrors> {
        if idempotency == Idempotency::None {
            return Ok(None);
        }
        let refuse = |message| Err(FieldErrors::one("header.Idempotency-Key", message));
        let Some(value) = request.headers.get(KEY_HEADER) else {
            return match idempotency {
                Idempotency::Required => refuse("is required"),
                Idempotency::Accepted | Idempotency::None => Ok(None),
            };
        };
        let key = value.as_bytes();
        if !(1..=255).contains(&key.len()) || !key.iter().all(u8::is_ascii_graphic) {
            return refuse("must be 1 to 255 visible ASCII characters");
        }
        Ok(Some(key))
    }

    /// Returns the scoped key of a request whose body is valid: hashing costs more than reading,
    /// and is skipped for invalid requests.
    ///
    /// Two requests are the same if method, route with parameters, query, caller and JSON value are
    /// the same. For a caller who is not signed in, the scope includes the request itself. So no
    /// caller can block another's key, and reading another's response takes its key and its exact
    /// request. The source address is no scope, because it may change before a retry.
    pub(crate) fn of(request: &Request, route: &Route, subject: Option<&str>, key: &[u8]) -> Self {
        let request_hash = hash_of_request(request, route, key);
        let method = request.method.as_str();
        let scope = [method, route.path, subject.unwrap_or("anyone")].map(str::as_bytes);
        let alone = subject.is_none().then_some(request_hash.as_bytes());
        let scope = scope.into_iter().chain([key]).chain(alone);
        let ledger_key = Key::new(format!("idempotency#{}", hash_of(scope)));
        Self { ledger_key, request_hash }
    }

    pub(crate) fn ledger_key(&self) -> &Key {
        &self.ledger_key
    }

    /// The conditional write that stores a response, unless one is stored already.
    pub(crate) fn store(&self, response: &Response, now: Timestamp) -> Write {
        // The store deletes expired items with a delay; until then this condition ignores them.
        Write::put(&StoredResponse::stored(self, response, now)).when(absent_or_expired(now))
    }

    /// Returns the response to replay, or `None` when the key belongs to another request.
    pub(crate) fn replay(&self, remembered: StoredResponse, request: &Request) -> Option<Response> {
        let is_same = remembered.request_hash == self.request_hash
            || remembered.request_hash == earlier_hash_of(request);
        if !is_same {
            return None;
        }
        let mut headers: HeaderMap = remembered
            .headers
            .iter()
            .filter_map(|(name, value)| {
                Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
            })
            .collect();
        for cookie in &remembered.cookies {
            headers.append(header::SET_COOKIE, cookie.parse().ok()?);
        }
        headers.insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
        let status = StatusCode::from_u16(remembered.status).ok()?;
        let body = if remembered.is_base64 {
            BASE64_STANDARD.decode(remembered.body).ok()?.into()
        } else {
            remembered.body.into()
        };
        Some(Response { status, headers, body })
    }
}

/// The hash of the raw request, as earlier versions made it. Their records are kept for a day.
fn earlier_hash_of(request: &Request) -> String {
    let key = request.headers.get(KEY_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    let spelled = [request.method.as_str(), &request.path, &request.raw_query].map(str::as_bytes);
    hash_of(spelled.into_iter().chain([key, &request.body]))
}

/// The hash of a request's meaning, independent of its spelling. It includes the key, which is not
/// stored, so that a reader of the table cannot find, say, the body's password by trying hashes.
fn hash_of_request(request: &Request, route: &Route, key: &[u8]) -> String {
    let pairs = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
        let mut pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() {
            return HASH_OF_NOTHING.to_owned();
        }
        // The order of the values of one name may have a meaning.
        pairs.sort_by_key(|(name, _)| *name);
        hash_of(pairs.into_iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]))
    };
    let path = pairs(&mut request.path_parameters.iter());
    let query = pairs(&mut request.query.iter().map(|(name, value)| (name, value)));
    let body = canonical(&request.body);
    let body = body.as_deref().unwrap_or(&request.body);
    let method = request.method.as_str();
    let parts = [method, route.path, &path, &query].map(str::as_bytes);
    hash_of(parts.into_iter().chain([key, body]))
}

/// The condition on which a record may be written to the idempotency table.
pub(crate) fn absent_or_expired(now: Timestamp) -> Condition {
    Condition::Any(vec![Condition::Absent, Condition::Below("expiresAt", now.as_seconds())])
}

/// A response as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredResponse {
    #[serde(skip, default = "no_key")]
    ledger_key: Key,
    request_hash: String,
    status: u16,
    headers: BTreeMap<String, String>,
    /// The values of `Set-Cookie`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    /// Whether the body is base64, because it is not UTF-8.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_base64: bool,
    body: String,
    expires_at: i64,
}

impl StoredResponse {
    fn stored(key: &ScopedIdempotencyKey, response: &Response, now: Timestamp) -> Self {
        let values = |name: &HeaderName| {
            let values = response.headers.get_all(name).iter();
            values.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>()
        };
        // Cookies must not be joined (RFC 9110, 5.3).
        let joined = response.headers.keys().filter(|name| *name != header::SET_COOKIE);
        let cookies = values(&header::SET_COOKIE).into_iter().map(str::to_owned);
        let text = std::str::from_utf8(&response.body);
        Self {
            ledger_key: key.ledger_key.clone(),
            request_hash: key.request_hash.clone(),
            status: response.status.as_u16(),
            headers: joined.map(|name| (name.as_str().into(), values(name).join(", "))).collect(),
            cookies: cookies.collect(),
            is_base64: text.is_err(),
            body: text.map_or_else(|_| BASE64_STANDARD.encode(&response.body), str::to_owned),
            expires_at: now.plus_seconds(KEPT_S).as_seconds(),
        }
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at < now.as_seconds()
    }
}

impl Record for StoredResponse {
    const TABLE: TableName = IDEMPOTENCY_KEYS;

    fn key(&self) -> Key {
        self.ledger_key.clone()
    }
}

/// A record that was read needs no key, because it is not written again.
fn no_key() -> Key {
    Key::new("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Route = Route::post("/notes");

    fn posted(query: &str) -> Request {
        let event = serde_json::json!({
            "rawPath": "/notes", "rawQueryString": query, "headers": { "idempotency-key": "k-1" },
            "requestContext": { "http": { "method": "POST" } },
        });
        Request::from_event(event.to_string().as_bytes(), &ROUTE).unwrap()
    }

    #[test]
    fn a_record_of_an_earlier_version_is_replayed_to_its_own_request() {
        let (request, other) = (posted("a=1"), posted("a=2"));
        let key = ScopedIdempotencyKey::of(&request, &ROUTE, None, b"k-1");
        let (status, headers) = (StatusCode::CREATED, HeaderMap::new());
        let first = Response { status, headers, body: (&b"{}"[..]).into() };
        let mut stored = StoredResponse::stored(&key, &first, Timestamp::from_millis(0));
        stored.request_hash = hash_of([&b"POST"[..], b"/notes", b"a=1", b"k-1", b""]);
        let own = key.replay(stored.clone(), &request).map(|replayed| replayed.status);
        assert_eq!(own, Some(StatusCode::CREATED));
        assert!(key.replay(stored, &other).is_none());
    }

    #[test]
    fn answers_of_released_versions_are_read() {
        let headers = [("content-type", "application/json"), ("location", "/orders/1")];
        crate::released::holds::<StoredResponse>(&[StoredResponse {
            ledger_key: Key::new("idempotency#hash"),
            request_hash: "hash".to_owned(),
            status: 201,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            cookies: Vec::new(),
            is_base64: false,
            body: r#"{"data":{}}"#.to_owned(),
            expires_at: 1_800_000_000,
        }]);
    }

    #[test]
    fn a_replay_has_every_cookie_and_every_byte_of_the_first_response() {
        let key = ScopedIdempotencyKey {
            ledger_key: Key::new("idempotency#hash"),
            request_hash: "hash".to_owned(),
        };
        let request = posted("");
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::SET_COOKIE, "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT"),
            (header::SET_COOKIE, "b=2"),
            (header::CONTENT_TYPE, "image/png"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        for body in [&b"\x89PNG"[..], b"{}"] {
            let (status, headers) = (StatusCode::CREATED, headers.clone());
            let first = Response { status, headers, body: body.into() };
            let remembered = StoredResponse::stored(&key, &first, Timestamp::from_millis(0));
            let mut replayed = key.replay(remembered, &request).unwrap();
            assert_eq!(replayed.headers.remove(REPLAYED_HEADER).unwrap(), "true");
            assert_eq!(replayed, first);
        }
    }

    #[test]
    fn another_query_is_another_request() {
        let hash = |query: &str| {
            ScopedIdempotencyKey::of(&posted(query), &ROUTE, None, b"k-1").request_hash
        };
        assert_eq!(HASH_OF_NOTHING, hash_of([]));
        assert_eq!(hash("a=1&b=%20"), hash("b=+&a=1"));
        assert_ne!(hash("a=1"), hash(""));
    }

    #[test]
    fn a_response_is_kept_for_24_hours() {
        let key = ScopedIdempotencyKey::of(&posted(""), &ROUTE, None, b"k-1");
        let (status, headers) = (StatusCode::CREATED, HeaderMap::new());
        let first = Response { status, headers, body: (&b"{}"[..]).into() };
        let stored = StoredResponse::stored(&key, &first, Timestamp::from_millis(500));
        for (second, has_expired) in [(0, false), (86_400, false), (86_401, true)] {
            let now = Timestamp::from_millis(second * 1000);
            assert_eq!(stored.has_expired(now), has_expired, "{second}");
        }
    }
}
