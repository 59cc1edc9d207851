//! A record of the requests that a stand-in received.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::activity::{Activity, UpstreamCall};

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
    name: &'static str,
    /// The records of the platform, once it has them.
    activity: OnceLock<Activity>,
    /// The further headers that are shown.
    shown: &'static [&'static str],
    report: Mutex<Report>,
    in_flight: AtomicU64,
}

/// A request in progress, for as long as this value lives.
pub(super) struct InFlight<'a> {
    in_flight: &'a AtomicU64,
    began: Instant,
    /// The status of the response; none if the connection is closed.
    status: Option<u16>,
    recorded: Option<(&'a Activity, u64)>,
}

impl InFlight<'_> {
    /// Notes the response.
    pub(super) fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some((activity, number)) = self.recorded {
            activity.upstream_answered(number, self.began.elapsed(), self.status);
        }
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
    pub(super) fn new(name: &'static str, shown: &'static [&'static str]) -> Self {
        let (report, in_flight) = (Mutex::default(), AtomicU64::default());
        Self { name, activity: OnceLock::new(), shown, report, in_flight }
    }

    /// Also records requests there. Only the first call has an effect.
    pub(super) fn record_to(&self, activity: &Activity) {
        let _ = self.activity.set(activity.clone());
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
        drop(report);
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        let recorded = self.activity.get().map(|activity| {
            let call = UpstreamCall {
                service: self.name,
                method: request.method().as_str(),
                path: request.uri().path_and_query().map_or("/", |it| it.as_str()),
                request_id: header("x-request-id"),
            };
            (activity, activity.upstream_called(&call))
        });
        let in_flight = &self.in_flight;
        InFlight { in_flight, began: Instant::now(), status: None, recorded }
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
