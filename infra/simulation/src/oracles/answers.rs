//! Answers: no function answers with an internal error.

use crate::evidence::Requests;
use crate::world::{Event, Oracle, View};

/// Checks that no function answers 500, and that each 503 of a function names a time in `Retry-After`.
///
/// The answers of the gateway are not checked: it answers 500 or 503 for a function that has died.
#[derive(Debug, Clone, Default)]
pub struct NoInternalErrors {
    requests: Requests,
}

impl NoInternalErrors {
    /// Its name.
    pub const NAME: &'static str = "no internal errors";
}

impl Oracle for NoInternalErrors {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        let complaint = match answer.status {
            _ if !answer.by_function => return Ok(()),
            500 => "an internal error",
            503 if answer.header("retry-after").is_none() => "no Retry-After",
            _ => return Ok(()),
        };
        let (method, path) = (&request.method, &request.path);
        Err(format!("{complaint}: {method} {path}: {} {}", answer.status, answer.body))
    }
}
