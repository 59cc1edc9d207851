//! Refusals: a valid request succeeds when the world is at rest.

use serde_json::Value;
use simulation::world::{Event, Happened, Oracle, View};

use crate::workloads::PROBED;

pub(super) const NAME: &str = "valid requests succeed at rest";

/// Checks each answer to a probe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusals;

impl Oracle for Refusals {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        match &event.what {
            Happened::Noted { name, value, .. } if name == PROBED => accepted(value),
            _ => Ok(()),
        }
    }
}

/// Whether a probe has the expected status.
fn accepted(probe: &Value) -> Result<(), String> {
    if probe["expected"].is_number() && probe["status"] == probe["expected"] {
        return Ok(());
    }
    Err(format!("no success: {probe}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refused_probe_and_one_without_an_answer_are_found() {
        let probe = |status: Option<u16>| json!({ "expected": 201, "status": status });
        assert_eq!(accepted(&probe(Some(201))), Ok(()));
        for status in [Some(422), Some(200), Some(503), None] {
            accepted(&probe(status)).unwrap_err();
        }
        accepted(&json!({})).unwrap_err();
    }
}
