//! The journey of one request through the functions.

use std::collections::BTreeSet;

use super::event::{Event, Happened};

/// The member of lines and messages with the id that the library gives to a request.
const MEMBER: &str = "requestId";

/// The events of a request, in order.
///
/// A later invocation belongs to the journey if one of its lines or calls names the request, by the
/// gateway's id or by the library's: the library passes its id on in events and messages.
pub(super) fn of<'a>(events: &'a [Event], request: &str) -> Vec<&'a Event> {
    let first = |event: &'a Event| match &event.what {
        Happened::Invoked { invocation, cause, .. } if cause.request() == Some(request) => {
            Some(invocation.as_str())
        }
        _ => None,
    };
    let mut invocations: BTreeSet<&str> = events.iter().filter_map(first).collect();
    let names = names(events, request, &invocations);
    let is_named = |text: &str| names.iter().any(|name| text.contains(name.as_str()));
    for event in events {
        if let Some((invocation, text)) = text_of(event)
            && is_named(&text)
        {
            invocations.insert(invocation);
        }
    }
    let mut calls: BTreeSet<u64> = BTreeSet::new();
    let belongs = |event: &&Event| match &event.what {
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
            invocations.contains(invocation.as_str()) && calls.insert(*call)
        }
        Happened::Performed { call, .. } | Happened::Broken { call, .. } => calls.contains(call),
        _ => false,
    };
    events.iter().filter(belongs).collect()
}

/// The ids of the request: the gateway's, and the ids in the calls and lines of its invocations.
fn names(events: &[Event], request: &str, invocations: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut names = BTreeSet::from([request.to_owned()]);
    for event in events {
        if let Some((invocation, text)) = text_of(event)
            && invocations.contains(invocation)
        {
            names.extend(ids_in(&text));
        }
    }
    names
}

/// The invocation and the text of a call or a line.
fn text_of(event: &Event) -> Option<(&str, String)> {
    match &event.what {
        Happened::Line { invocation: Some(invocation), line, .. } => {
            Some((invocation.as_str(), line.to_string()))
        }
        Happened::Called { invocation: Some(invocation), body, .. } => {
            Some((invocation.as_str(), body.clone()))
        }
        _ => None,
    }
}

/// The values of [`MEMBER`]: in JSON, in JSON within a string, and in an item of `DynamoDB`.
fn ids_in(text: &str) -> impl Iterator<Item = String> {
    const ID_MIN: usize = 8;
    text.split(MEMBER).skip(1).filter_map(|rest| {
        let value = rest.trim_start_matches(['"', '\\', ':', ' ', '{']);
        let value =
            value.strip_prefix("S\"").or_else(|| value.strip_prefix("S\\\"")).unwrap_or(value);
        let value = value.trim_start_matches(['"', '\\', ':', ' ']);
        let id = value.split(['"', '\\']).next().unwrap_or_default();
        (id.len() >= ID_MIN).then(|| id.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::super::event::Cause;
    use super::*;
    use crate::Millis;

    #[test]
    fn the_ids_of_a_request_are_found_in_json_and_in_items() {
        for text in [
            r#"{"requestId":"0198-aaaa"}"#,
            r#"{"MessageBody":"{\"requestId\":\"0198-aaaa\"}"}"#,
            r#"{"Item":{"requestId":{"S":"0198-aaaa"}}}"#,
        ] {
            assert_eq!(ids_in(text).collect::<Vec<_>>(), ["0198-aaaa"], "{text}");
        }
        assert_eq!(ids_in(r#"{"requestId":null}"#).count(), 0);
    }

    #[test]
    fn a_journey_has_the_invocations_that_name_the_request() {
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
            called(0, "a", r#"{"requestId":{"S":"0198-aaaa"}}"#),
            Happened::Performed { call: 0, status: 200, body: text("{}") },
            invoked("b", Cause::Messages(text("Q"), vec![text("m")])),
            called(1, "b", r#"{"about":"0198-aaaa"}"#),
            invoked("c", Cause::Request(text("r2"))),
            called(2, "c", "{}"),
        ];
        let event = |(number, what): (u64, Happened)| Event { number, at: Millis(0), what };
        let events: Vec<Event> = (0..).zip(happened).map(event).collect();

        let numbers: Vec<u64> = of(&events, "r1").iter().map(|event| event.number).collect();

        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }
}
