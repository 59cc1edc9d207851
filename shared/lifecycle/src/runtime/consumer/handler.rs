//! Batches of records from a queue, a stream or a schedule. Each record passes stages 4 to 8
//! separately.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};

use super::super::deferred::{DeferredWork, Tertiary};
use super::super::guard::{caught, guarded, panicked};
use super::super::invocation::{self, Handled, Invocation, InvocationResult};
use super::super::shared::Shared;
use super::outcome::RecordOutcome;
use super::record_line::{Origin, RecordLine};
use super::records::{Group, Raw, groups_of};
use super::retry_backoff::back_off;
use super::settle::Settling;
use super::successes::{Success, Successes};
use crate::commit::EventOrigin;
use crate::consumer::{Consumer, DeliveredMessage, RecordInput, Source};
use crate::error::{FieldError, FieldErrors, RequestError, ServiceError};
use crate::input::FromInput;
use crate::ports::DeadLetter;
use crate::telemetry::inspector::{Inspection, Inspector, Stage};
use crate::telemetry::line::{lines_of, metric};
use crate::telemetry::units::millis;
use crate::telemetry::{
    Observations, Stages, TraceContext, observed, otlp, shortened, without_values,
};
use crate::{Moment, Permit, clock};

/// `DynamoDB` allows 2,048 bytes for the inbox's key, which also has the name of the source.
const EVENT_ID_BYTES_MAX: usize = 1_000;
/// The error type of failed records that cannot be reported, because they have no id.
const RECORD_WITHOUT_ID: &str = "RECORD_WITHOUT_ID";

/// Serves one consumer.
pub(crate) struct Handler<C> {
    pub(crate) consumer: C,
    pub(crate) shared: Arc<Shared>,
    successes: Successes,
}

#[async_trait]
impl<C: Consumer> invocation::Handler for Handler<C> {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let groups = match groups_of(C::SOURCE, &invocation.event) {
            Ok(groups) => groups,
            Err(error) => {
                tracing::error!(error, "the event is not of the consumer's source");
                return Handled { answer: Err("unreadable event".to_owned()), deferred: None };
            }
        };
        let consumed = stream::iter(groups)
            .map(|group| self.consume_group(group, &invocation))
            .buffer_unordered(C::CONCURRENCY.max(1))
            .collect::<Vec<GroupConsumed>>()
            .await;
        let (mut failed, mut lines, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        let not_begun: usize = consumed.iter().map(|group| group.not_begun).sum();
        for group in consumed {
            failed.push(group.failed);
            lines.extend(group.lines);
            spans.extend(group.spans);
        }
        if not_begun > 0 {
            tracing::error!(not_begun, "no time left for records; they count as failed");
            lines.push(self.failures(not_begun));
        }
        let (adapter, deadline) = (&*self.shared.adapter, invocation.deadline);
        let hiding = back_off(adapter, C::SOURCE, C::BACKOFF, &failed, deadline);
        if let Err(panic) = AssertUnwindSafe(hiding).catch_unwind().await {
            let error = panicked(&*panic);
            tracing::error!(%error, "visibility timeout not changed; failed records return without back-off");
        }
        let nameless = failed.iter().flatten().filter(|raw| raw.item_id.is_none()).count();
        if nameless > 0 {
            tracing::error!(nameless, "failed records have no id; the whole batch is retried");
            let labels = [("type", RECORD_WITHOUT_ID), ("service", &self.shared.settings.service)];
            let (service, at) = (&self.shared.settings.service, clock::now());
            lines.push(metric(service, at, &labels, "errors_total", "Count", nameless));
        }
        let deferred = DeferredWork {
            shared: Arc::clone(&self.shared),
            invocation_id: invocation.invocation_id,
            request: None,
            deadline: deadline.with_grace(),
            lines,
            spans,
            telling: Vec::new(),
            tertiary: Tertiary::default(),
        };
        Handled { answer: answer_of(C::SOURCE, &failed), deferred: Some(deferred) }
    }
}

/// Returns the records to retry. A failed run of a schedule is a failed invocation, and so is a
/// failed event. So is a failed record without an id: a record that is not reported counts as
/// processed.
fn answer_of(source: Source, failed: &[Vec<Raw>]) -> Result<InvocationResult, String> {
    let failed: Vec<&Raw> = failed.iter().flatten().collect();
    match source {
        Source::Schedule(_) if !failed.is_empty() => return Err("the run failed".to_owned()),
        Source::Event(_) if !failed.is_empty() => return Err("the event failed".to_owned()),
        Source::Schedule(_) | Source::Event(_) | Source::Queue(_) | Source::Stream(_) => {}
    }
    if failed.iter().any(|raw| raw.item_id.is_none()) {
        return Err("a record without an id failed".to_owned());
    }
    let failed: Vec<Value> =
        failed.iter().map(|raw| json!({ "itemIdentifier": raw.item_id })).collect();
    Ok(InvocationResult::Json(json!({ "batchItemFailures": failed })))
}

#[derive(Default)]
struct GroupConsumed {
    /// The record that failed, and the records after it.
    failed: Vec<Raw>,
    /// The number of records that had no time left.
    not_begun: usize,
    lines: Vec<String>,
    spans: Vec<Value>,
    /// The inspection of the last record.
    inspection: Inspection,
}

impl<C: Consumer> Handler<C> {
    pub(crate) fn new(consumer: C, shared: Arc<Shared>) -> Self {
        let successes = Successes::of_lines_for(shared.settings.log_successes);
        Self { consumer, shared, successes }
    }

    /// Processes records one after the other. Stops at the first failure, so that the group keeps
    /// its order on retry. After a failure that has no retry it goes on: the records behind it have been
    /// delivered as often, and would become dead letters with it. No record is begun after the
    /// deadline: the watchdog would end the process before the other records of the batch are reported.
    async fn consume_group(&self, group: Group, invocation: &Invocation) -> GroupConsumed {
        let mut consumed = GroupConsumed::default();
        let mut records = group.into_iter();
        for raw in records.by_ref() {
            if invocation.deadline.left().is_zero() {
                consumed.not_begun = 1;
                consumed.failed.push(raw);
                break;
            }
            if !self.consume_guarded(&raw, invocation, &mut consumed).await {
                let is_retried = matches!(C::SOURCE, Source::Stream(_))
                    || raw.deliveries < C::BACKOFF.deliveries_max();
                consumed.failed.push(raw);
                if is_retried {
                    break;
                }
            }
        }
        if consumed.not_begun > 0 {
            consumed.not_begun += records.len();
        }
        consumed.failed.extend(records);
        consumed
    }

    /// Processes one record and catches all panics; returns whether it is done.
    async fn consume_guarded(
        &self,
        raw: &Raw,
        invocation: &Invocation,
        consumed: &mut GroupConsumed,
    ) -> bool {
        let done = AssertUnwindSafe(self.consume(raw, invocation, consumed)).catch_unwind().await;
        done.unwrap_or_else(|panic| {
            let (record_id, error) = (&raw.record_id, panicked(&*panic));
            tracing::error!(record_id, %error, "a record panicked outside its stages");
            consumed.inspection.settled(Err(&error));
            consumed.lines.push(self.failures(1));
            false
        })
    }

    /// The metric of failed records without a line about each.
    fn failures(&self, count: usize) -> String {
        let labels = [("source", C::SOURCE.name()), ("outcome", "failed")];
        let (service, at) = (&self.shared.settings.service, clock::now());
        metric(service, at, &labels, "records_total", "Count", count)
    }

    async fn consume(
        &self,
        raw: &Raw,
        invocation: &Invocation,
        consumed: &mut GroupConsumed,
    ) -> bool {
        let mut stages = Stages::start();
        let at = clock::now();
        let Known { input, record_id, request_id, trace } = Known::<C::Input>::of::<C>(raw);
        let observations = Observations::of(request_id.clone(), Some(trace.clone()));
        let cause = EventOrigin::of(&request_id, &trace);
        let inspect = |inspector: &Arc<Inspector>| {
            let record = raw.inspected(C::SOURCE, &record_id, &request_id);
            inspector.record(&observations, &invocation.invocation_id, stages.started(), record)
        };
        let inspection = self.shared.inspector.as_ref().map(inspect).unwrap_or_default();
        consumed.inspection = inspection.clone();

        let delivered =
            DeliveredMessage { record_id: record_id.clone(), deliveries: raw.deliveries };
        let moment = Moment::of_record(at, C::SOURCE.name(), &record_id);
        let permit = Permit::new(delivered, moment, invocation.deadline);
        let settling = Settling {
            consumer: &self.consumer,
            adapter: &*self.shared.adapter,
            permit: &permit,
            cause: &cause,
            record_spans: self.shared.settings.collector.is_some(),
            inspection: &inspection,
        };
        let mut spans_of_parts = Vec::new();
        let settled = async {
            let command = input.and_then(|input| {
                inspection.enter(Stage::Validation);
                C::Command::from_input(input).map_err(RequestError::Invalid)
            });
            stages.end("validation");
            if let Ok(command) = &command {
                inspection.input(command);
            }
            match command {
                Ok(command) => settling.settle(&command, &mut stages, &mut spans_of_parts).await,
                Err(RequestError::Invalid(field_errors)) => {
                    inspection.enter(Stage::Effects);
                    let moved = self.dead_letter(raw, &field_errors, &inspection).await;
                    stages.end("burial");
                    moved
                }
                Err(failure) => Err(failure),
            }
        };
        let fate = observed(Arc::clone(&observations), guarded(invocation.deadline, settled)).await;
        inspection.settled(fate.as_ref().map(|outcome| outcome.settlement()));

        let settings = &self.shared.settings;
        let (service, function) = (settings.service.as_str(), settings.function.as_str());
        let origin = Origin { service, function, source: C::SOURCE.name() };
        let line = RecordLine {
            origin,
            at,
            record_id: &record_id,
            request_id: &request_id,
            trace_id: trace.trace_id(),
            deliveries: raw.deliveries,
            took: stages.total(),
            fate: &fate,
        };
        consumed.lines.extend(self.lines_about(&line, &observations));
        if self.shared.settings.collector.is_some() && trace.is_sampled() {
            let root = otlp::RecordRoot {
                function: &self.shared.settings.function,
                trace: &trace,
                source: C::SOURCE,
                record_id: &record_id,
                request_id: &request_id,
                failed: fate.is_err(),
                at,
            };
            consumed.spans.extend(otlp::spans_of_record(&root, &stages));
        }
        consumed.spans.extend(spans_of_parts);
        fate.is_ok()
    }

    /// The lines about a record; none yet for a success that waits for others.
    fn lines_about(&self, line: &RecordLine<'_>, observations: &Observations) -> Vec<String> {
        let noted = observations.take_noted();
        match line.fate {
            Ok(outcome) if self.successes.sums(C::SOURCE, *outcome, &noted) => {
                let request_id = line.request_id.to_owned();
                let took_ms = millis(line.took);
                let success = Success { outcome: *outcome, request_id, took_ms, noted };
                self.successes.add(success, line.at, line.origin)
            }
            _ => lines_of(line.to_document(), line.at, ("requestId", line.request_id), &noted),
        }
    }

    /// Sends an unparseable record to the dead-letter queue, with the full reason. The log gets the
    /// reason without values, which may be personal data.
    async fn dead_letter(
        &self,
        raw: &Raw,
        field_errors: &FieldErrors,
        inspection: &Inspection,
    ) -> Result<RecordOutcome, RequestError> {
        let reasons = |message: fn(&str) -> String| {
            let reason =
                |found: &FieldError| format!("{} {}", found.field, message(&found.message));
            field_errors.iter().map(reason).collect::<Vec<_>>().join("; ")
        };
        let (reason, told) = (reasons(str::to_owned), shortened(reasons(without_values)));
        tracing::error!(reason = told, "a record cannot be parsed");
        inspection.unreadable(&reason);
        let queue = C::SOURCE.dead_letters().ok_or_else(|| ServiceError::internal(told))?;
        let (id, group) = (raw.record_id.clone(), raw.group.clone());
        let letter = DeadLetter { queue, id, group, body: raw.body(), reason };
        self.shared.adapter.dead_letter(&letter).await?;
        Ok(RecordOutcome::DeadLettered)
    }
}

/// Refuses a record whose id cannot be a part of the inbox's key: an empty one would be that of all
/// records without an id.
fn with_usable_id<I: RecordInput>(input: I) -> Result<I, FieldErrors> {
    let usable = input.event_id().is_none_or(|id| (1..=EVENT_ID_BYTES_MAX).contains(&id.len()));
    if usable {
        Ok(input)
    } else {
        let expected = format!("must have 1 to {EVENT_ID_BYTES_MAX} bytes");
        Err(FieldErrors::one("/eventId", expected))
    }
}

/// A record as far as it can be parsed, and its origin.
struct Known<I> {
    input: Result<I, RequestError>,
    record_id: String,
    request_id: String,
    trace: TraceContext,
}

impl<I: RecordInput> Known<I> {
    /// Reads a record. If reading panics, only the record's own id is known.
    fn of<C: Consumer<Input = I>>(raw: &Raw) -> Self {
        caught(|| Self::read(raw, raw.deserialize::<C>())).unwrap_or_else(|failure| Self {
            input: Err(failure),
            record_id: raw.record_id.clone(),
            request_id: raw.record_id.clone(),
            trace: TraceContext::continued(None, None, None),
        })
    }

    fn read(raw: &Raw, understood: Result<I, FieldErrors>) -> Self {
        let understood = understood.and_then(with_usable_id);
        let input = understood.as_ref().ok();
        let record_id = input.and_then(RecordInput::event_id).unwrap_or(&raw.record_id).to_owned();
        let request_id = input.and_then(RecordInput::request_id).unwrap_or(&record_id).to_owned();
        let [parent, state] = match input.map(|input| (input.traceparent(), input.tracestate())) {
            Some((Some(parent), state)) => {
                [Some(parent), state].map(|text| text.map(str::to_owned))
            }
            Some((None, _)) | None => raw.trace_context(),
        };
        let trace = TraceContext::continued(parent.as_deref(), state.as_deref(), None);
        Self { input: understood.map_err(RequestError::Invalid), record_id, request_id, trace }
    }
}
