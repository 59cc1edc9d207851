//! The record of one request.

use crate::background::Spawned;
use crate::caller::AfterResponse;
use crate::commit::{EventOrigin, outgoing};
use crate::limit::RateLimitStatus;
use crate::ports::Outgoing;
use crate::random::Draw;
use crate::telemetry::Stages;
use crate::telemetry::inspector::Inspection;
use crate::{Moment, Timestamp, clock};

/// Data collected while a request is served, for its log line, metrics and spans.
pub(super) struct RequestLog {
    pub(super) at: Timestamp,
    pub(super) stages: Stages,
    /// Random bytes for the ids of the request.
    pub(super) draw: Draw,
    pub(super) standing: Option<RateLimitStatus>,
    /// Exchanges of counts that are running; whether each succeeds.
    pub(super) telling: Vec<Spawned<bool>>,
    pub(super) attempts: u32,
    pub(super) after_response: AfterResponse,
    /// The same for the local platform's console, if it asks for it.
    pub(super) inspection: Inspection,
}

impl RequestLog {
    pub(super) fn begin() -> Self {
        Self {
            at: clock::now(),
            stages: Stages::start(),
            draw: Draw::new(),
            standing: None,
            telling: Vec::new(),
            attempts: 0,
            after_response: AfterResponse::default(),
            inspection: Inspection::default(),
        }
    }

    /// Takes the messages to send after the response, in their envelopes.
    pub(super) fn left(&mut self, cause: &EventOrigin) -> Vec<Outgoing> {
        let left = self.after_response.take();
        if left.is_empty() {
            return Vec::new();
        }
        outgoing(&left, &Moment::of_request(self.at, &mut self.draw), cause)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::caller::Anyone;
    use crate::effects::{Event, Message, QueueName};
    use crate::telemetry::TraceContext;
    use crate::{Deadline, Permit};

    #[test]
    fn messages_that_follow_the_response_are_taken_once_in_their_envelopes() {
        const FAILURES: QueueName = QueueName::new("failures");
        let mut log = RequestLog::begin();
        let cause = EventOrigin::of("req-1", &TraceContext::continued(None, None, None));
        assert!(log.left(&cause).is_empty());

        let moment = Moment::of_request(log.at, &mut log.draw);
        let permit = Permit::new(Anyone, moment, Deadline::after(std::time::Duration::ZERO));
        let messages = log.after_response.clone();
        let permit = permit.of_request(String::new(), String::new(), messages);
        let event = Event {
            id: None,
            event_type: "SignInFailed",
            version: 1,
            aggregate_id: "ann".to_owned(),
            data: json!({}),
        };
        permit.send_after_response(Message::new(FAILURES, event));

        let left = log.left(&cause);
        let sent = left.iter().map(|sent| (sent.queue, &sent.envelope.request_id[..]));
        assert_eq!(sent.collect::<Vec<_>>(), [(FAILURES, "req-1")]);
        assert!(log.left(&cause).is_empty());
    }
}
