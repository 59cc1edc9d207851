//! Answers: each is in the API's description, and none is an internal error.

use simulation::evidence::Requests;
use simulation::world::{Event, Oracle, View};

use crate::description::{self, complaint};

pub(super) const NAME: &str = "every answer is described";

/// Checks each answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    requests: Requests,
}

impl Oracle for Answers {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        let shown =
            format!("{} {}: {} {}", request.method, request.path, answer.status, answer.body);
        if answer.by_function && answer.status == 500 {
            return Err(format!("an internal error: {shown}"));
        }
        if answer.by_function && answer.status == 503 && answer.header("retry-after").is_none() {
            return Err(format!("no Retry-After: {shown}"));
        }
        let answer = description::Answer {
            method: &request.method,
            path: &request.path,
            status: answer.status,
            media_type: answer.header("content-type").unwrap_or_default(),
            body: answer.body,
            by_function: answer.by_function,
        };
        complaint(&answer).map_or(Ok(()), |complaint| Err(format!("{complaint}: {shown}")))
    }
}
