//! The meaning of responses and faults for the circuit breaker, the caller and the audit record.

use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::*;

const PARTNER: Upstream = Upstream::new("partner");

/// A failure of any class.
#[derive(Debug)]
struct Failed(FailureClass);

impl FailedCall for Failed {
    fn missing() -> Self {
        Self(FailureClass::Outage)
    }

    fn class(&self) -> FailureClass {
        self.0
    }

    fn code(&self) -> Option<&str> {
        Some("P08")
    }
}

type Answered = Asked<(), Failed>;

fn in_time(fault: ServiceError) -> NoAnswer {
    NoAnswer { fault, out_of_time: false }
}

fn answer(status: StatusCode, class: Option<FailureClass>) -> Answer<(), Failed> {
    let read = class.map_or(Ok(()), |class| Err(Failed(class)));
    Answer { raw: Response::made_up(PARTNER, status, "{}"), read }
}

#[test]
fn only_outages_of_the_upstream_count_against_its_health() {
    use FailureClass::{Busy, None as Nothing, Outage, TokenRefused};
    use Health::{Down, Unknown, Up};
    for (what, answer, expected) in [
        ("an answer", Ok(answer(StatusCode::OK, None)), Up),
        ("no", Ok(answer(StatusCode::FORBIDDEN, Some(Nothing))), Up),
        ("a token refused", Ok(answer(StatusCode::UNAUTHORIZED, Some(TokenRefused))), Up),
        ("too many requests", Ok(answer(StatusCode::TOO_MANY_REQUESTS, Some(Busy))), Up),
        ("nonsense", Ok(answer(StatusCode::OK, Some(Outage))), Down),
        ("a failure", Ok(answer(StatusCode::BAD_GATEWAY, Some(Outage))), Down),
        ("no response", Err(in_time(ServiceError::Upstream("".into()))), Down),
        ("a late response", Err(in_time(ServiceError::TimedOut)), Down),
        (
            "no time left",
            Err(NoAnswer { fault: ServiceError::TimedOut, out_of_time: true }),
            Unknown,
        ),
        ("a fault of our own", Err(in_time(ServiceError::internal(""))), Unknown),
        ("a store of ours that is unavailable", Err(in_time(unavailable())), Unknown),
    ] {
        assert_eq!(health(&answer), expected, "{what}");
    }
}

fn unavailable() -> ServiceError {
    ServiceError::Unavailable { retry_after_s: 1, source: "unavailable".into() }
}

#[test]
fn a_busy_upstream_is_503_with_its_own_retry_after() {
    for (said, told) in [
        (Some("7"), 7),
        (Some("0"), 1),
        (Some("99999999999"), 3600),
        (Some("soon"), RETRY_AFTER_S),
        (None, RETRY_AFTER_S),
    ] {
        let mut busy = answer(StatusCode::TOO_MANY_REQUESTS, Some(FailureClass::Busy));
        busy.raw.headers.extend(said.map(|said| (RETRY_AFTER, said.parse().unwrap())));
        let Err(ServiceError::Unavailable { retry_after_s, .. }) = busy.unless_busy(PARTNER) else {
            panic!("{said:?}: expected 503")
        };
        assert_eq!(retry_after_s, told, "{said:?}");
    }
}

#[test]
fn the_end_of_a_call_has_its_outcome_response_code_and_duration() {
    use FailureClass::{Busy, None as Nothing, Outage, TokenRefused};
    for (answer, outcome, status) in [
        (Ok(answer(StatusCode::OK, None)), CallOutcome::Answered, Some(200)),
        (Ok(refused(403, Nothing)), CallOutcome::Refused(Nothing), Some(403)),
        (Ok(refused(429, Busy)), CallOutcome::Refused(Busy), Some(429)),
        (Ok(refused(401, TokenRefused)), CallOutcome::Refused(TokenRefused), Some(401)),
        (Ok(refused(502, Outage)), CallOutcome::Refused(Outage), Some(502)),
        (Err(in_time(ServiceError::TimedOut)), CallOutcome::Missing, None),
        (Err(in_time(ServiceError::internal(""))), CallOutcome::Unknown, None),
    ] {
        let took = Duration::from_millis(12);
        let guarded = Ok(Guarded { value: answer, took, opened: true });
        let end = end(&guarded);
        assert_eq!(end.outcome, outcome, "{status:?}");
        assert_eq!(end.response.map(|response| response.status), status, "{outcome:?}");
        assert_eq!((end.took, end.opened), (Some(took), true));
        let failed = matches!(outcome, CallOutcome::Refused(_));
        assert_eq!(end.code, failed.then_some("P08"), "{outcome:?}");
    }
    let stopped: Result<Guarded<Answered>, _> = Err(unavailable());
    let end = end(&stopped);
    assert_eq!((end.outcome, end.took, end.opened), (CallOutcome::CutOff, None, false));
}

fn refused(status: u16, class: FailureClass) -> Answer<(), Failed> {
    answer(StatusCode::from_u16(status).unwrap(), Some(class))
}
