//! Answers: each is in the API's description, and none is an internal error or a long one. A function
//! answers before its time-out.

use simulation::evidence::Requests;
use simulation::world::{Event, Happened, Oracle, TIMED_OUT, View};

use crate::description::{self, complaint};

pub(super) const NAME: &str = "every answer is described";

/// The longest error: a client's mistakes must not cost more than that.
const ERROR_BYTES_MAX: usize = 16 * 1024;

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
        if let Happened::Failed { invocation, reason } = &event.what
            && reason == TIMED_OUT
        {
            return Err(format!("invocation {invocation} reached its time-out"));
        }
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        let shown =
            format!("{} {}: {} {}", request.method, request.path, answer.status, answer.body);
        if answer.by_function && answer.status == 500 {
            return Err(format!("an internal error: {shown}"));
        }
        if answer.by_function && answer.status == 503 && answer.header("retry-after").is_none() {
            return Err(format!("no Retry-After: {shown}"));
        }
        if answer.by_function && answer.status >= 400 && answer.body.len() > ERROR_BYTES_MAX {
            let start: String = answer.body.chars().take(200).collect();
            let (method, path, bytes) = (&request.method, &request.path, answer.body.len());
            return Err(format!("an error of {bytes} bytes: {method} {path}: {start}"));
        }
        // A shared cache may not reuse it for another origin.
        let varies = answer.header("vary").is_some_and(|vary| vary.contains("Origin"));
        if answer.by_function && !varies {
            return Err(format!("no Vary: Origin: {shown}"));
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
