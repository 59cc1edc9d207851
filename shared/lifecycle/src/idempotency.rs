//! Idempotency by key: the record of an answer is part of the commit that the answer tells of.
//!
//! There is no marker for work in progress, so nothing can get stuck: whoever commits first has
//! won, and everybody else finds the winner's answer in the item that made their own commit
//! fail. The way that always succeeds costs no read.
//!
//! Only what was committed is remembered. A refusal has changed nothing, so asking again is
//! harmless and may get a better answer.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::canonical::canonical;
use crate::effects::{Condition, Write};
use crate::failure::Violations;
use crate::hash::hash_of;
use crate::record::{Key, Record, Table};
use crate::route::Route;
use crate::serve::{Request, Response};

/// Where idempotency records and inbox records are kept; its time to live is `expiresAt`.
pub const LEDGER: Table = Table::new("ledger");

/// The header that carries the key.
pub(crate) const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The header of an answer that was given before.
pub(crate) const REPLAYED_HEADER: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long an answer is remembered.
const KEPT_S: i64 = 24 * 60 * 60;

/// Whether an endpoint recognises a request that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// Every request is a new one.
    None,
    /// A request with an `Idempotency-Key` is recognised when it comes again within 24 hours.
    Accepted,
    /// As `Accepted`, and a request without the header is refused.
    Required,
}

/// What identifies one intention of one caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntentKey {
    ledger_key: Key,
    request_hash: String,
    /// As it was made before requests were compared by their value. Records of that time are kept
    /// for a day.
    earlier_hash: String,
}

impl IntentKey {
    /// The key that a request names in its header, if it does.
    ///
    /// # Errors
    ///
    /// When the header is malformed, or required and missing.
    pub(crate) fn named(
        idempotency: Idempotency,
        request: &Request,
    ) -> Result<Option<&[u8]>, Violations> {
        if idempotency == Idempotency::None {
            return Ok(None);
        }
        let refuse = |message| Err(Violations::one("header.Idempotency-Key", message));
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

    /// The identity of a request that named this key, and whose body is valid: hashing costs more
    /// than reading, and is not done for what is refused.
    ///
    /// The same request is the same method, route with its parameters, query, caller and JSON
    /// value. For a caller who is not signed in, the scope of the key includes the request: nobody
    /// can take a key from somebody else, and to be given another's answer, one would have to
    /// guess its key and send its very request. An address is no scope: it may change between a
    /// request and its retry.
    pub(crate) fn of(request: &Request, route: &Route, subject: Option<&str>, key: &[u8]) -> Self {
        let request_hash = hash_of_request(request, route, key);
        let method = request.method.as_str();
        let scope = [method, route.path, subject.unwrap_or("anyone")].map(str::as_bytes);
        let alone = subject.is_none().then_some(request_hash.as_bytes());
        let scope = scope.into_iter().chain([key]).chain(alone);
        let earlier = [method, &request.path, &request.raw_query].map(str::as_bytes);
        Self {
            ledger_key: Key::new(format!("idempotency#{}", hash_of(scope))),
            earlier_hash: hash_of(earlier.into_iter().chain([key, &request.body])),
            request_hash,
        }
    }

    pub(crate) fn ledger_key(&self) -> &Key {
        &self.ledger_key
    }

    /// The write that remembers an answer, if nobody has answered this yet.
    pub(crate) fn remember(&self, response: &Response, now: Timestamp) -> Write {
        let headers = response.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let answer = Remembered {
            ledger_key: self.ledger_key.clone(),
            request_hash: self.request_hash.clone(),
            status: response.status.as_u16(),
            headers: headers.collect(),
            body: response.body.clone(),
            expires_at: now.plus_seconds(KEPT_S).as_seconds(),
        };
        // The store forgets expired items in its own time; until then they do not count.
        Write::put(&answer).when(absent_or_expired(now))
    }

    /// The answer to replay, or `None` when the key came with another request.
    pub(crate) fn replay(&self, remembered: Remembered) -> Option<Response> {
        if ![&self.request_hash, &self.earlier_hash].contains(&&remembered.request_hash) {
            return None;
        }
        let mut headers: HeaderMap = remembered
            .headers
            .iter()
            .filter_map(|(name, value)| {
                Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
            })
            .collect();
        headers.insert(REPLAYED_HEADER, HeaderValue::from_static("true"));
        let status = StatusCode::from_u16(remembered.status).ok()?;
        Some(Response { status, headers, body: remembered.body })
    }
}

/// The hash of what a request asks for, whatever it is spelled like. The key itself is part of it,
/// and not stored, so that nobody who reads the ledger can guess, say, the password in a body by
/// trying hashes.
fn hash_of_request(request: &Request, route: &Route, key: &[u8]) -> String {
    let pairs = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
        let mut pairs: Vec<_> = pairs.collect();
        // The order of one name's values may mean something.
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

/// The condition under which a ledger record may be written.
pub(crate) fn absent_or_expired(now: Timestamp) -> Condition {
    Condition::Any(vec![Condition::Absent, Condition::Below("expiresAt", now.as_seconds())])
}

/// An answer as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remembered {
    #[serde(skip, default = "no_key")]
    ledger_key: Key,
    request_hash: String,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    expires_at: i64,
}

impl Remembered {
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at < now.as_seconds()
    }
}

impl Record for Remembered {
    const TABLE: Table = LEDGER;

    fn key(&self) -> Key {
        self.ledger_key.clone()
    }
}

/// A record that was read needs no key: it is not written again.
fn no_key() -> Key {
    Key::new("")
}
