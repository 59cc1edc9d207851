//! A bounded record of the events of each invocation, for tests and inspection.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;

/// The maximum number of recorded invocations.
const RECORDS_MAX: usize = 1_000;
/// The maximum number of recorded events of one invocation; a batch of 100 messages stays below.
const EVENTS_MAX: usize = 300;

/// One invocation and its events in order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InvocationRecord {
    /// The logical id of the function.
    pub function: String,
    /// The AWS request id.
    pub request_id: String,
    /// The execution environment that ran it, once assigned.
    pub environment: Option<String>,
    /// Whether it was the environment's first.
    pub cold_start: bool,
    /// The time at which it was submitted.
    pub queued_at: Timestamp,
    /// Its events, timed by the monotonic clock. The start of an environment that was already
    /// starting has a negative time.
    pub events: Vec<TimelineEvent>,
}

/// An event of an invocation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TimelineEvent {
    /// Milliseconds since the invocation was submitted.
    pub at_ms: f64,
    /// The event: `invoked`, `response posted`, `extension next`, or a call to a store.
    pub what: String,
}

/// The records, newest last.
#[derive(Default)]
pub(super) struct Timeline {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Entry>,
    /// The events of environments that have had no invocation yet.
    starting: HashMap<String, Vec<(Instant, String)>>,
}

struct Entry {
    record: InvocationRecord,
    queued: Instant,
}

impl Timeline {
    /// Records that an invocation was submitted.
    pub(super) fn queued(&self, function: &str, request_id: &str) {
        let mut state = self.lock();
        if state.entries.len() == RECORDS_MAX {
            state.entries.pop_front();
        }
        let record = InvocationRecord {
            function: function.to_owned(),
            request_id: request_id.to_owned(),
            environment: None,
            cold_start: false,
            queued_at: Timestamp::now(),
            events: vec![TimelineEvent { at_ms: 0.0, what: "queued".to_owned() }],
        };
        state.entries.push_back(Entry { record, queued: Instant::now() });
    }

    /// Records that an invocation was assigned to an environment.
    pub(super) fn invoked(&self, request_id: &str, environment: &str, cold_start: bool) {
        let mut state = self.lock();
        let start = state.starting.remove(environment).unwrap_or_default();
        if let Some(entry) = state.by_request(request_id) {
            entry.record.environment = Some(environment.to_owned());
            entry.record.cold_start = cold_start;
            for (at, what) in start {
                entry.add(at, what);
            }
            entry.add(Instant::now(), "invoked".to_owned());
        }
    }

    /// Records an event of an invocation.
    pub(super) fn note_request(&self, request_id: &str, what: &str) {
        if let Some(entry) = self.lock().by_request(request_id) {
            entry.add(Instant::now(), what.to_owned());
        }
    }

    /// Records an event of an environment: for its latest invocation, or before that for its first
    /// one.
    pub(super) fn note_environment(&self, environment: &str, what: &str) {
        let mut state = self.lock();
        let mut latest = state.entries.iter_mut().rev();
        let latest = latest.find(|entry| entry.record.environment.as_deref() == Some(environment));
        if let Some(entry) = latest {
            entry.add(Instant::now(), what.to_owned());
            return;
        }
        let start = state.starting.entry(environment.to_owned()).or_default();
        if start.len() < EVENTS_MAX {
            start.push((Instant::now(), what.to_owned()));
        }
    }

    /// Records that an environment has ended.
    pub(super) fn ended(&self, environment: &str) {
        self.lock().starting.remove(environment);
    }

    pub(super) fn records(&self) -> Vec<InvocationRecord> {
        self.lock().entries.iter().map(|entry| entry.record.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn by_request(&mut self, request_id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().rev().find(|entry| entry.record.request_id == request_id)
    }
}

impl Entry {
    fn add(&mut self, at: Instant, what: String) {
        if self.record.events.len() == EVENTS_MAX {
            return;
        }
        let after = at.saturating_duration_since(self.queued).as_secs_f64();
        let before = self.queued.saturating_duration_since(at).as_secs_f64();
        let at_ms = ((after - before) * 1e6).round() / 1e3;
        self.record.events.push(TimelineEvent { at_ms, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(record: &InvocationRecord) -> Vec<&str> {
        record.events.iter().map(|event| event.what.as_str()).collect()
    }

    #[test]
    fn an_environments_start_is_recorded_in_its_first_invocation() {
        let timeline = Timeline::default();
        timeline.note_environment("e1", "environment started");
        timeline.queued("F", "r1");
        timeline.note_environment("e1", "init done");
        timeline.invoked("r1", "e1", true);
        timeline.note_environment("e1", "PutItem OrdersTable");

        let records = timeline.records();

        assert_eq!(
            whats(&records[0]),
            ["queued", "environment started", "init done", "invoked", "PutItem OrdersTable"]
        );
        assert!(records[0].events[1].at_ms <= 0.0);
        assert!(records[0].cold_start);
    }

    #[test]
    fn the_oldest_records_are_dropped_at_the_limit() {
        let timeline = Timeline::default();
        for request in 0..=RECORDS_MAX {
            timeline.queued("F", &request.to_string());
        }

        let records = timeline.records();

        assert_eq!(records.len(), RECORDS_MAX);
        assert_eq!(records[0].request_id, "1");
    }
}
