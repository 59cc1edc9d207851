//! The parts of a request's drawing besides boxes and commit. A part without content has no lines.

use super::names;
use super::style::{Colour, Style, took};
use crate::activity::view::{
    DeferredView, Fact, FieldErrorView, PermissionView, RequestDetail, RequestRow, Verdict,
};

/// The request line and the ids.
pub(super) fn head(row: &RequestRow, style: Style) -> Vec<String> {
    let colour = match row.status {
        Some(..400) => Colour::Good,
        Some(_) => Colour::Bad,
        None => Colour::Waiting,
    };
    let status = row.status.map_or_else(|| "running".to_owned(), |status| status.to_string());
    let mut answer = vec![status];
    answer.extend(row.code.as_ref().map(|code| style.clean(code)));
    answer.extend(row.took_ms.map(took));
    answer.extend(row.cold_start.then(|| "cold start".to_owned()));
    answer.extend(row.replayed.then(|| "replayed".to_owned()));
    answer.extend((row.attempts > 1).then(|| format!("{} attempts", row.attempts)));
    let request = style.clean(&format!("{} {}", row.method, row.path));
    let mut lines = vec![
        style.paint(Colour::Title, &style.cut(&request, style.width)),
        style.paint(colour, &style.cut(&answer.join("  "), style.width)),
    ];
    let ids = [
        Some(row.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()),
        Some(format!("id {}", row.id)),
        row.request_id.as_ref().filter(|id| **id != row.id).map(|id| format!("x-request-id {id}")),
        row.caller.as_ref().map(|caller| format!("caller {caller}")),
        row.function.as_ref().map(|function| format!("function {function}")),
    ];
    for line in filled(ids.into_iter().flatten(), style) {
        lines.push(style.paint(Colour::Quiet, &line));
    }
    lines
}

/// Parts with two spaces between them, as many in a line as fit.
fn filled(parts: impl Iterator<Item = String>, style: Style) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        let part = style.cut(&style.clean(&part), style.width);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + part.chars().count() <= style.width => {
                line.push_str("  ");
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

/// The reason of the outcome in a paragraph.
pub(super) fn reason(reason: &str, style: Style) -> Vec<String> {
    let mut lines = vec![title("outcome", style)];
    lines.extend(style.hanging("  ", reason, Colour::Plain));
    lines
}

/// Each field error at its pointer.
pub(super) fn field_errors(errors: &[FieldErrorView], style: Style) -> Vec<String> {
    part("field errors", errors, style, |error| {
        let field = if error.field.is_empty() { "the whole body" } else { &error.field };
        (false, format!("{field}: {}", error.message))
    })
}

/// Each decision about the caller.
pub(super) fn verdicts(verdicts: &[Verdict], style: Style) -> Vec<String> {
    part("verdicts", verdicts, style, |verdict| {
        let mut notes = vec![format!("by {}", verdict.by)];
        notes.extend(verdict.cached.then(|| "cached".to_owned()));
        notes.extend(verdict.took_ms.map(took));
        let stage = names::stage(verdict.stage);
        (verdict.allowed, format!("{stage} {}: {}", notes.join(", "), verdict.reason))
    })
}

/// The facts, and the look-ups in caches.
pub(super) fn facts(detail: &RequestDetail, style: Style) -> Vec<String> {
    let mut lines =
        part("facts", &detail.facts, style, |fact| (fact.error.is_none(), of_fact(fact)));
    if !detail.caches.is_empty() {
        let looks = detail
            .caches
            .iter()
            .map(|look| format!("{} {}", look.cache, if look.hit { "hit" } else { "miss" }));
        let looks = format!("caches: {}", looks.collect::<Vec<_>>().join(", "));
        if lines.is_empty() {
            lines.push(title("facts", style));
        }
        lines.extend(style.hanging("    ", &looks, Colour::Quiet));
    }
    lines
}

fn of_fact(fact: &Fact) -> String {
    let mut notes = Vec::new();
    notes.extend(fact.found.map(|found| match found {
        0 => "none found".to_owned(),
        1 => "1 item".to_owned(),
        several => format!("{several} items"),
    }));
    notes.extend(fact.read_units.map(|units| format!("{units} units")));
    notes.push(took(fact.took_ms));
    notes.extend(fact.error.clone());
    format!("{} {} {} ({})", fact.operation, fact.source, fact.key, notes.join(", "))
}

/// The work after the response.
pub(super) fn deferred(work: &[DeferredView], style: Style) -> Vec<String> {
    part("deferred work", work, style, |work| {
        let time = work.took_ms.map(|ms| format!(" ({})", took(ms))).unwrap_or_default();
        let failed = work.failed.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        (work.failed.is_none(), format!("{}{time}{failed}", work.what))
    })
}

/// The missing permissions.
pub(super) fn denied(permissions: &[PermissionView], style: Style) -> Vec<String> {
    let denied: Vec<_> = permissions.iter().filter(|permission| !permission.allowed).collect();
    part("missing permissions", &denied, style, |permission| {
        (false, format!("{} on {}", permission.action, permission.resource))
    })
}

/// A note if older detail is no longer in memory.
pub(super) fn dropped(detail: &RequestDetail, style: Style) -> Vec<String> {
    if detail.detail_dropped {
        let note =
            "Older detail of this request, such as bodies and calls, is no longer in memory.";
        style.hanging("", note, Colour::Quiet)
    } else {
        Vec::new()
    }
}

/// The title of a part.
pub(super) fn title(title: &str, style: Style) -> String {
    style.paint(Colour::Title, title)
}

/// A title and one entry for each item: whether it is good, and its text.
fn part<T>(
    name: &str,
    items: &[T],
    style: Style,
    entry: impl Fn(&T) -> (bool, String),
) -> Vec<String> {
    if items.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![title(name, style)];
    for item in items {
        let (is_good, text) = entry(item);
        let (sign, colour) = if is_good {
            (style.either("✓", "+"), Colour::Plain)
        } else {
            (style.either("✗", "x"), Colour::Bad)
        };
        lines.extend(style.hanging(&format!("  {sign} "), &text, colour));
    }
    lines
}
