//! The attempts that a client reports.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};

/// The callback that gets the attempts of a client.
pub(crate) type Watch = Arc<dyn Fn(&Attempt<'_>) + Send + Sync>;

/// One attempt of a request, with its result.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query.
    pub path: &'a str,
    /// The response as it was received, or the reason why there is none.
    pub answer: Result<&'a Response<Bytes>, &'a str>,
    /// The duration of the attempt.
    pub took: Duration,
}
