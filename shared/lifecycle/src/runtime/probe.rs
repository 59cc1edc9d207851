//! Probes: check that a version starts, before it gets requests.
//!
//! The event `{"lifecycle": "probe"}` is answered with `{"lifecycle": "ready"}`, and reaches
//! neither stages nor stores. The response proves that the program runs on this machine and has its
//! settings. API Gateway, queues, streams and schedules never send this event: theirs have other
//! members.

use serde_json::{Value, json};

use super::invocation::{Handled, Handler, Invocation, InvocationResult};

/// More than the length of a probe with any spacing.
const BYTES_MAX: usize = 64;

/// Answers a probe, and passes other invocations to the handler.
pub(super) async fn answered_or_handled(handler: &dyn Handler, invocation: Invocation) -> Handled {
    if is_probe(&invocation.event) {
        let ready = InvocationResult::Json(json!({ "lifecycle": "ready" }));
        return Handled { answer: Ok(ready), deferred: None };
    }
    handler.handle(invocation).await
}

fn is_probe(event: &[u8]) -> bool {
    event.len() <= BYTES_MAX
        && serde_json::from_slice::<Value>(event)
            .is_ok_and(|event| event == json!({ "lifecycle": "probe" }))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;

    use super::*;
    use crate::Deadline;

    struct Echo;

    #[async_trait]
    impl Handler for Echo {
        async fn handle(&self, invocation: Invocation) -> Handled {
            Handled { answer: Err(format!("{:?}", invocation.event)), deferred: None }
        }
    }

    async fn answer(event: &'static str) -> Result<String, String> {
        let event = Bytes::from_static(event.as_bytes());
        let deadline = Deadline::after(std::time::Duration::from_secs(1));
        let invocation_id = String::new();
        let invocation =
            Invocation { invocation_id, event, deadline, x_ray: None, cold_start: false };
        let answer = answered_or_handled(&Echo, invocation).await.answer?;
        Ok(serde_json::to_string(&answer).unwrap())
    }

    #[tokio::test]
    async fn a_probe_is_answered_and_reaches_no_handler() {
        for probe in [r#"{"lifecycle":"probe"}"#, r#"{ "lifecycle": "probe" }"#] {
            assert_eq!(answer(probe).await, Ok(r#"{"lifecycle":"ready"}"#.to_owned()));
        }
    }

    #[tokio::test]
    async fn an_event_with_any_other_member_is_handled() {
        for event in [
            r#"{"lifecycle":"probe","Records":[]}"#,
            r#"{"lifecycle":"ready"}"#,
            r#"{"body":"{\"lifecycle\":\"probe\"}"}"#,
            "probe",
        ] {
            assert!(answer(event).await.is_err(), "{event}");
        }
    }
}
