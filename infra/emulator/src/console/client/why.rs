//! The reason for the outcome of a request, in one paragraph: where it ended, the cause, and the
//! remedy.

use super::draw::names;
use super::draw::style::took;
use crate::activity::view::{
    CommitOutcomeView, Journey, JourneyNode, NodeKind, NodeState, RequestDetail, Stage, StageBox,
    StageState,
};

/// The number of field errors, missing permissions and failed effects that a paragraph names.
const NAMED_MAX: usize = 5;

/// The paragraph. Of a request that succeeded it is about its effects.
pub(super) fn why(detail: &RequestDetail, journey: Option<&Journey>) -> String {
    let mut sentences = vec![outcome(detail)];
    if !has_succeeded(detail) {
        sentences.extend(causes(detail));
        sentences.extend(remedy(detail));
    }
    sentences.extend(journey.and_then(effects));
    sentences.join(" ")
}

fn has_succeeded(detail: &RequestDetail) -> bool {
    detail.row.status.is_some_and(|status| status < 400)
}

/// The stage at which the request ended, if it did not pass all of them.
fn end(detail: &RequestDetail) -> Option<&StageBox> {
    let is_end = |state| {
        matches!(state, StageState::Refused | StageState::Interrupted | StageState::Running)
    };
    detail.stages.iter().find(|stage| is_end(stage.state))
}

/// The sentence about the stage and the status.
fn outcome(detail: &RequestDetail) -> String {
    let row = &detail.row;
    let request = format!("{} {}", row.method, row.path);
    let stage = end(detail).map(|stage| {
        (
            stage.state,
            format!("stage {} ({})", names::number(stage.stage), names::stage(stage.stage)),
        )
    });
    let Some(status) = row.status else {
        return match stage {
            Some((_, stage)) => format!("{request} is running, in {stage}."),
            None => format!("{request} is running."),
        };
    };
    let code = row.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    if has_succeeded(detail) {
        let time = row.took_ms.map(|ms| format!(" in {}", took(ms))).unwrap_or_default();
        let replayed = if row.replayed {
            " with the stored response of an earlier request that had the same idempotency key"
        } else {
            ""
        };
        return format!("{request} succeeded with {status}{replayed}{time}.");
    }
    match stage {
        Some((StageState::Interrupted, stage)) => {
            format!("The process of {request} ended in {stage}; the client got {status}{code}.")
        }
        Some((_, stage)) if is_own_fault(detail) => {
            format!("{request} failed in {stage} with {status}{code}.")
        }
        Some((_, stage)) => format!("{request} was refused in {stage} with {status}{code}."),
        None => format!("{request} failed with {status}{code}; no stage reports the refusal."),
    }
}

/// The sentences about rule, fields, verdicts, permissions, faults and stale facts.
fn causes(detail: &RequestDetail) -> Vec<String> {
    let mut causes = Vec::new();
    let note = end(detail).and_then(|stage| stage.note.as_ref());
    let message = detail.rule.as_ref().map(|rule| &rule.message).or(note);
    causes.extend(message.map(|message| sentence(message)));
    let cause = detail.rule.as_ref().and_then(|rule| rule.cause.as_ref());
    // A cause that only repeats the message is left out.
    let cause = cause.filter(|cause| message.is_none_or(|it| !cause.ends_with(it.as_str())));
    causes.extend(cause.map(|cause| format!("Cause: {}", sentence(cause))));
    let refusals = detail.verdicts.iter().filter(|it| !it.allowed && Some(&it.reason) != message);
    causes.extend(refusals.map(|it| format!("Refused by {}: {}", it.by, sentence(&it.reason))));
    let fields = detail.field_errors.iter().map(|error| {
        let field = if error.field.is_empty() { "the whole body" } else { &error.field };
        format!("{field} ({})", error.message)
    });
    causes.extend(listed("Rejected fields", fields));
    let missing = missing(detail).map(|(action, resource)| format!("{action} on {resource}"));
    let function = detail.row.function.as_deref().unwrap_or("The function");
    causes.extend(listed(&format!("{function} lacks the permission"), missing));
    let faults = detail.calls.iter().filter_map(|call| {
        let fault = call.fault.as_ref()?;
        Some(format!("{} on {} ({fault})", call.operation, call.resources.join(", ")))
    });
    causes.extend(listed("An injected fault applied to", faults));
    if let Some(commit) = &detail.commit {
        let failed = commit.attempts.iter().filter(|attempt| {
            !matches!(attempt.outcome, CommitOutcomeView::Committed | CommitOutcomeView::Running)
        });
        let (failed, all) = (failed.count(), commit.attempts.len());
        if failed > 0 {
            causes.push(format!("{failed} of {all} attempts to commit failed."));
        }
        causes.extend(listed("Facts had changed", commit.stale.iter().cloned()));
    }
    let error = detail.invocation.as_ref().and_then(|invocation| invocation.error.as_ref());
    causes.extend(error.map(|error| format!("The invocation failed: {}", sentence(error))));
    causes
}

fn missing(detail: &RequestDetail) -> impl Iterator<Item = (&str, &str)> {
    let denied = detail.permissions.iter().filter(|permission| !permission.allowed);
    denied.map(|permission| (&*permission.action, &*permission.resource))
}

/// The sentence about the next step.
fn remedy(detail: &RequestDetail) -> Option<String> {
    let text = if missing(detail).next().is_some() {
        "Add the permission to the function's policies in the template, and restart the platform."
    } else if detail.calls.iter().any(|call| call.fault.is_some()) {
        "Clear the injected faults, and send the request again."
    } else {
        let stage = end(detail)?;
        match (stage.state, stage.stage) {
            (StageState::Interrupted, _) => {
                "Read the last log lines of the invocation, and look for a panic or a time-out."
            }
            (StageState::Running, _) => return None,
            (_, Stage::Routing) => "Compare method and path with the routes of the template.",
            (_, Stage::Authentication) => {
                "Send a valid token, or resend it as one of the accounts."
            }
            (_, Stage::Authorization) if detail.row.status == Some(429) => {
                "Wait until the limit allows another request, as in the header retry-after."
            }
            (_, Stage::Authorization) => "Send it as a caller that the rule allows.",
            (_, Stage::Deserialization | Stage::Validation) => {
                "Correct the rejected parts of the input, and send it again."
            }
            (_, Stage::Retrieval) if is_own_fault(detail) => {
                "Read the failed calls and the log lines of the invocation."
            }
            (_, Stage::Retrieval) => "Refer to data that exists, or create it first.",
            (_, Stage::Rules) if is_own_fault(detail) => {
                "Read the calls, the effects and the log lines of the invocation."
            }
            (_, Stage::Rules) => {
                "The input is well-formed: the rule refuses it in the present state of the data."
            }
            (_, Stage::Effects) if is_own_fault(detail) => {
                "Read the attempts of the commit and the log lines of the invocation."
            }
            (_, Stage::Effects) => {
                "Read the data again, and send the request again if it still applies."
            }
            (_, Stage::Response) => "Read the log lines of the invocation.",
        }
    };
    Some(text.to_owned())
}

/// Whether the failure is the service's, and not the client's.
fn is_own_fault(detail: &RequestDetail) -> bool {
    detail.row.status.is_some_and(|status| status >= 500)
}

/// The sentence about effects that failed, or that will be tried again.
fn effects(journey: &Journey) -> Option<String> {
    let is_bad = |node: &&JourneyNode| {
        node.kind != NodeKind::Request
            && (node.kind == NodeKind::DeadLetter
                || matches!(node.state, NodeState::Failed | NodeState::Retrying))
    };
    let mut bad: Vec<&JourneyNode> = journey.nodes.iter().filter(is_bad).collect();
    // Dead letters first: each is the end of several failed tries.
    bad.sort_by_key(|node| node.kind != NodeKind::DeadLetter);
    let mut texts: Vec<(String, usize)> = Vec::new();
    for node in bad {
        let state = match (node.kind, node.state) {
            (NodeKind::DeadLetter, _) => "a dead letter",
            (_, NodeState::Retrying) => "retrying",
            _ => "failed",
        };
        let error = node.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let text = format!("{} {} ({state}{error})", names::kind(node.kind), node.title);
        match texts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => texts.push((text, 1)),
        }
    }
    let texts = texts.into_iter().map(|(text, count)| match count {
        1 => text,
        count => format!("{text}, {count} times"),
    });
    listed("Of its effects, these did not succeed", texts)
}

/// A sentence with the first items of a list, and the number of the others.
fn listed(about: &str, items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    let (named, others) = items.split_at(items.len().min(NAMED_MAX));
    if named.is_empty() {
        return None;
    }
    let more = if others.is_empty() { String::new() } else { format!("; {} more", others.len()) };
    Some(sentence(&format!("{about}: {}{more}", named.join("; "))))
}

/// A text with a full stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests;
