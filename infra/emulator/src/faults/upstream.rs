//! The faults that any third-party service can have.

use std::num::NonZeroU16;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::values::{DelayMs, Rate};

/// The fault of a service's requests; by default none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpstreamFault {
    /// Whether connections are closed without a response.
    pub down: bool,
    /// The response instead of the service's own.
    pub answer: Option<FakeResponse>,
    /// Delay before every response, also before the service's own.
    pub delay_ms: DelayMs,
    /// The share of affected requests, by default all. With 0.25 it is every fourth request.
    pub share: Option<Rate>,
    /// The maximum number of affected requests.
    pub times: Option<u64>,
}

impl UpstreamFault {
    /// Connections are closed without a response.
    pub fn down() -> Self {
        Self { down: true, ..Self::default() }
    }

    /// The service responds with this status and body.
    ///
    /// # Panics
    /// If it is no final status.
    pub fn answer(status: u16, body: Value) -> Self {
        let status = NonZeroU16::new(status).and_then(|status| Status::try_from(status).ok());
        let status = status.expect("a status is from 200 to 599");
        let answer = FakeResponse { status, body, retry_after_s: None };
        Self { answer: Some(answer), ..Self::default() }
    }

    /// Every response is delayed.
    ///
    /// # Panics
    /// If the delay is more than a minute.
    pub fn delay_ms(delay_ms: u64) -> Self {
        let delay_ms = DelayMs::try_from(delay_ms).expect("a delay is at most a minute");
        Self { delay_ms, ..Self::default() }
    }

    /// The response has `Retry-After`.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u32) -> Self {
        self.answer.get_or_insert_default().retry_after_s = Some(seconds);
        self
    }

    /// At most this many requests are affected.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// This share of requests is affected.
    ///
    /// # Panics
    /// If it is not between 0 and 1.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = Some(Rate::of(share));
        self
    }
}

/// A response in JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FakeResponse {
    /// The status.
    pub status: Status,
    /// The body; `null` for none.
    #[serde(default)]
    pub body: Value,
    /// The value of `Retry-After`, in seconds.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
}

/// A final status, as a client can receive it: 200 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "NonZeroU16", into = "u16")]
pub struct Status(pub StatusCode);

impl Default for Status {
    fn default() -> Self {
        Self(StatusCode::OK)
    }
}

impl TryFrom<NonZeroU16> for Status {
    type Error = String;

    fn try_from(raw: NonZeroU16) -> Result<Self, String> {
        let status = StatusCode::from_u16(raw.get()).ok();
        let status = status.filter(|status| (200..600).contains(&status.as_u16()));
        status.map(Self).ok_or_else(|| format!("a status is from 200 to 599, not {raw}"))
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        status.0.as_u16()
    }
}

impl FakeResponse {
    /// A response with a body.
    pub fn new(status: StatusCode, body: Value) -> Self {
        Self { status: Status(status), body, retry_after_s: None }
    }
}
