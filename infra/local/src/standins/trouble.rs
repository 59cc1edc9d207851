//! How any of other people's services can fail.

use std::num::NonZeroU16;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::stores::{DelayMs, Rate};

/// What requests meet instead of the service's own answer; the default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Trouble {
    /// Whether connections are closed without an answer.
    pub down: bool,
    /// What is answered.
    pub answer: Option<Answer>,
    /// Added before every answer, the service's own too.
    pub delay_ms: DelayMs,
    /// The share of requests that are struck; all of them unless said. One in four is every
    /// fourth.
    pub share: Option<Rate>,
    /// How many requests are struck at most.
    pub times: Option<u64>,
}

/// An answer in JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// The body; none where it is `null`.
    #[serde(default)]
    pub body: Value,
    /// For `Retry-After`, in seconds.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
}

/// A status that a client can get as the end of an exchange: 200 to 599.
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

impl Answer {
    /// An answer with a body.
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self { status: Status(status), body, retry_after_s: None }
    }
}
