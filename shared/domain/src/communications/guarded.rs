//! The audit records of guarded calls, and the alerts about their failures.

use lifecycle::effects::{Condition, Event, Message, Write, text};
use lifecycle::record::IndexName;
use lifecycle::upstream_call::{
    CallEnd, CallOutcome, CallRecord, CallStart, FailureClass, PendingCall,
};
use lifecycle::{Moment, Upstream};

use super::communication::{Ending, LoggedMessage, Outcome, UpstreamCall};
use crate::notices::{UpstreamFailed, UpstreamFailure};
use crate::resources::{BY_PENDING, NOTIFICATIONS};

impl CallRecord for UpstreamCall {
    fn of_start(start: &CallStart<'_>) -> Self {
        let request = LoggedMessage::of(start.headers.iter().copied(), start.body);
        let upstream = (start.upstream.name(), start.address.clone());
        let (request_id, route) = (start.request_id.clone(), start.route.clone());
        Self::begin(start.moment, request_id, start.who, route, upstream, request)
    }

    fn with_end(self, end: &CallEnd<'_>) -> Self {
        let answer = end.response.as_ref().map(|response| {
            let logged = LoggedMessage::of(response.headers.iter().copied(), response.body);
            (response.status, logged)
        });
        let latency_ms = end.took.and_then(|took| u64::try_from(took.as_millis()).ok());
        self.ended(Ending { outcome: outcome(end.outcome), answer, latency_ms })
    }

    /// Alerts about failures that the client did not cause.
    fn alerts(moment: &Moment, upstream: Upstream, end: &CallEnd<'_>) -> Vec<Message> {
        let opening = end.opened.then_some(UpstreamFailure::CircuitOpened);
        let kinds = failure(end.outcome).into_iter().chain(opening);
        let alert = |kind| {
            let (name, code) = (upstream.name(), end.code.map(str::to_owned));
            let failed = UpstreamFailed { upstream: name.to_owned(), kind, code, at: moment.now() };
            Message::new(NOTIFICATIONS, Event::about(name, &failed))
        };
        kinds.map(alert).collect()
    }
}

impl PendingCall for UpstreamCall {
    const BY_PENDING: IndexName = BY_PENDING;

    fn abandoned(self) -> Write {
        let abandoned = Self { outcome: Outcome::Abandoned, ..self };
        let pending = text(Outcome::Pending.as_str());
        Write::put(&abandoned).when(Condition::Equals("outcome", pending))
    }
}

fn outcome(outcome: CallOutcome) -> Outcome {
    match outcome {
        CallOutcome::Answered => Outcome::Answered,
        CallOutcome::Refused(FailureClass::None | FailureClass::Busy) => Outcome::Refused,
        CallOutcome::Refused(FailureClass::TokenRefused | FailureClass::Outage)
        | CallOutcome::Missing
        | CallOutcome::Unknown => Outcome::Failed,
        CallOutcome::CutOff => Outcome::CutOff,
    }
}

/// The kind of failure that operators are alerted to; `None` if the upstream works.
fn failure(outcome: CallOutcome) -> Option<UpstreamFailure> {
    match outcome {
        CallOutcome::Refused(FailureClass::TokenRefused) => {
            Some(UpstreamFailure::AuthenticationFailed)
        }
        CallOutcome::Refused(FailureClass::Outage) | CallOutcome::Missing => {
            Some(UpstreamFailure::Failed)
        }
        CallOutcome::Answered
        | CallOutcome::Refused(FailureClass::None | FailureClass::Busy)
        | CallOutcome::Unknown
        | CallOutcome::CutOff => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lifecycle::effects::WriteAction;
    use lifecycle::upstream_call::CallResponse;

    use super::*;
    use crate::examples::{communication, moment};

    #[test]
    fn the_audit_record_ends_with_the_outcome_status_and_latency() {
        for (outcome, status, ended) in [
            (CallOutcome::Answered, Some(200), Outcome::Answered),
            (CallOutcome::Refused(FailureClass::None), Some(403), Outcome::Refused),
            (CallOutcome::Refused(FailureClass::Busy), Some(429), Outcome::Refused),
            (CallOutcome::Refused(FailureClass::TokenRefused), Some(401), Outcome::Failed),
            (CallOutcome::Refused(FailureClass::Outage), Some(502), Outcome::Failed),
            (CallOutcome::Missing, None, Outcome::Failed),
            (CallOutcome::Unknown, None, Outcome::Failed),
        ] {
            let took = Some(Duration::from_millis(12));
            let record = communication().with_end(&CallEnd { took, ..end(outcome, status) });
            assert_eq!((record.outcome, record.status), (ended, status), "{outcome:?}");
            assert_eq!(
                (record.response.is_some(), record.latency_ms),
                (status.is_some(), Some(12))
            );
        }
        let record = communication().with_end(&end(CallOutcome::CutOff, None));
        assert_eq!((record.outcome, record.latency_ms), (Outcome::CutOff, None));
    }

    #[test]
    fn operators_are_alerted_to_failures_that_the_client_did_not_cause() {
        for (outcome, opened, kinds) in [
            (
                CallOutcome::Missing,
                true,
                &[UpstreamFailure::Failed, UpstreamFailure::CircuitOpened][..],
            ),
            (CallOutcome::Refused(FailureClass::Outage), false, &[UpstreamFailure::Failed]),
            (
                CallOutcome::Refused(FailureClass::TokenRefused),
                false,
                &[UpstreamFailure::AuthenticationFailed],
            ),
            (CallOutcome::Refused(FailureClass::None), false, &[]),
            (CallOutcome::Refused(FailureClass::Busy), false, &[]),
            (CallOutcome::Answered, false, &[]),
            (CallOutcome::Unknown, false, &[]),
            (CallOutcome::CutOff, false, &[]),
        ] {
            let end = CallEnd { opened, code: Some("P08"), ..end(outcome, None) };
            let alerts = UpstreamCall::alerts(&moment(), Upstream::new("partner"), &end);
            let expected = kinds.iter().map(|kind| {
                let (upstream, code) = ("partner".to_owned(), Some("P08".to_owned()));
                let failed = UpstreamFailed { upstream, kind: *kind, code, at: moment().now() };
                Message::new(NOTIFICATIONS, Event::about("partner", &failed))
            });
            assert_eq!(alerts, expected.collect::<Vec<_>>(), "{outcome:?}");
        }
    }

    #[test]
    fn a_pending_record_is_closed_as_abandoned() {
        let write = communication().abandoned();
        assert_eq!(write.condition, Some(Condition::Equals("outcome", text("PENDING"))));
        let WriteAction::Put(item) = &write.action else { panic!("{write:?}") };
        assert_eq!(item.get("outcome"), Some(&text("ABANDONED")));
        assert_eq!(item.get("by_pending_pk"), None, "it leaves the index");
    }

    fn end(outcome: CallOutcome, status: Option<u16>) -> CallEnd<'static> {
        let response =
            status.map(|status| CallResponse { status, headers: Vec::new(), body: b"{}" });
        CallEnd { outcome, code: None, response, took: None, opened: false }
    }
}
