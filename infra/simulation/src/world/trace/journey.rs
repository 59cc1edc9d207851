//! The journey of one request through the functions.

use std::collections::BTreeSet;

use super::event::{Event, Happened};

/// The events of a request, in order.
///
/// A later invocation belongs to the journey if its event named the request: the library passes the
/// id on in its events and lines.
pub(super) fn of<'a>(events: &'a [Event], request: &str) -> Vec<&'a Event> {
    let mut invocations: BTreeSet<&str> = BTreeSet::new();
    let mut calls: BTreeSet<u64> = BTreeSet::new();
    // An invocation is known to belong only by a later line or call; the first pass finds all.
    for event in events {
        match &event.what {
            Happened::Invoked { invocation, cause, .. } if cause.request() == Some(request) => {
                invocations.insert(invocation);
            }
            Happened::Line { invocation: Some(invocation), line, .. }
                if line.to_string().contains(request) =>
            {
                invocations.insert(invocation);
            }
            Happened::Called { invocation: Some(invocation), body, .. }
                if body.contains(request) =>
            {
                invocations.insert(invocation);
            }
            _ => {}
        }
    }
    let mut journey = Vec::new();
    for event in events {
        let belongs = match &event.what {
            Happened::Requested { request: id, .. }
            | Happened::Routed { request: id, .. }
            | Happened::Answered { request: id, .. }
            | Happened::Unanswered { request: id, .. } => id == request,
            Happened::Invoked { invocation, .. }
            | Happened::Returned { invocation, .. }
            | Happened::Failed { invocation, .. }
            | Happened::Deferred { invocation, .. }
            | Happened::Line { invocation: Some(invocation), .. } => {
                invocations.contains(invocation.as_str())
            }
            Happened::Called { invocation: Some(invocation), call, .. } => {
                let belongs = invocations.contains(invocation.as_str());
                if belongs {
                    calls.insert(*call);
                }
                belongs
            }
            Happened::Performed { call, .. } | Happened::Broken { call, .. } => {
                calls.contains(call)
            }
            _ => false,
        };
        if belongs {
            journey.push(event);
        }
    }
    journey
}

#[cfg(test)]
mod tests {
    use super::super::event::Cause;
    use super::*;
    use crate::Millis;

    #[test]
    fn a_journey_has_the_invocations_for_the_request_and_those_that_name_it() {
        let text = |text: &str| text.to_owned();
        let invoked = |invocation: &str, cause: Cause| Happened::Invoked {
            invocation: text(invocation),
            environment: text("F#0"),
            function: text("F"),
            cause,
        };
        let called = |call: u64, invocation: &str, body: &str| Happened::Called {
            call,
            function: text("F"),
            invocation: Some(text(invocation)),
            operation: text("PutItem"),
            body: text(body),
        };
        let happened = [
            invoked("a", Cause::Request(text("r1"))),
            called(0, "a", "{}"),
            Happened::Performed { call: 0, status: 200, body: text("{}") },
            invoked("b", Cause::Messages(text("Q"), vec![text("m")])),
            called(1, "b", r#"{"requestId":"r1"}"#),
            invoked("c", Cause::Request(text("r2"))),
            called(2, "c", "{}"),
        ];
        let number = |(number, what): (usize, Happened)| Event {
            number: number as u64,
            at: Millis(0),
            what,
        };
        let events: Vec<Event> = happened.into_iter().enumerate().map(number).collect();

        let numbers: Vec<u64> = of(&events, "r1").iter().map(|event| event.number).collect();

        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }
}
