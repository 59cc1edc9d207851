//! Effects in parts: many independent ones of one record, such as the rows that a sweeper relays.

use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::Mutex;

use super::super::guard::guarded;
use super::groups::grouped_by;
use super::settle::{Sent, Settling};
use crate::clock;
use crate::commit::{CommitOutcome, EventOrigin, PartLabels, commit};
use crate::consumer::{Consumer, Source};
use crate::effects::{Content, Effects};
use crate::error::{RequestError, ServiceError};
use crate::ports::RefusedMessage;
use crate::telemetry::{Stages, TraceContext, observe_error, otlp};

/// The number of parts that are performed concurrently.
const PARTS_AT_ONCE: usize = 10;

/// The error type of a record or a run of which some parts failed and others succeeded.
const PARTLY_FAILED: &str = "PARTLY_FAILED";
/// The error type of parts whose conditions did not hold. A part that is counted in every run has a
/// condition that can never hold.
const PART_STALE: &str = "PART_STALE";

impl<C: Consumer> Settling<'_, C> {
    /// Performs each part separately; returns an error after all parts if one failed.
    ///
    /// Parts that first write items of one partition are performed in their order, such as those of the
    /// events of one aggregate. None of them is performed behind a failed one.
    pub(super) async fn perform_parts(
        &self,
        parts: Vec<Effects>,
        spans: &mut Vec<Value>,
    ) -> Result<(), RequestError> {
        let spans_of_parts = Mutex::new(Vec::new());
        let done = stream::iter(by_partition(parts))
            .map(|parts| self.perform_in_order(parts, &spans_of_parts))
            .buffer_unordered(PARTS_AT_ONCE);
        let results: Vec<Result<(), RequestError>> = done.concat().await;
        *spans = spans_of_parts.into_inner();
        let count = results.len();
        let failed: Vec<RequestError> = results.into_iter().filter_map(Result::err).collect();
        let failed_count = failed.len();
        match failed.into_iter().next() {
            None => Ok(()),
            Some(first) => {
                tracing::error!(failed = failed_count, of = count, "parts of the effects failed");
                if failed_count < count {
                    observe_error(PARTLY_FAILED);
                }
                Err(first)
            }
        }
    }

    /// Performs parts one after the other, until one fails or no time is left. Returns a result for
    /// each that was begun, and an error for the first that had no time left.
    async fn perform_in_order(
        &self,
        parts: Vec<(String, Effects)>,
        spans: &Mutex<Vec<Value>>,
    ) -> Vec<Result<(), RequestError>> {
        let deadline = self.permit.deadline();
        let mut results = Vec::new();
        for (label, part) in parts {
            // A guard begins its work before it looks at the deadline.
            let done = if deadline.left().is_zero() {
                Err(RequestError::ServiceError(ServiceError::TimedOut))
            } else {
                let part = self.perform_part(label, part, spans);
                guarded(deadline, async { Ok(part.await?) }).await
            };
            let has_failed = done.is_err();
            results.push(done);
            if has_failed {
                break;
            }
        }
        results
    }

    /// Performs one part, in the trace of the event that it forwards, if any.
    async fn perform_part(
        &self,
        label: String,
        mut part: Effects,
        spans: &Mutex<Vec<Value>>,
    ) -> Result<(), ServiceError> {
        let at = clock::now();
        let mut stages = Stages::start();
        let passed_on = part.messages().iter().find_map(|message| match &message.content {
            Content::Forward(envelope) => Some((**envelope).clone()),
            Content::New(_) => None,
        });
        let parent = passed_on.as_ref().and_then(|envelope| envelope.traceparent.as_deref());
        let state = passed_on.as_ref().and_then(|envelope| envelope.tracestate.as_deref());
        let trace = parent.map(|parent| TraceContext::continued(Some(parent), state, None));
        let origin = match (&passed_on, &trace) {
            (Some(envelope), Some(trace)) => EventOrigin::of(&envelope.request_id, trace),
            _ => self.cause.clone(),
        };
        // The span names the table that records the part's state: its stream skipped the event.
        let table = part.writes().first().map(|write| write.table);
        let (instead, unsent) = (part.take_instead(), part.take_unsent());
        let cause = origin.in_part(label);
        let mut sent = Sent::default();
        let dispatched = self.dispatch(&part, &cause, &mut sent, &mut stages).await;
        let done = match (dispatched, instead) {
            (Ok(()), _) => self.commit_part(&part, &cause, &mut stages).await,
            (Err(fault), Some(instead)) if RefusedMessage::is(&fault) => {
                let error = RequestError::ServiceError(fault).to_string();
                let event_id = passed_on.as_ref().map(|envelope| envelope.event_id.as_str());
                let counted = instead.counted;
                tracing::error!(
                    error,
                    counted,
                    event_id,
                    "a queue refused a message; committing the replacement effects"
                );
                observe_error(counted);
                self.commit_part(&instead.effects, &cause, &mut stages).await
            }
            (Err(fault), _) => {
                if let Some(unsent) = unsent
                    && let Err(second) = self.commit_part(&unsent, &cause, &mut stages).await
                {
                    tracing::error!(error = %second, "the effects of an unsent part failed");
                }
                Err(fault)
            }
        };
        if let Err(fault) = &done {
            let event_id = passed_on.as_ref().map(|envelope| envelope.event_id.as_str());
            tracing::error!(error = %fault, event_id, "a part of the effects failed");
        }
        if let (Some(trace), Some(envelope), true) = (&trace, &passed_on, self.record_spans)
            && trace.is_sampled()
        {
            let root = otlp::RecordRoot {
                function: "",
                trace,
                source: table.map_or(C::SOURCE, Source::Stream),
                record_id: &envelope.event_id,
                request_id: &envelope.request_id,
                failed: done.is_err(),
                at,
            };
            spans.lock().await.extend(otlp::spans_of_record(&root, &stages));
        }
        done
    }

    /// Commits a part, and then sends its announcements. A part that is left to the next run has none.
    async fn commit_part(
        &self,
        part: &Effects,
        cause: &EventOrigin,
        stages: &mut Stages,
    ) -> Result<(), ServiceError> {
        let moment = self.permit.moment();
        let outcome = commit(self.adapter, part, None, C::RESOURCES, moment, cause).await;
        stages.end("commit");
        match outcome? {
            CommitOutcome::Committed | CommitOutcome::Duplicate(_) => {
                self.announce(part, cause, stages).await
            }
            CommitOutcome::Rejected(rejection) => {
                Err(ServiceError::internal(format!("refused: {}", rejection.code)))
            }
            CommitOutcome::Stale(failed) => {
                let conditions = failed.iter().map(ToString::to_string).collect::<Vec<_>>();
                let conditions = conditions.join("; ");
                tracing::warn!(
                    conditions,
                    "the facts of a part are stale; the next run decides it again"
                );
                observe_error(PART_STALE);
                Ok(())
            }
            CommitOutcome::Conflict => {
                tracing::info!(
                    "another transaction uses the items of a part; the next run completes it"
                );
                Ok(())
            }
        }
    }
}

/// The parts with their labels, in groups that first write items of one partition. A part without
/// writes is a separate group; an empty one is left out.
fn by_partition(parts: Vec<Effects>) -> Vec<Vec<(String, Effects)>> {
    let mut labels = PartLabels::default();
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let labelled = parts.map(|part| (labels.label_of(&part), part));
    grouped_by(labelled, |(label, part)| {
        let write = part.writes().first().ok_or_else(|| label.clone());
        write.map(|write| (write.table.name(), write.key.pk.clone()))
    })
}
