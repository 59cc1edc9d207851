//! The list of requests, one line each.

use super::super::draw::names;
use super::super::draw::style::{Style, took};
use crate::activity::view::{RequestPage, RequestRow};

/// A line for each request of a page, and the numbers of requests that are not shown.
pub(super) fn page(page: &RequestPage, style: Style) -> String {
    let mut lines: Vec<String> = page.requests.iter().map(|row| line(row, style)).collect();
    if lines.is_empty() {
        lines.push("no request matches".to_owned());
    }
    let more = page.total.saturating_sub(page.requests.len());
    if let Some(last) = page.requests.last().filter(|_| more > 0) {
        lines.push(format!("{more} more match; continue with before = {}", last.number));
    }
    if page.dropped > 0 {
        lines.push(format!("{} older requests are no longer in memory", page.dropped));
    }
    lines.join("\n")
}

/// A request in a line: time, status, method and path, code, duration, caller and id.
fn line(row: &RequestRow, style: Style) -> String {
    let status = row.status.map_or_else(|| "runs".to_owned(), |status| status.to_string());
    let mut parts = vec![
        row.at.strftime("%H:%M:%SZ").to_string(),
        status,
        format!("{} {}", row.method, row.path),
    ];
    parts.extend(row.code.clone());
    parts.extend(row.refused_at.map(|it| format!("refused at {}", names::stage(it))));
    parts.extend(row.took_ms.map(took));
    parts.extend(row.caller.as_ref().map(|caller| format!("caller {caller}")));
    parts.extend(row.cold_start.then(|| "cold start".to_owned()));
    parts.extend(row.replayed.then(|| "replayed".to_owned()));
    parts.push(format!("id {}", row.id));
    let parts: Vec<_> = parts.iter().map(|part| style.clean(part)).collect();
    parts.join("  ")
}
