//! Answers: no function answers with an internal error, or fails without a fault.

use crate::evidence::Requests;
use crate::world::{Event, Happened, Oracle, THROTTLED, TIMED_OUT, TOO_LARGE, View};

/// Checks that no function answers 500, that each 503 of a function names a time in `Retry-After`, that no
/// function reaches its time-out, and that none fails or cannot start before the first fault.
///
/// The answers of the gateway are not checked: it answers 500 or 503 for a function that has died. A workload
/// that deploys a version which cannot start, or invokes a function with an event that it cannot read, needs
/// another check.
#[derive(Debug, Clone, Default)]
pub struct NoInternalErrors {
    requests: Requests,
    had_faults: bool,
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
        match &event.what {
            Happened::Drawn { .. } | Happened::Overloaded { .. } => self.had_faults = true,
            Happened::Failed { invocation, reason } if reason == TIMED_OUT || !self.had_faults => {
                return Err(format!("invocation {invocation} failed: {reason}"));
            }
            Happened::Refused { function, reason, .. }
                if ![THROTTLED, TOO_LARGE].contains(&reason.as_str()) && !self.had_faults =>
            {
                return Err(format!("{function} failed: {reason}"));
            }
            _ => {}
        }
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
