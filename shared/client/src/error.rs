//! Errors of requests.

use http::StatusCode;
use serde::Deserialize;

/// The reason why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API refused the request.
    #[error("{0}")]
    Refused(Box<ApiError>),
    /// No attempt got a response.
    #[error("no response: {0}")]
    NoAnswer(String),
    /// A response does not have the API's format.
    #[error("the response with status {status} cannot be parsed: {reason}")]
    Unreadable {
        /// The status.
        status: StatusCode,
        /// The error of the parser.
        reason: String,
    },
    /// The address of the API, a token or a key is invalid.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
}

impl Error {
    /// Returns the API's error response, if there is one.
    pub fn refusal(&self) -> Option<&ApiError> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Returns the code of a function's error response: `OUT_OF_STOCK`.
    pub fn code(&self) -> Option<&str> {
        self.refusal()?.code.as_deref()
    }

    pub(crate) fn unreadable(status: StatusCode, reason: &serde_json::Error) -> Self {
        Self::Unreadable { status, reason: reason.to_string() }
    }
}

/// An error response of a function, of the gateway, or of a proxy in front of it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{status}: {message}")]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// The code; absent if the gateway or a proxy refused the request.
    pub code: Option<String>,
    /// One sentence.
    pub message: String,
    /// The parts of the request that are in error.
    pub field_errors: Vec<FieldError>,
    /// The request id, for operators.
    pub request_id: Option<String>,
    /// Seconds after which a retry makes sense.
    pub retry_after_s: Option<u32>,
}

/// One error in a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    /// A JSON Pointer into the body, or `path.…`, `query.…`, `header.…`.
    pub field: String,
    /// One sentence.
    pub message: String,
}

impl ApiError {
    /// Reads an error response, in the shape of a function or of the gateway.
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
            details: Vec<FieldError>,
        }
        let (code, message, field_errors) = match serde_json::from_slice(body)? {
            Body::Function { error } => (Some(error.code), error.message, error.details),
            Body::Gateway { message } => (None, message, Vec::new()),
        };
        Ok(Self { code, field_errors, ..Self::of_status(status, headers, message) })
    }

    /// An error response in another format: of a proxy in front of the API.
    pub(crate) fn of_proxy(status: StatusCode, headers: &http::HeaderMap) -> Self {
        let message = status.canonical_reason().unwrap_or("the response has no message");
        Self::of_status(status, headers, message.to_owned())
    }

    fn of_status(status: StatusCode, headers: &http::HeaderMap, message: String) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self {
            status,
            code: None,
            message,
            field_errors: Vec::new(),
            request_id: header("x-request-id").or_else(|| header("apigw-requestid")),
            retry_after_s: header("retry-after").and_then(|seconds| seconds.parse().ok()),
        }
    }
}
