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
