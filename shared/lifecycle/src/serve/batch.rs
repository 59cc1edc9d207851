//! Batches of records, from a queue, a stream or the clock: each record on its own, through
//! stages 4 to 8.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::Shared;
use super::after::{Aftermath, Tertiary};
use super::guard::guarded;
use super::lambda::{self, Answer, Handled, Invocation};
use super::postpone::postpone;
use super::records::{Group, Raw, groups_of};
use super::settle::{Fate, Settling};
use crate::commit::Cause;
use crate::consumer::{Consumer, Delivered, Delivery, Source};
use crate::effects::Queue;
use crate::failure::{Failure, Fault, Violations};
use crate::telemetry::line::{Stages, lines_of_noted, metric, millis};
use crate::telemetry::{Observations, TraceContext, observed, otlp};
use crate::{Deadline, Moment, Permit, Timestamp};

/// The error that counts records that failed and have no id to report them by.
const RECORD_WITHOUT_ID: &str = "RECORD_WITHOUT_ID";

/// Serves one consumer.
pub(crate) struct Handler<C> {
    pub(crate) consumer: C,
    pub(crate) shared: Arc<Shared>,
}

#[async_trait]
impl<C: Consumer> lambda::Handler for Handler<C> {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let groups = match groups_of(C::SOURCE, &invocation.event) {
            Ok(groups) => groups,
            Err(error) => {
                tracing::error!(error, "not an event of this consumer's source");
                return Handled { answer: Err("unreadable event".to_owned()), aftermath: None };
            }
        };
        let consumed = stream::iter(groups)
            .map(|group| self.consume_group(group, invocation.deadline))
            .buffer_unordered(C::CONCURRENCY.max(1))
            .collect::<Vec<GroupConsumed>>()
            .await;
        let (mut failed, mut lines, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        for group in consumed {
            failed.push(group.failed);
            lines.extend(group.lines);
            spans.extend(group.spans);
        }
        postpone(&*self.shared.platform, C::SOURCE, &failed, invocation.deadline).await;
        let nameless = failed.iter().flatten().filter(|raw| raw.item_id.is_none()).count();
        if nameless > 0 {
            tracing::error!(nameless, "failed records without an id: the whole batch comes again");
            let labels = [("type", RECORD_WITHOUT_ID), ("service", &self.shared.settings.service)];
            let (service, at) = (&self.shared.settings.service, Timestamp::now());
            lines.push(metric(service, at, &labels, "errors_total", "Count", nameless));
        }
        let aftermath = Aftermath {
            shared: Arc::clone(&self.shared),
            deadline: invocation.deadline,
            lines,
            spans,
            telling: Vec::new(),
            tertiary: Tertiary::default(),
        };
        Handled { answer: answer_of(C::SOURCE, &failed), aftermath: Some(aftermath) }
    }
}

/// Which records are to come again. Of a schedule's run, the only record there is, it is told by
/// the failure of the invocation; and so it is of records that have no id to be told by, since
/// whatever is not told counts as done.
fn answer_of(source: Source, failed: &[Vec<Raw>]) -> Result<Answer, String> {
    let failed: Vec<&Raw> = failed.iter().flatten().collect();
    if source == Source::Schedule && !failed.is_empty() {
        return Err("the run failed".to_owned());
    }
    if failed.iter().any(|raw| raw.item_id.is_none()) {
        return Err("a record without an id failed".to_owned());
    }
    let failed: Vec<Value> =
        failed.iter().map(|raw| json!({ "itemIdentifier": raw.item_id })).collect();
    Ok(Answer::Json(json!({ "batchItemFailures": failed })))
}

#[derive(Default)]
struct GroupConsumed {
    /// The record that failed, and those behind it.
    failed: Vec<Raw>,
    lines: Vec<String>,
    spans: Vec<Value>,
}

impl<C: Consumer> Handler<C> {
    /// Consumes records one after the other. Behind one that fails, none is touched: they come
    /// again in order.
    async fn consume_group(&self, group: Group, deadline: Deadline) -> GroupConsumed {
        let mut consumed = GroupConsumed::default();
        let mut records = group.into_iter();
        for raw in records.by_ref() {
            if !self.consume(&raw, deadline, &mut consumed).await {
                consumed.failed.push(raw);
                break;
            }
        }
        consumed.failed.extend(records);
        consumed
    }

    /// Consumes one record, and tells whether it is done with.
    async fn consume(&self, raw: &Raw, deadline: Deadline, consumed: &mut GroupConsumed) -> bool {
        let started = Instant::now();
        let mut stages = Stages::start();
        let at = Timestamp::now();
        let understood = raw.understand::<C>();
        let input = understood.as_ref().ok();
        let record_id = input.and_then(Delivery::event_id).unwrap_or(&raw.record_id).to_owned();
        let request_id = input.and_then(Delivery::request_id).unwrap_or(&record_id).to_owned();
        let parent = input.and_then(Delivery::traceparent).map(str::to_owned);
        let parent = parent.or_else(|| raw.traceparent());
        let trace = TraceContext::continued(parent.as_deref(), None, None);
        let observations = Observations::of(request_id.clone(), Some(trace.clone()));
        let cause = Cause { request_id: request_id.clone(), traceparent: Some(trace.to_string()) };

        let delivered = Delivered { record_id: record_id.clone(), deliveries: raw.deliveries };
        let permit = Permit::new(delivered, Moment::of_record(at, &record_id), deadline);
        let settling = Settling {
            consumer: &self.consumer,
            platform: &*self.shared.platform,
            permit: &permit,
            cause: &cause,
            record_spans: self.shared.settings.collector.is_some(),
        };
        let mut spans_of_parts = Vec::new();
        let settled = async {
            let command = understood.and_then(C::parse);
            stages.end("validation");
            match command {
                Ok(command) => settling.settle(&command, &mut stages, &mut spans_of_parts).await,
                Err(violations) => {
                    let buried = self.bury(raw, &violations).await;
                    stages.end("burial");
                    buried
                }
            }
        };
        let fate = observed(Arc::clone(&observations), guarded(deadline, settled)).await;

        let service = &self.shared.settings.service;
        let told =
            fate.as_ref().map_or_else(|_| "failed".to_owned(), |f| format!("{f:?}").to_lowercase());
        let labels = [("source", source_name(C::SOURCE)), ("outcome", &told)];
        let mut line = metric(service, at, &labels, "records_total", "Count", 1);
        let facts = json!({
            "level": if fate.is_err() { "ERROR" } else { "INFO" },
            "timestamp": at,
            "message": "record",
            "function": self.shared.settings.function,
            "recordId": record_id,
            "requestId": request_id,
            "traceId": trace.trace_id(),
            "deliveries": raw.deliveries,
            "durationMs": millis(started.elapsed()),
            "error": fate.as_ref().err().map(ToString::to_string),
        });
        merge(&mut line, &facts);
        consumed.lines.push(line);
        consumed.lines.extend(lines_of_noted(service, at, &observations.noted()));
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

    async fn bury(&self, raw: &Raw, violations: &Violations) -> Result<Fate, Failure> {
        let reasons = violations.iter().map(|found| format!("{} {}", found.field, found.message));
        let reason = reasons.collect::<Vec<_>>().join("; ");
        tracing::error!(reason, "a record cannot be understood");
        let queue = dead_letters(C::SOURCE).ok_or_else(|| Fault::internal(reason.clone()))?;
        self.shared.platform.bury(queue, &raw.body(), &reason).await?;
        Ok(Fate::Buried)
    }
}

pub(super) fn source_name(source: Source) -> &'static str {
    match source {
        Source::Queue(queue) => queue.name(),
        Source::Stream(table) => table.name(),
        Source::Schedule => "schedule",
    }
}

/// The queue whose dead-letter queue takes what cannot be understood; for a stream, the one that
/// is named after the table. A schedule has none.
pub(crate) fn dead_letters(source: Source) -> Option<Queue> {
    (source != Source::Schedule).then(|| Queue::new(source_name(source)))
}

/// Adds facts to a line; what is null is left out.
fn merge(line: &mut String, facts: &Value) {
    let Ok(Value::Object(mut merged)) = serde_json::from_str(line) else {
        return;
    };
    if let Value::Object(facts) = facts {
        let told = facts.iter().filter(|(_, value)| !value.is_null());
        merged.extend(told.map(|(name, value)| (name.clone(), value.clone())));
    }
    *line = Value::Object(merged).to_string();
}
