//! Why there is no answer, or a no.

use http::StatusCode;
use serde::Deserialize;

/// Why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API says no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// No answer came, as often as it was tried.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// An answer came, and is not one of this API.
    #[error("the answer with status {status} cannot be read: {reason}")]
    Unreadable {
        /// Its status.
        status: StatusCode,
        /// What is wrong with it.
        reason: String,
    },
    /// The address of the API, a token or a key cannot be sent.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
}

impl Error {
    /// What the API said, if it said no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The code of a function's refusal: `OUT_OF_STOCK`.
    pub fn code(&self) -> Option<&str> {
        self.refusal()?.code.as_deref()
    }

    pub(crate) fn unreadable(status: StatusCode, reason: &serde_json::Error) -> Self {
        Self::Unreadable { status, reason: reason.to_string() }
    }
}

/// A refusal, of a function's or of the gateway's.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{status}: {message}")]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The code; the gateway gives none.
    pub code: Option<String>,
    /// One sentence.
    pub message: String,
    /// What of the request is at fault.
    pub violations: Vec<Violation>,
    /// The request's id, to ask operators about.
    pub request_id: Option<String>,
    /// In how many seconds it is worth trying again.
    pub retry_after_s: Option<u32>,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// A JSON Pointer into the body, or `path.…`, `query.…`, `header.…`.
    pub field: String,
    /// One sentence.
    pub message: String,
}

impl Refusal {
    /// The refusal that a body tells of: of a function's shape or of the gateway's.
    pub(crate) fn read(
        status: StatusCode,
        headers: &http::HeaderMap,
        body: &[u8],
    ) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Body {
            Function { error: Said },
            Gateway { message: String },
        }
        #[derive(Deserialize)]
        struct Said {
            code: String,
            message: String,
            #[serde(default)]
            details: Vec<Violation>,
        }
        let (code, message, violations) = match serde_json::from_slice(body)? {
            Body::Function { error } => (Some(error.code), error.message, error.details),
            Body::Gateway { message } => (None, message, Vec::new()),
        };
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Ok(Self {
            status,
            code,
            message,
            violations,
            request_id: header("x-request-id").or_else(|| header("apigw-requestid")),
            retry_after_s: header("retry-after").and_then(|seconds| seconds.parse().ok()),
        })
    }
}
