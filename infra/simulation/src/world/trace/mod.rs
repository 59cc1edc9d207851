//! The trace of a run: its events, their hash, and the journey of a request.

mod event;
mod journey;
mod words;

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

pub use self::event::{Cause, Event, Happened};
use crate::Millis;

/// The events of a run, in order.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    events: Vec<Event>,
}

impl Trace {
    /// All events.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The SHA-256 of all events, in hexadecimal digits. Two runs with one hash are the same.
    pub fn hash(&self) -> String {
        let hash = self
            .events
            .iter()
            .fold(Sha256::new(), |hash, event| hash.chain_update(event.line()).chain_update(b"\n"));
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The events of one request: of its answer, the invocations for it, their calls and lines, and
    /// of later invocations whose events name it.
    pub fn journey(&self, request: &str) -> Vec<&Event> {
        journey::of(&self.events, request)
    }

    /// The request that caused an invocation.
    pub(super) fn request_of_invocation(&self, invocation: &str) -> Option<String> {
        let mut earlier = self.events.iter().rev();
        earlier.find_map(|event| match &event.what {
            Happened::Invoked { invocation: id, cause, .. } if id == invocation => {
                cause.request().map(str::to_owned)
            }
            _ => None,
        })
    }

    /// The request that caused the invocation of a call.
    pub(super) fn request_of_call(&self, call: u64) -> Option<String> {
        let mut earlier = self.events.iter().rev();
        let invocation = earlier.find_map(|event| match &event.what {
            Happened::Called { call: number, invocation, .. } if *number == call => {
                invocation.as_deref()
            }
            _ => None,
        });
        self.request_of_invocation(invocation?)
    }

    /// The journey of a request in words, an event a line, each after the time since the beginning in
    /// seconds.
    pub(super) fn journey_in_words(&self, request: &str) -> String {
        printed(self.start(), self.journey(request).into_iter(), |event| event.what.to_string())
    }

    fn start(&self) -> Option<Millis> {
        self.events.first().map(|event| event.at)
    }

    /// Adds an event. Returns its index in [`Trace::events`].
    pub(super) fn add(&mut self, at: Millis, what: Happened) -> usize {
        let index = self.events.len();
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        self.events.push(Event { number, at, what });
        index
    }
}

/// Prints an event a line: the time since the first in seconds, and the event in JSON.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printed(self.start(), self.events.iter(), Event::line))
    }
}

/// The events as lines, with times since `start`.
fn printed<'a>(
    start: Option<Millis>,
    events: impl Iterator<Item = &'a Event>,
    line: impl Fn(&Event) -> String,
) -> String {
    let mut text = String::new();
    for event in events {
        let since = event.at.since(start.unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:>6}.{:03} {}", since.as_seconds(), since.0 % 1000, line(event));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_each_event_and_its_time() {
        let traced = |at: u64, operation: usize| {
            let mut trace = Trace::default();
            trace.add(Millis(at), Happened::OperationEnded { operation });
            trace.hash()
        };

        assert_eq!(traced(1, 1), traced(1, 1));
        assert_ne!(traced(1, 1), traced(2, 1));
        assert_ne!(traced(1, 1), traced(1, 2));
    }

    #[test]
    fn a_trace_prints_an_event_a_line_with_its_time() {
        let mut trace = Trace::default();
        trace.add(Millis(5_000), Happened::Settling);
        trace.add(Millis(6_020), Happened::Due { schedule: "hourly".to_owned() });

        let text = trace.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("     1.020 {"), "{text}");
        assert!(lines[1].contains(r#""event":"due""#), "{text}");
    }
}
