//! The log lines of records that succeeded: one for each, or one for several.
//!
//! A function with much traffic may write one line for ten successes (`LOG_SUCCESSES`). It has the
//! ids of all requests, and all values of all metrics: the embedded metric format accepts up to 100
//! values of each. A record has its own line if it failed, was rejected, counted an error, set a
//! field of the service, or is a run of a schedule.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::outcome::RecordOutcome;
use super::record_line::Origin;
use crate::Timestamp;
use crate::consumer::Source;
use crate::since::Since;
use crate::telemetry::line::lines_of;
use crate::telemetry::{Document, Noted};

/// The most successes in one line.
const EACH_MAX: u32 = 100;

/// The most values of one kind that are held: a line has at most as many of a metric.
const VALUES_MAX: usize = 100;

/// The time after which held successes no longer wait for others.
const HELD_MAX: Duration = Duration::from_mins(1);

/// The successes that have no line yet, by their outcome.
pub(super) struct Successes {
    each: usize,
    held: Mutex<BTreeMap<&'static str, Held>>,
}

/// A record that succeeded.
pub(super) struct Success {
    pub(super) outcome: RecordOutcome,
    pub(super) request_id: String,
    pub(super) took_ms: f64,
    pub(super) noted: Noted,
}

/// Successes of one outcome, for one line.
struct Held {
    since: Since,
    request_ids: Vec<String>,
    took_ms: Vec<f64>,
    noted: Noted,
}

impl Successes {
    /// Logs this many successes in a line; 0 and 1 mean one each.
    pub(super) fn of_lines_for(each: u32) -> Self {
        let each = usize::try_from(each.min(EACH_MAX)).unwrap_or(1);
        Self { each, held: Mutex::default() }
    }

    /// Whether a record shares a line with others.
    pub(super) fn sums(&self, source: Source, outcome: RecordOutcome, noted: &Noted) -> bool {
        self.each > 1
            && matches!(source, Source::Queue(_) | Source::Stream(_))
            && matches!(outcome, RecordOutcome::Processed | RecordOutcome::Duplicate)
            && noted.is_usual()
    }

    /// Adds a success. Returns the lines about it and others once there are enough of them, or the
    /// first of them has waited for a minute.
    ///
    /// Successes that are held when the execution environment ends have no line: at most one less
    /// than a line has, of each outcome.
    pub(super) fn add(&self, success: Success, at: Timestamp, origin: Origin<'_>) -> Vec<String> {
        let outcome = success.outcome.label();
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all.entry(outcome).or_insert_with(|| Held::since(at));
        held.request_ids.push(success.request_id);
        held.took_ms.push(success.took_ms);
        held.noted.extend(success.noted);
        let is_due = held.request_ids.len() >= self.each
            || held.noted.values_count_max() >= VALUES_MAX
            || held.since.age(at) >= HELD_MAX;
        let due = if is_due { all.remove(outcome) } else { None };
        drop(all);
        due.map(|held| held.lines(outcome, at, origin)).unwrap_or_default()
    }
}

impl Held {
    fn since(at: Timestamp) -> Self {
        let (request_ids, took_ms) = (Vec::new(), Vec::new());
        Self { since: Since::at(at), request_ids, took_ms, noted: Noted::default() }
    }

    fn lines(&self, outcome: &str, at: Timestamp, origin: Origin<'_>) -> Vec<String> {
        let mut ids: Vec<&str> = Vec::new();
        for id in &self.request_ids {
            if !ids.contains(&id.as_str()) {
                ids.push(id);
            }
        }
        let count = self.request_ids.len();
        let mut line = Document::new(origin.service);
        let labels = [("source", origin.source), ("outcome", outcome)];
        line.metric(&labels, "records_total", "Count", count);
        line.member("level", "INFO");
        line.member("timestamp", at);
        line.member("message", "records");
        line.member("function", origin.function);
        line.member("requestIds", &ids);
        line.member("durationsMs", &self.took_ms);
        lines_of(line, at, ("requestIds", &ids), &self.noted)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::time::advance;

    use super::*;
    use crate::effects::QueueName;
    use crate::schedule::Schedule;

    const EMAILS: Source = Source::Queue(QueueName::new("emails"));

    fn add(successes: &Successes, request_id: &str, at_ms: i64, queries: usize) -> Vec<Value> {
        let query = ("GetItem", "users", Duration::from_millis(2));
        let noted = Noted { queries: vec![query; queries], ..Noted::default() };
        let (outcome, took_ms) = (RecordOutcome::Processed, 1.5);
        let success = Success { outcome, request_id: request_id.to_owned(), took_ms, noted };
        let origin = Origin { service: "store", function: "send_email", source: "emails" };
        let lines = successes.add(success, Timestamp::from_millis(at_ms), origin);
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn one_line_has_the_ids_and_all_values_of_several_successes() {
        let successes = Successes::of_lines_for(3);
        for request_id in ["r-1", "r-2"] {
            assert_eq!(add(&successes, request_id, 0, 1), [] as [Value; 0]);
        }
        let [line] = add(&successes, "r-1", 10, 2).try_into().unwrap();
        assert_eq!((&line["message"], &line["level"]), (&json!("records"), &json!("INFO")));
        assert_eq!((&line["records_total"], &line["outcome"]), (&json!(3), &json!("consumed")));
        assert_eq!(line["requestIds"], json!(["r-1", "r-2"]));
        assert_eq!(line["durationsMs"], json!([1.5, 1.5, 1.5]));
        assert_eq!(line["db_query_duration_seconds"], json!([0.002, 0.002, 0.002, 0.002]));
        assert_eq!(add(&successes, "r-3", 20, 0), [] as [Value; 0], "another line begins");
    }

    #[test]
    fn a_success_that_has_waited_a_minute_is_logged_with_the_next_one() {
        let successes = Successes::of_lines_for(10);
        assert_eq!(add(&successes, "r-1", 0, 0).len(), 0);
        assert_eq!(add(&successes, "r-2", 59_999, 0).len(), 0);
        let [line] = add(&successes, "r-3", 60_000, 0).try_into().unwrap();
        assert_eq!(line["records_total"], 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_waits_no_longer_when_the_clock_is_set_back() {
        let successes = Successes::of_lines_for(10);
        assert_eq!(add(&successes, "r-1", 3_600_000, 0).len(), 0);
        advance(Duration::from_secs(59)).await;
        assert_eq!(add(&successes, "r-2", 0, 0).len(), 0);
        advance(Duration::from_secs(1)).await;
        let [line] = add(&successes, "r-3", 0, 0).try_into().unwrap();
        assert_eq!(line["records_total"], 3);
    }

    #[test]
    fn as_many_values_as_a_line_can_have_are_logged_at_once() {
        let successes = Successes::of_lines_for(10);
        assert_eq!(add(&successes, "r-1", 0, 99).len(), 0);
        let [line] = add(&successes, "r-2", 0, 1).try_into().unwrap();
        assert_eq!(line["db_query_duration_seconds"].as_array().unwrap().len(), 100);
    }

    #[test]
    fn only_usual_successes_of_queues_and_streams_share_a_line() {
        let (ten, usual) = (Successes::of_lines_for(10), Noted::default());
        let counted = Noted { errors: vec!["PART_STALE"], ..Noted::default() };
        let run = Source::Schedule(Schedule::every_minutes(1));
        for (source, outcome, noted, is_summed) in [
            (EMAILS, RecordOutcome::Processed, &usual, true),
            (EMAILS, RecordOutcome::Duplicate, &usual, true),
            (EMAILS, RecordOutcome::Rejected, &usual, false),
            (EMAILS, RecordOutcome::Undeliverable, &usual, false),
            (EMAILS, RecordOutcome::DeadLettered, &usual, false),
            (EMAILS, RecordOutcome::Processed, &counted, false),
            (run, RecordOutcome::Processed, &usual, false),
        ] {
            assert_eq!(ten.sums(source, outcome, noted), is_summed, "{source:?} {outcome:?}");
            for each in [0, 1] {
                assert!(!Successes::of_lines_for(each).sums(source, outcome, noted));
            }
        }
    }
}
