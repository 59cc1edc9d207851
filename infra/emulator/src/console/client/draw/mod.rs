//! Drawings of requests and journeys as text. All functions are pure.

mod boxes;
mod commit;
mod journey;
pub(super) mod names;
mod sections;
pub(super) mod style;
#[cfg(test)]
mod tests;

use self::style::Style;
use super::why;
use crate::activity::view::{Journey, RequestDetail};

pub(super) use self::journey::journey;

/// A request with its boxes, its refusal, its commit and its journey.
pub(super) fn trace(detail: &RequestDetail, journey: &Journey, style: Style) -> String {
    let mut lines = request_lines(detail, Some(journey), style);
    lines.push(String::new());
    lines.extend(self::journey(journey, style));
    text(&lines)
}

/// A request as in [`trace`], without its journey. `journey` is for the reason of a failure.
#[cfg(feature = "mcp")]
pub(super) fn request(detail: &RequestDetail, journey: Option<&Journey>, style: Style) -> String {
    text(&request_lines(detail, journey, style))
}

fn request_lines(detail: &RequestDetail, journey: Option<&Journey>, style: Style) -> Vec<String> {
    let mut lines = sections::head(&detail.row, style);
    lines.push(String::new());
    lines.extend(boxes::boxes(&detail.stages, style));
    let reason = why::why(detail, journey);
    let parts = [
        sections::reason(&reason, style),
        sections::field_errors(&detail.field_errors, style),
        sections::verdicts(&detail.verdicts, style),
        sections::facts(detail, style),
        detail.commit.as_ref().map(|it| commit::commit(it, style)).unwrap_or_default(),
        sections::deferred(&detail.deferred, style),
        sections::denied(&detail.permissions, style),
        sections::dropped(detail, style),
    ];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        lines.push(String::new());
        lines.extend(part);
    }
    lines
}

/// Lines, each with its end.
fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}
