//! The canonical log line of one record, which also holds its metrics.

use std::time::Duration;

use super::outcome::RecordOutcome;
use crate::Timestamp;
use crate::error::RequestError;
use crate::telemetry::units::millis;
use crate::telemetry::{Document, shortened_cause};

/// The function whose records are logged, and their source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) service: &'a str,
    pub(super) function: &'a str,
    pub(super) source: &'a str,
}

/// The content of a record's log line.
pub(super) struct RecordLine<'a> {
    pub(super) origin: Origin<'a>,
    pub(super) at: Timestamp,
    pub(super) record_id: &'a str,
    pub(super) request_id: &'a str,
    pub(super) trace_id: &'a str,
    pub(super) deliveries: u32,
    pub(super) took: Duration,
    pub(super) fate: &'a Result<RecordOutcome, RequestError>,
}

impl<'a> RecordLine<'a> {
    /// Returns the line.
    pub(super) fn to_document(&self) -> Document<'a> {
        let Origin { service, function, source } = self.origin;
        let outcome = self.fate.as_ref().map_or("failed", |outcome| outcome.label());
        let mut line = Document::new(service);
        let labels = [("source", source), ("outcome", outcome)];
        line.metric(&labels, "records_total", "Count", 1);
        line.member("level", if self.fate.is_err() { "ERROR" } else { "INFO" });
        line.member("timestamp", self.at);
        line.member("message", "record");
        line.member("function", function);
        line.member("recordId", self.record_id);
        line.member("requestId", self.request_id);
        line.member("traceId", self.trace_id);
        line.member("durationMs", millis(self.took));
        if self.deliveries > 1 {
            line.member("deliveries", self.deliveries);
        }
        if let Err(failure) = self.fate {
            line.member("error", shortened_cause(failure));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ServiceError;

    fn line(deliveries: u32, fate: Result<RecordOutcome, RequestError>) -> Value {
        let origin = Origin { service: "store", function: "send_email", source: "emails" };
        let line = RecordLine {
            origin,
            at: Timestamp::from_millis(0),
            record_id: "event-1",
            request_id: "r-1",
            trace_id: "t",
            deliveries,
            took: Duration::from_micros(1_500),
            fate: &fate,
        };
        serde_json::from_str(&line.to_document().into_json(line.at)).unwrap()
    }

    #[test]
    fn a_line_about_a_success_has_no_usual_values_and_one_about_a_failure_its_cause() {
        let success = line(1, Ok(RecordOutcome::Processed));
        assert_eq!(
            (&success["outcome"], &success["durationMs"]),
            (&json!("consumed"), &json!(1.5))
        );
        assert_eq!([success.get("deliveries"), success.get("error")], [None, None]);

        let failure = line(2, Err(ServiceError::TimedOut.into()));
        assert_eq!((&failure["outcome"], &failure["level"]), (&json!("failed"), &json!("ERROR")));
        assert_eq!(failure["deliveries"], 2);
        assert!(failure["error"].is_string(), "{failure}");

        let long = line(1, Err(ServiceError::internal("x".repeat(300_000)).into()));
        assert!(long.to_string().len() < 4_000);
    }
}
