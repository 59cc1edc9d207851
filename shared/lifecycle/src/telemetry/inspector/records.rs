//! The shapes of the records. `examples.jsonl` has one of each kind.

use serde::Serialize;

use crate::error::FieldError;

/// A record. Its `type` is the name of the variant.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum InspectorRecord<'a> {
    Begun(Begun<'a>),
    Reached(Reached<'a>),
    Ended(Ended<'a>),
    Deferred(Deferred<'a>),
    Record(SettledRecord<'a>),
}

/// A request has begun.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun<'a> {
    /// Lambda's id of the invocation, as in all records.
    pub(super) invocation: &'a str,
    pub(super) request_id: &'a str,
    pub(super) method: &'a str,
    /// The route's template.
    pub(super) route: &'a str,
    pub(super) cold_start: bool,
}

/// A request is about to read its facts, or to commit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reached<'a> {
    pub(super) invocation: &'a str,
    /// Its `stages` are those before the running one.
    #[serde(flatten)]
    pub(super) progress: &'a Progress,
    /// The stage that begins now.
    pub(super) running: Stage,
}

/// A request has ended; its response is about to be returned.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ended<'a> {
    pub(super) invocation: &'a str,
    #[serde(flatten)]
    pub(super) progress: &'a Progress,
    pub(super) status: u16,
    /// The error code of the response.
    pub(super) code: Option<&'a str>,
    /// The sentence of the error response.
    pub(super) message: Option<&'a str>,
    /// The stage that ran when the request was refused or failed; one of the nine.
    pub(super) refused_at: Option<Stage>,
    /// The chain of causes, for errors that are not the client's.
    pub(super) error: Option<&'a str>,
    /// Whether the response is a stored one, by its idempotency key.
    pub(super) replayed: bool,
    pub(super) field_errors: &'a [FieldError],
    /// The reasons why attempts to commit were repeated.
    pub(super) stale: &'a [String],
    /// The number of works that follow the response.
    pub(super) deferred: usize,
}

/// The deferred work of an invocation is done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deferred<'a> {
    pub(super) invocation: &'a str,
    pub(super) work: Vec<WorkRecord>,
}

/// One piece of deferred work.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkRecord {
    pub(super) what: String,
    pub(super) failed: Option<String>,
    pub(super) took_ms: f64,
}

/// A record of a consumer is settled.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettledRecord<'a> {
    pub(super) invocation: &'a str,
    /// The id of a queue's message; `null` for other sources.
    pub(super) message_id: Option<&'a str>,
    pub(super) record_id: &'a str,
    pub(super) request_id: &'a str,
    pub(super) source: &'a str,
    pub(super) deliveries: u32,
    /// `processed`, `duplicate`, `deadLettered` or `failed`.
    pub(super) outcome: &'a str,
    /// The code of the rule that rejected it, or of its failure.
    pub(super) code: Option<&'a str>,
    pub(super) error: Option<&'a str>,
    pub(super) stages: &'a [(Stage, f64, u32)],
    pub(super) input: Option<&'a str>,
}

/// How far a request or a record has come.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    /// Each stage in the order of its first run, with its time in milliseconds and its runs.
    pub(super) stages: Vec<(Stage, f64, u32)>,
    /// The command, as Rust prints it.
    pub(super) input: Option<String>,
    pub(super) caller: Option<String>,
    /// The number of runs of stages 6 to 8.
    pub(super) attempts: u32,
    pub(super) verdicts: Vec<VerdictRecord>,
    /// Look-ups in caches, and whether each was a hit.
    pub(super) caches: Vec<(&'static str, bool)>,
}

/// One decision about the caller.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerdictRecord {
    pub(super) stage: Stage,
    pub(super) by: Judge,
    pub(super) allowed: bool,
    /// One sentence.
    pub(super) reason: String,
}

/// The part of the lifecycle that decides about the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Judge {
    /// Stage 2.
    Caller,
    /// Stage 3.
    Access,
    /// Stage 3b.
    Facts,
    /// A rate limit.
    Limit,
}

impl Judge {
    /// The stage of its verdicts, one of the nine.
    pub(super) fn stage(self) -> Stage {
        match self {
            Self::Caller => Stage::Authentication,
            Self::Access | Self::Facts | Self::Limit => Stage::Authorization,
        }
    }
}

/// A stage, in the order of a request. Rate limits are timed separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stage {
    Routing,
    Authentication,
    Authorization,
    Limit,
    Deserialization,
    Validation,
    Retrieval,
    Rules,
    Effects,
    Response,
}

impl Stage {
    /// The stage as one of the nine: a rate limit is a part of authorization.
    pub(super) fn of_nine(self) -> Self {
        match self {
            Self::Limit => Self::Authorization,
            other => other,
        }
    }
}
