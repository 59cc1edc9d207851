//! The commit of a request: its attempts, and each write with its condition.

use serde_json::Value;

use super::sections::title;
use super::style::{Colour, Style, took};
use crate::activity::view::{CommitAttempt, CommitOutcomeView, CommitView, WriteKind, WriteView};

/// The attempts in order, and the stale facts.
pub(super) fn commit(commit: &CommitView, style: Style) -> Vec<String> {
    let mut lines = vec![title("commit", style)];
    let attempts = &commit.attempts;
    let committed = attempts.iter().filter(|it| it.outcome == CommitOutcomeView::Committed);
    let noun = if committed.count() > 1 { "write" } else { "attempt" };
    for (place, attempt) in attempts.iter().enumerate() {
        let name = format!("{noun} {} of {}", place + 1, attempts.len());
        lines.extend(of_attempt(attempt, &name, style));
    }
    for stale in &commit.stale {
        lines.extend(style.hanging("  ", &format!("stale: {stale}"), Colour::Waiting));
    }
    lines
}

fn of_attempt(attempt: &CommitAttempt, name: &str, style: Style) -> Vec<String> {
    let (unicode, ascii, outcome, colour) = match attempt.outcome {
        CommitOutcomeView::Committed => ("✓", "+", "committed", Colour::Good),
        CommitOutcomeView::ConditionFailed => ("✗", "x", "a condition failed", Colour::Bad),
        CommitOutcomeView::Conflict => ("✗", "x", "conflict with another transaction", Colour::Bad),
        CommitOutcomeView::Failed => ("✗", "x", "failed", Colour::Bad),
        CommitOutcomeView::Running => ("▶", ">", "running", Colour::Waiting),
    };
    let units = attempt.write_units.map(|units| format!("{units} units, ")).unwrap_or_default();
    let time = took(attempt.took_ms);
    let text = format!("{name}: {}, {outcome}, {units}{time}", attempt.operation);
    let mut lines = style.hanging(&format!("  {} ", style.either(unicode, ascii)), &text, colour);
    for write in &attempt.writes {
        lines.extend(of_write(write, style));
    }
    lines
}

fn of_write(write: &WriteView, style: Style) -> Vec<String> {
    let (sign, colour) = match write.held {
        Some(true) => (style.either("✓", "+"), Colour::Plain),
        Some(false) => (style.either("✗", "x"), Colour::Bad),
        None => (style.either("·", "-"), Colour::Plain),
    };
    let kind = match (write.kind, &write.event) {
        (WriteKind::OutboxRow, Some(event)) => format!("outbox row {event}"),
        (kind, _) => of_kind(kind).to_owned(),
    };
    let text = format!("{kind}: {} {} {}", write.action, write.table, write.key);
    let mut lines = style.hanging(&format!("      {sign} "), &text, colour);
    if let Some(condition) = &write.condition {
        let outcome = match write.held {
            Some(true) => "held",
            Some(false) => "did not hold",
            None => "not known whether it held",
        };
        let text = format!("if {condition}: {outcome}");
        let colour = if write.held == Some(false) { Colour::Bad } else { Colour::Quiet };
        lines.extend(style.hanging("        ", &text, colour));
    }
    if let Some(found) = write.found.as_ref().filter(|found| **found != Value::Null) {
        let found = style.cut(&style.clean(&format!("found {found}")), style.width - 8);
        lines.push(format!("        {}", style.paint(Colour::Quiet, &found)));
    }
    lines
}

fn of_kind(kind: WriteKind) -> &'static str {
    match kind {
        WriteKind::State => "state",
        WriteKind::IdempotencyRecord => "idempotency record",
        WriteKind::InboxEntry => "inbox entry",
        WriteKind::OutboxRow => "outbox row",
        WriteKind::Counter => "counter",
    }
}
