//! Requests and responses as they are on the wire.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

/// A request to an AWS service.
#[derive(Debug, Clone, Copy)]
pub struct WireRequest<'a> {
    /// The caller, whose permissions are checked.
    pub caller: &'a str,
    /// The header `x-amz-target`, such as `DynamoDB_20120810.GetItem`.
    pub target: Option<&'a str>,
    /// The path of the URL: it identifies the service if the header is missing.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// A response of an AWS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers besides those of HTTP: `x-amzn-errortype`, and `x-amzn-query-error` of SQS.
    pub headers: Vec<(&'static str, String)>,
    /// The body, in JSON.
    pub body: Vec<u8>,
}

impl WireResponse {
    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn of(result: Result<Json, AwsError>) -> Self {
        match result {
            Ok(body) => Self { status: 200, headers: Vec::new(), body: bytes(&body) },
            Err(error) => error.response(),
        }
    }
}

fn bytes(body: &Json) -> Vec<u8> {
    body.to_string().into_bytes()
}

/// An error of an AWS service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AwsError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    /// The code of the older protocol of SQS, where it differs.
    pub(crate) query_code: Option<&'static str>,
    pub(crate) message: String,
    /// Whether an item or key does not match its table, which a transaction reports by reasons.
    pub(crate) is_of_item: bool,
    /// Further members of the body.
    pub(crate) members: Map<String, Json>,
}

impl AwsError {
    /// An error with status 400.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let (query_code, is_of_item, members) = (None, false, Map::new());
        Self { status: 400, code, query_code, message, is_of_item, members }
    }

    /// The service has no such operation, or it is not simulated.
    pub(crate) fn unknown_operation() -> Self {
        Self::new("UnknownOperationException", "")
    }

    /// The request is invalid.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// A value of the request is invalid, in `DynamoDB`'s words.
    pub(crate) fn invalid_value(message: impl std::fmt::Display) -> Self {
        Self::invalid(format!("One or more parameter values were invalid: {message}"))
    }

    /// The resource does not exist.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    /// The error about an item or key that does not match its table.
    pub(crate) fn of_item(mut self) -> Self {
        self.is_of_item = true;
        self
    }

    /// The error with another code in the older protocol.
    pub(crate) fn or_in_query(mut self, code: &'static str) -> Self {
        self.query_code = Some(code);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: Json) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    fn response(self) -> WireResponse {
        let mut body = json!({ "__type": self.code, "message": self.message });
        if let Some(body) = body.as_object_mut() {
            body.extend(self.members);
        }
        let mut headers = vec![("x-amzn-errortype", self.code.to_owned())];
        if let Some(code) = self.query_code {
            headers.push(("x-amzn-query-error", format!("{code};Sender")));
        }
        WireResponse { status: self.status, headers, body: bytes(&body) }
    }
}

/// The request of an operation. Members that are not simulated are errors, and not ignored: a test
/// would otherwise pass for the wrong reason.
pub(crate) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body).map_err(|error| not_simulated(&error))
}

/// A part of a request that is read as JSON already, with the same errors.
pub(crate) fn parsed_part<'a, T: Deserialize<'a>>(part: &'a Json) -> Result<T, AwsError> {
    T::deserialize(part).map_err(|error| not_simulated(&error))
}

fn not_simulated(error: &serde_json::Error) -> AwsError {
    AwsError::new("SerializationException", format!("not simulated: {error}"))
}
