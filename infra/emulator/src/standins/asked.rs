//! A record of the requests that a stand-in received.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The maximum number of requests kept in full.
const REQUESTS_MAX: usize = 1_000;
/// The maximum number of paths that are counted separately.
const PATHS_MAX: usize = 100_000;
/// The headers that are shown of every stand-in's requests. Others may contain secrets.
const SHOWN: [&str; 5] =
    ["accept-language", "content-type", "traceparent", "tracestate", "x-request-id"];

/// The requests of one stand-in.
#[derive(Debug)]
pub(super) struct Asked {
    /// The further headers that are shown.
    shown: &'static [&'static str],
    report: Mutex<Report>,
    in_flight: AtomicU64,
}

/// A request in progress, for as long as this value lives.
pub(super) struct InFlight<'a>(&'a AtomicU64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The requests that a stand-in received, without secrets.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// The number of requests by path.
    pub counts: BTreeMap<String, u64>,
    /// The maximum number of concurrent requests.
    pub in_flight_max: u64,
    /// The latest 1,000 requests, newest last.
    pub requests: VecDeque<AskedRequest>,
}

/// One request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedRequest {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    /// The beginning of the SHA-256 of the request's credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorized_by: Option<String>,
    /// The body if it is JSON; a form may contain a password.
    #[serde(skip_serializing_if = "Value::is_null")]
    body: Value,
}

impl Asked {
    /// No requests so far. Of later ones, these headers are also shown.
    pub(super) fn new(shown: &'static [&'static str]) -> Self {
        Self { shown, report: Mutex::default(), in_flight: AtomicU64::default() }
    }

    pub(super) fn note(&self, request: &Request<Bytes>) -> InFlight<'_> {
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.in_flight_max = report.in_flight_max.max(in_flight);
        let path = request.uri().path().to_owned();
        if report.counts.len() < PATHS_MAX || report.counts.contains_key(&path) {
            *report.counts.entry(path).or_default() += 1;
        }
        if report.requests.len() == REQUESTS_MAX {
            report.requests.pop_front();
        }
        report.requests.push_back(AskedRequest::of(request, self.shown));
        InFlight(&self.in_flight)
    }

    pub(super) fn report(&self) -> Report {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AskedRequest {
    fn of(request: &Request<Bytes>, shown: &'static [&'static str]) -> Self {
        let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
        let shown = SHOWN.iter().chain(shown);
        let shown = shown.filter_map(|name| Some(((*name).to_owned(), header(name)?)));
        let is_json = header(CONTENT_TYPE.as_str()).is_some_and(|it| it.contains("json"));
        let body = if is_json { serde_json::from_slice(request.body()).ok() } else { None };
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: shown.collect(),
            authorized_by: header(AUTHORIZATION.as_str()).map(|secret| fingerprint(&secret)),
            body: body.unwrap_or_default(),
        }
    }
}

/// A part of a hash: enough to distinguish secrets, and too short to recover one.
fn fingerprint(secret: &str) -> String {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(secret).into();
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}
