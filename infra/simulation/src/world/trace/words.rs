//! Events in words, for people.

use std::fmt;

use serde_json::Value as Json;

use super::event::{Cause, Happened};

/// The characters of an id that are shown: they differ within a run.
const ID_SHOWN: usize = 8;
/// The characters of a header's value that are shown.
const VALUE_SHOWN: usize = 40;

/// Formats an event in one line: `call 17 of 9170f5a4: DynamoDB_20120810.PutItem {"Item":…}`.
///
/// Invocations have the first characters of their id. The metrics of a log line are left out; [`Event`]
/// (its line of JSON) has everything.
///
/// [`Event`]: super::Event
impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OperationBegan { operation, text } => write!(f, "operation {operation}: {text}"),
            Self::OperationEnded { operation } => write!(f, "operation {operation} ended"),
            Self::Noted { operation, name, value } => {
                write!(f, "note of operation {operation}: {name} {value}")
            }
            Self::Requested { operation, method, path, headers, body, .. } => {
                write!(f, "request of operation {operation}: {method} {path}")?;
                for (name, value) in headers {
                    write!(f, ", {name}: {}", start(value, VALUE_SHOWN))?;
                }
                if body.is_empty() { Ok(()) } else { write!(f, ", {body}") }
            }
            Self::Routed { route, function, .. } => write!(f, "route {route} of {function}"),
            Self::Answered { status, body, by_function, .. } => {
                let by = if *by_function { "function" } else { "gateway" };
                write!(f, "answer {status} of the {by} {body}")
            }
            Self::Unanswered { reason, .. } => write!(f, "the client has no answer: {reason}"),
            Self::EnvironmentStarted { environment, version, .. } => {
                write!(f, "{environment} started with version {version}")
            }
            Self::EnvironmentEnded { environment, reason } => {
                write!(f, "{environment} ended: {reason}")
            }
            Self::Invoked { invocation, environment, cause, .. } => {
                write!(f, "{environment} invoked as {} by {cause}", id(invocation))
            }
            Self::Returned { invocation, payload } => {
                write!(f, "{} returned {payload}", id(invocation))
            }
            Self::Failed { invocation, reason } => write!(f, "{} failed: {reason}", id(invocation)),
            Self::Refused { function, cause, reason } => {
                write!(f, "{function} not invoked by {cause}: {reason}")
            }
            Self::Deferred { invocation, is_done: true } => {
                write!(f, "deferred work of {} ended", id(invocation))
            }
            Self::Deferred { invocation, is_done: false } => {
                write!(f, "deferred work of {} was lost", id(invocation))
            }
            Self::Line { environment, invocation, line } => {
                let by = invocation.as_deref().map_or(environment.as_str(), id);
                write!(f, "log of {by}: {}", without_metrics(line))
            }
            Self::Called { call, function, invocation, operation, body } => {
                let by = invocation.as_deref().map_or(function.as_str(), id);
                write!(f, "call {call} of {by}: {operation} {body}")
            }
            Self::Performed { call, status, body } => {
                write!(f, "call {call} performed: {status} {body}")
            }
            Self::Broken { call, reason } => write!(f, "call {call} without an answer: {reason}"),
            Self::Drawn { fault, place } => write!(f, "fault: {fault}, {place}"),
            Self::Overloaded { table, time } => write!(f, "{table} is overloaded for {time} ms"),
            Self::BatchFailed { source, function, items, reason } => {
                let items = items.join(", ");
                write!(f, "batch of {source} failed in {function}: {reason}; {items}")
            }
            Self::GivenUp { source, function, items, reason } => {
                let items = items.join(", ");
                write!(f, "records of {source} given up by {function}: {reason}; {items}")
            }
            Self::Due { schedule } => write!(f, "schedule {schedule} is due"),
            Self::Settling => f.write_str("faults ended"),
            Self::Found { oracle, reason } => write!(f, "found by \"{oracle}\": {reason}"),
        }
    }
}

/// Formats the cause with its source: `messages of OrdersQueue`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => write!(f, "request {request}"),
            Self::Authorizer(request) => write!(f, "the authorization of {request}"),
            Self::Messages(queue, ids) => write!(f, "{} messages of {queue}", ids.len()),
            Self::Records(table, ids) => write!(f, "{} records of {table}", ids.len()),
            Self::Schedule(schedule) => write!(f, "schedule {schedule}"),
            Self::Rotation(secret) => write!(f, "the rotation of {secret}"),
            Self::Operation(operation) => write!(f, "operation {operation}"),
        }
    }
}

fn id(id: &str) -> &str {
    id.get(..ID_SHOWN).unwrap_or(id)
}

/// The beginning of a text, with a sign that there is more.
fn start(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A log line without the definitions of its metrics.
fn without_metrics(line: &Json) -> Json {
    let mut line = line.clone();
    if let Json::Object(members) = &mut line {
        members.remove("_aws");
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_a_line_in_words_with_short_ids_and_without_metrics() {
        let invocation = || "9170f5a4-b9fa-4033-829b-fb5c00c61daf".to_owned();
        let token = format!("Bearer {}", "x".repeat(90));
        let shown = format!("Bearer {}…", "x".repeat(33));
        for (event, text) in [
            (
                Happened::Requested {
                    request: "r".to_owned(),
                    operation: 3,
                    address: "192.0.2.1".to_owned(),
                    method: "POST".to_owned(),
                    path: "/loans".to_owned(),
                    headers: vec![("authorization".to_owned(), token)],
                    body: "{}".to_owned(),
                },
                format!("request of operation 3: POST /loans, authorization: {shown}, {{}}"),
            ),
            (
                Happened::Invoked {
                    invocation: invocation(),
                    environment: "RemindFunction#0".to_owned(),
                    function: "RemindFunction".to_owned(),
                    cause: Cause::Messages("LoanEventsQueue".to_owned(), vec!["m".to_owned()]),
                },
                "RemindFunction#0 invoked as 9170f5a4 by 1 messages of LoanEventsQueue".to_owned(),
            ),
            (
                Happened::Line {
                    environment: "RemindFunction#0".to_owned(),
                    invocation: Some(invocation()),
                    line: json!({ "_aws": {}, "level": "INFO" }),
                },
                r#"log of 9170f5a4: {"level":"INFO"}"#.to_owned(),
            ),
            (Happened::Deferred { invocation: invocation(), is_done: false }, {
                "deferred work of 9170f5a4 was lost".to_owned()
            }),
        ] {
            assert_eq!(event.to_string(), text);
        }
    }
}
