//! The nine boxes of a request, by the reports of gateway and lifecycle.

use super::commit::{is_attempt, outcome};
use crate::activity::record::{AnsweredBy, Invocation, RequestRecord, ms};
use crate::activity::redaction::Redaction;
use crate::activity::view::{CommitOutcomeView, Stage, StageBox, StageState};

/// The stage of a name in a record. A rate limit is a part of the authorization.
pub(in crate::activity) fn stage_named(name: &str) -> Option<Stage> {
    Some(match name {
        "routing" => Stage::Routing,
        "authentication" => Stage::Authentication,
        "authorization" | "limit" => Stage::Authorization,
        "deserialization" | "deserialisation" => Stage::Deserialization,
        "validation" => Stage::Validation,
        "retrieval" => Stage::Retrieval,
        "rules" => Stage::Rules,
        "effects" => Stage::Effects,
        "response" => Stage::Response,
        _ => return None,
    })
}

/// Where the way through the stages ends so far, and how.
enum End {
    /// All passed.
    Passed,
    /// At this stage.
    At(Stage, StageState, Option<String>),
    /// After this stage nothing is known: the function does not report stages.
    UnknownAfter(Stage),
}

/// The boxes, always nine.
pub(super) fn boxes(
    request: &RequestRecord,
    invocation: Option<&Invocation>,
    redaction: &Redaction,
) -> Vec<StageBox> {
    let end = end(request, invocation);
    // The gateway refuses the response of a function that may report no stages.
    let is_unknown = |stage: Stage| {
        (Stage::Authorization..Stage::Response).contains(&stage)
            && invocation.is_some_and(|it| !it.inspected.reports_stages())
    };
    let boxed = |stage: Stage| {
        let state = match &end {
            End::Passed => StageState::Passed,
            End::At(at, state, _) if stage == *at => *state,
            End::At(Stage::Response, ..) if is_unknown(stage) => StageState::Unknown,
            End::At(at, ..) if stage < *at => StageState::Passed,
            End::At(..) => StageState::NotReached,
            End::UnknownAfter(last) if stage <= *last => StageState::Passed,
            End::UnknownAfter(_) => StageState::Unknown,
        };
        let reason = match &end {
            End::At(at, _, reason) if stage == *at => reason.clone(),
            _ => None,
        };
        let note = reason.or_else(|| note(stage, state, request, invocation));
        StageBox {
            stage,
            state,
            took_ms: took_ms(stage, state, request, invocation),
            note: note.map(|note| redaction.text(&note)),
        }
    };
    Stage::ALL.map(boxed).to_vec()
}

fn end(request: &RequestRecord, invocation: Option<&Invocation>) -> End {
    if request.answered_by == AnsweredBy::GatewayAsPreflight {
        let note = "The gateway answered this preflight of CORS itself.".to_owned();
        return End::At(Stage::Routing, StageState::Passed, Some(note));
    }
    // The gateway's own refusal, before or without a function.
    if let (Some(stage), Some(reason)) = (request.refused_at, &request.refusal)
        && invocation.is_none_or(|invocation| invocation.inspected.ended.is_none())
        && !invocation.is_some_and(|invocation| invocation.interrupted)
    {
        return End::At(stage, StageState::Refused, Some(reason.clone()));
    }
    let Some(invocation) = invocation else {
        let is_running = request.status.is_none();
        let state = if is_running { StageState::Running } else { StageState::Unknown };
        let stage = if request.route.is_none() { Stage::Routing } else { Stage::Authentication };
        return End::At(stage, state, None);
    };
    let inspected = &invocation.inspected;
    if let Some(ended) = &inspected.ended {
        let Some(stage) = request.refused_at else {
            if !invocation.interrupted {
                return End::Passed;
            }
            let stage = interrupted_at(invocation);
            return End::At(stage, StageState::Interrupted, invocation.error.clone());
        };
        // The gateway may refuse the response of a function that has succeeded.
        let reason = request.refusal.as_ref().or(ended.message.as_ref()).or(ended.error.as_ref());
        let reason = reason.cloned();
        return End::At(stage, StageState::Refused, reason);
    }
    if !inspected.reports_stages() && !invocation.interrupted {
        return End::UnknownAfter(Stage::Authentication);
    }
    let has_ended = invocation.answered.is_some();
    if has_ended && !invocation.interrupted && invocation.error.is_none() {
        return End::UnknownAfter(reached(invocation));
    }
    let state = if has_ended { StageState::Interrupted } else { StageState::Running };
    End::At(interrupted_at(invocation), state, invocation.error.clone())
}

/// The stage in which an invocation without a response is, or was.
pub(super) fn interrupted_at(invocation: &Invocation) -> Stage {
    let inspected = &invocation.inspected;
    if inspected.ended.is_some() {
        // The function had reported its end, and its response was not posted.
        return Stage::Response;
    }
    let reached = reached(invocation);
    if inspected.reports_stages() { reached } else { Stage::Deserialization.min(reached) }
}

/// The stage in which an invocation without an end is, or was: by its last record and its calls.
fn reached(invocation: &Invocation) -> Stage {
    let progress = invocation.inspected.progress.as_ref();
    let running = progress.and_then(|it| it.running.as_deref()).and_then(stage_named);
    let last = progress.and_then(|it| it.stages.last()).and_then(|(name, ..)| stage_named(name));
    let after_last = last.map(|last| Stage::ALL[(last as usize + 1).min(Stage::ALL.len() - 1)]);
    let reported = running.or(after_last).unwrap_or(Stage::Authentication);
    let called = invocation.calls.iter().filter(|call| !call.deferred).map(|call| {
        if !is_attempt(call) {
            let reads = ["BatchGetItem", "GetItem", "Query", "TransactGetItems"];
            let is_read = reads.contains(&call.operation.as_str());
            return if is_read { Stage::Retrieval } else { Stage::Authentication };
        }
        match outcome(call, true) {
            CommitOutcomeView::Committed => Stage::Response,
            _ => Stage::Effects,
        }
    });
    called.max().map_or(reported, |called| called.max(reported))
}

/// Whether a stage had nothing to do: a request that only reads decides and changes nothing.
fn is_idle(
    stage: Stage,
    state: StageState,
    request: &RequestRecord,
    invocation: Option<&Invocation>,
) -> bool {
    let only_reads = |it: &Invocation| {
        it.inspected.ended.is_some() && !it.dropped && !it.calls.iter().any(is_attempt)
    };
    state == StageState::Passed
        && matches!(stage, Stage::Rules | Stage::Effects)
        && ["GET", "HEAD"].contains(&request.method.as_str())
        && invocation.is_some_and(only_reads)
}

/// The time in a stage, of the gateway and of the function. A stage that was not reached has none:
/// the response to a refusal is made without the ninth one.
fn took_ms(
    stage: Stage,
    state: StageState,
    request: &RequestRecord,
    invocation: Option<&Invocation>,
) -> Option<f64> {
    if state == StageState::NotReached || is_idle(stage, state, request, invocation) {
        return None;
    }
    let progress = invocation.and_then(|invocation| invocation.inspected.progress.as_ref());
    let stages = progress.map(|progress| progress.stages.as_slice()).unwrap_or_default();
    let own = stages.iter().filter(|(name, ..)| stage_named(name) == Some(stage));
    let own = own.map(|(_, took_ms, _)| *took_ms).reduce(|sum, took_ms| sum + took_ms);
    let authorizer = request.authorization.as_ref().filter(|_| stage == Stage::Authentication);
    match (own, authorizer.map(|it| ms(it.took))) {
        (Some(own), Some(authorizer)) => Some(own + authorizer),
        (own, authorizer) => own.or(authorizer),
    }
}

/// The sentence about a stage that passed.
fn note(
    stage: Stage,
    state: StageState,
    request: &RequestRecord,
    invocation: Option<&Invocation>,
) -> Option<String> {
    if state != StageState::Passed {
        return None;
    }
    if is_idle(stage, state, request, invocation) {
        return Some("Nothing to do: the request only reads.".to_owned());
    }
    match stage {
        Stage::Routing => {
            let (route, function) = (request.route.as_ref()?, request.function.as_ref()?);
            Some(format!("{route} is served by {function}."))
        }
        Stage::Authentication => {
            let decision = request.authorization.as_ref()?;
            Some(decision.reason.clone())
        }
        Stage::Effects if request.replayed => Some(
            "Nothing was written: the idempotency key is known, and its response was returned."
                .to_owned(),
        ),
        Stage::Effects => {
            let mut commits = invocation?.calls.iter().filter(|call| is_attempt(call));
            let count = commits.clone().count();
            let done = commits.clone().map(|call| outcome(call, true));
            if done.filter(|it| *it == CommitOutcomeView::Committed).count() > 1 {
                return Some(format!("There were {count} separate writes."));
            }
            let writes = commits.next_back()?.writes.len();
            let writes =
                if writes == 1 { "1 write".to_owned() } else { format!("{writes} writes") };
            let attempts = if count == 1 { String::new() } else { format!(" in {count} attempts") };
            Some(format!("The commit has {writes}{attempts}."))
        }
        _ => None,
    }
}
