//! What a client shows of its work.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};

/// Who is shown the attempts of a client.
pub(crate) type Watch = Arc<dyn Fn(&Attempt<'_>) + Send + Sync>;

/// One attempt of a request, and what came of it.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query.
    pub path: &'a str,
    /// The answer as it came, or in words why there is none.
    pub answer: Result<&'a Response<Bytes>, &'a str>,
    /// How long it took.
    pub took: Duration,
}
