//! Everything about one request, and about one invocation.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use jiff::Timestamp;
use serde_json::Value;

use super::RawRow;
use super::calls::{calls, facts, permissions};
use super::commit::commit;
use super::stages::{boxes, stage_named};
use crate::activity::cause::Cause;
use crate::activity::record::{AnsweredBy, Invocation, LineRecord, RequestRecord, ms};
use crate::activity::redaction::Redaction;
use crate::activity::snapshot::RequestSnapshot;
use crate::activity::view::{
    AnswerView, CacheLookup, DeferredView, FieldErrorView, InvocationDetail, InvocationView,
    LogView, Pair, Received, RecordView, RequestDetail, Rule, Stage, Verdict,
};
use crate::services::with_exact_numbers;

/// Everything about a request.
pub(in crate::activity) fn request(
    found: &RequestSnapshot,
    redaction: &Redaction,
) -> RequestDetail {
    let RequestSnapshot { request, invocation } = found;
    let invocation = invocation.as_ref();
    let progress = invocation.and_then(|it| it.inspected.progress.as_ref());
    let ended = invocation.and_then(|it| it.inspected.ended.as_ref());
    let field_errors = ended.map(|ended| ended.field_errors.as_slice()).unwrap_or_default();
    let field_errors = field_errors.iter().map(|it| FieldErrorView {
        field: redaction.text(&it.field),
        message: redaction.text(&it.message),
    });
    let caches = progress.map(|it| it.caches.as_slice()).unwrap_or_default().iter();
    let caches = caches.map(|(cache, hit)| CacheLookup { cache: cache.clone(), hit: *hit });
    let deferred = invocation.map(|it| it.inspected.deferred.as_slice()).unwrap_or_default();
    let deferred = deferred.iter().map(|work| DeferredView {
        what: redaction.text(&work.what),
        failed: work.failed.as_deref().map(|failed| redaction.text(failed)),
        took_ms: work.took_ms,
    });
    RequestDetail {
        row: RawRow::of(request, invocation).redacted(redaction),
        stages: boxes(request, invocation, redaction),
        received: received(request, redaction),
        input: progress.and_then(|it| it.input.as_deref()).map(|input| redaction.text(input)),
        field_errors: field_errors.collect(),
        verdicts: verdicts(request, invocation, redaction),
        facts: invocation.map(|it| facts(it, redaction)).unwrap_or_default(),
        caches: caches.collect(),
        rule: rule(request, invocation, redaction),
        commit: invocation.and_then(|it| commit(it, redaction)),
        answer: answer(request, redaction),
        deferred: deferred.collect(),
        logs: invocation.map(|it| logs(it, redaction)).unwrap_or_default(),
        permissions: invocation.map(permissions).unwrap_or_default(),
        invocation: invocation.map(|it| invocation_view(it, redaction)),
        calls: invocation.map(|it| calls(it, redaction)).unwrap_or_default(),
        detail_dropped: request.dropped || invocation.is_some_and(|it| it.dropped),
    }
}

/// Everything about an invocation, with the id of its journey.
pub(in crate::activity) fn invocation(
    found: &Invocation,
    journey: String,
    redaction: &Redaction,
) -> InvocationDetail {
    InvocationDetail {
        invocation: invocation_view(found, redaction),
        calls: calls(found, redaction),
        logs: logs(found, redaction),
        permissions: permissions(found),
        journey,
        detail_dropped: found.dropped,
    }
}

fn headers(headers: &HeaderMap, redaction: &Redaction) -> Vec<Pair> {
    let shown = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.to_string(), redaction.header(name.as_str(), &value))
    });
    shown.collect()
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

fn received(request: &RequestRecord, redaction: &Redaction) -> Received {
    let body = (!request.body.is_empty())
        .then(|| redaction.body(media_type(&request.headers), &request.body))
        .flatten();
    Received {
        query: redaction.query(request.target.split_once('?').map_or("", |(_, query)| query)),
        headers: headers(&request.headers, redaction),
        body,
        body_bytes: request.body_bytes,
    }
}

fn answer(request: &RequestRecord, redaction: &Redaction) -> Option<AnswerView> {
    let status = request.status?;
    let answer = request.answer.as_ref()?;
    let body = (!answer.body.is_empty())
        .then(|| redaction.body(media_type(&answer.headers), &answer.body))
        .flatten();
    Some(AnswerView {
        status,
        headers: headers(&answer.headers, redaction),
        body,
        body_bytes: answer.body.len(),
        by: match request.answered_by {
            AnsweredBy::Function => "function".to_owned(),
            AnsweredBy::Gateway | AnsweredBy::GatewayAsPreflight => "gateway".to_owned(),
        },
    })
}

fn verdicts(
    request: &RequestRecord,
    invocation: Option<&Invocation>,
    redaction: &Redaction,
) -> Vec<Verdict> {
    let gateway = request.authorization.iter().map(|decision| Verdict {
        stage: Stage::Authentication,
        by: decision.name.clone(),
        allowed: decision.allowed,
        cached: decision.cached,
        reason: redaction.text(&decision.reason),
        took_ms: Some(ms(decision.took)),
    });
    let progress = invocation.and_then(|it| it.inspected.progress.as_ref());
    let reported = progress.map(|it| it.verdicts.as_slice()).unwrap_or_default();
    let reported = reported.iter().filter_map(|verdict| {
        Some(Verdict {
            stage: stage_named(&verdict.stage)?,
            by: verdict.by.clone(),
            allowed: verdict.allowed,
            cached: false,
            reason: redaction.text(&verdict.reason),
            took_ms: None,
        })
    });
    gateway.chain(reported).collect()
}

fn rule(
    request: &RequestRecord,
    invocation: Option<&Invocation>,
    redaction: &Redaction,
) -> Option<Rule> {
    let stage = request.refused_at?;
    let ended = invocation.and_then(|it| it.inspected.ended.as_ref());
    let message = ended.and_then(|it| it.message.as_deref());
    let message = request.refusal.as_deref().or(message);
    Some(Rule {
        stage,
        code: redaction.text(request.code.as_deref().unwrap_or_default()),
        message: redaction.text(message.unwrap_or_default()),
        cause: ended.and_then(|it| it.error.as_deref()).map(|error| redaction.text(error)),
    })
}

/// The run of a function.
fn invocation_view(invocation: &Invocation, redaction: &Redaction) -> InvocationView {
    let between = |from: Option<std::time::Instant>, to: Option<std::time::Instant>| {
        from.zip(to).map(|(from, to)| ms(to.saturating_duration_since(from)))
    };
    let records = invocation.inspected.records.iter().map(|record| RecordView {
        record_id: redaction.text(&record.record_id),
        request_id: record.request_id.as_deref().map(|id| redaction.text(id)),
        deliveries: record.deliveries,
        outcome: record.outcome.clone(),
        error: record.problem().map(|problem| redaction.text(&problem)),
        stages: record.stages.iter().map(|(name, ms, _)| (name.clone(), *ms)).collect(),
    });
    InvocationView {
        id: invocation.id.to_string(),
        function: invocation.function.to_string(),
        environment: invocation.environment.as_deref().map(str::to_owned),
        cold_start: invocation.cold_start,
        queued_at: invocation.queued_at,
        waited_ms: between(Some(invocation.queued), invocation.taken),
        took_ms: between(invocation.taken, invocation.answered),
        after_response_ms: between(invocation.answered, invocation.freed),
        error: invocation.error.as_deref().map(|error| redaction.text(error)),
        cause: cause(invocation),
        records: records.collect(),
    }
}

/// The cause of an invocation, for people.
pub(super) fn cause(invocation: &Invocation) -> String {
    let counted = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    match &invocation.cause {
        Cause::Request(id) => {
            invocation.inspected.route.clone().unwrap_or_else(|| format!("request {id}"))
        }
        Cause::Authorizer(id) => format!("authorizer of request {id}"),
        Cause::Messages { queue, messages } => {
            format!("{} of {queue}", counted(messages.len(), "message"))
        }
        Cause::Records { table, records, .. } => {
            format!("{} of {table}", counted(records.len(), "stream record"))
        }
        Cause::Schedule(name) => format!("schedule {name}"),
        Cause::Rotation(secret) => format!("rotation of {secret}"),
        Cause::ByHand => "by hand".to_owned(),
    }
}

fn logs(invocation: &Invocation, redaction: &Redaction) -> Vec<LogView> {
    invocation.lines.iter().map(|line| log(line, redaction)).collect()
}

/// A line in JSON has its parts; another line is a message.
fn log(line: &LineRecord, redaction: &Redaction) -> LogView {
    let plain = || LogView {
        at: line.at,
        level: if line.is_platform { "PLATFORM" } else { "INFO" }.to_owned(),
        message: redaction.text(&line.text),
        fields: BTreeMap::new(),
    };
    let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(&line.text) else {
        return plain();
    };
    let Value::Object(mut fields) = redaction.json(value) else { return plain() };
    fields.remove("_aws");
    let mut take = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let at = take("timestamp").and_then(|text| text.parse::<Timestamp>().ok());
    LogView {
        at: at.unwrap_or(line.at),
        level: take("level").unwrap_or_else(|| "INFO".to_owned()),
        message: take("message").unwrap_or_default(),
        fields: fields.into_iter().map(|(name, it)| (name, with_exact_numbers(it))).collect(),
    }
}
