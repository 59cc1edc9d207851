//! The views, built from the records on request.

mod calls;
mod commit;
mod detail;
mod items;
mod journey;
mod nodes;
mod stages;

use std::collections::BTreeMap;

pub(super) use self::commit::history;
pub(super) use self::detail::{invocation, request};
pub(super) use self::items::key_of_plain;
pub(crate) use self::items::key_text;
pub(super) use self::journey::journey;
pub(super) use self::stages::stage_named;
use super::record::{Invocation, RequestRecord, ms};
use super::redaction::Redaction;
use super::view::{RequestFilter, RequestRow, Stage};

/// The rows of a page by default, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The row of a request, whose texts are not redacted yet. It is taken with the lock of the records,
/// and redacted without it.
pub(super) struct RawRow(RequestRow);

/// The requests that match: the rows of the page, and the number of all.
pub(super) fn requests(
    all: &BTreeMap<u64, RequestRecord>,
    invocations: &BTreeMap<u64, Invocation>,
    filter: &RequestFilter,
) -> (Vec<RawRow>, usize) {
    let limit = filter.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let text = filter.text.as_deref().map(str::to_lowercase);
    let matching = all.values().rev();
    let matching = matching.filter(|request| matches(request, filter, text.as_deref()));
    let matching = matching.map(|request| (request, invocation_of(request, invocations)));
    let matching = matching.filter(|(request, invocation)| {
        filter.refused_at.is_none_or(|stage| refused_at(request, *invocation) == Some(stage))
    });
    let (mut total, mut rows) = (0, Vec::new());
    for (request, invocation) in matching {
        total += 1;
        let is_older = filter.before.is_none_or(|before| request.number < before);
        if is_older && rows.len() < limit {
            rows.push(RawRow::of(request, invocation));
        }
    }
    (rows, total)
}

impl RawRow {
    pub(super) fn of(request: &RequestRecord, invocation: Option<&Invocation>) -> Self {
        Self(RequestRow {
            id: request.id.to_string(),
            number: request.number,
            request_id: request.request_id.as_deref().map(str::to_owned),
            at: request.at,
            api: request.api.clone(),
            method: request.method.clone(),
            path: request.target.clone(),
            route: request.route.clone(),
            function: request.function.clone(),
            status: request.status,
            code: request.code.clone(),
            took_ms: request.took.map(ms),
            caller: request.caller.clone(),
            client: request.client.clone(),
            cold_start: request.cold_start,
            replayed: request.replayed,
            refused_at: refused_at(request, invocation),
            attempts: request.attempts,
        })
    }

    pub(super) fn redacted(self, redaction: &Redaction) -> RequestRow {
        let Self(row) = self;
        RequestRow {
            request_id: row.request_id.map(|id| redaction.text(&id)),
            path: redaction.path(&row.path),
            code: row.code.map(|code| redaction.text(&code)),
            caller: row.caller.map(|caller| redaction.text(&caller)),
            client: redaction.text(&row.client),
            ..row
        }
    }
}

/// The function's invocation of a request.
pub(super) fn invocation_of<'a>(
    request: &RequestRecord,
    invocations: &'a BTreeMap<u64, Invocation>,
) -> Option<&'a Invocation> {
    invocations.get(&request.invocation?)
}

/// The stage that refused a request, or in which its function was interrupted.
fn refused_at(request: &RequestRecord, invocation: Option<&Invocation>) -> Option<Stage> {
    let interrupted = invocation.filter(|invocation| invocation.interrupted);
    request.refused_at.or_else(|| interrupted.map(stages::interrupted_at))
}

/// Whether a request matches a filter in all but its stage; `text` is in lower case.
fn matches(request: &RequestRecord, filter: &RequestFilter, text: Option<&str>) -> bool {
    let is_same = |wanted: &Option<String>, found: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
    };
    is_same(&filter.function, request.function.as_deref())
        && is_same(&filter.client, Some(&request.client))
        && filter.status.as_deref().is_none_or(|wanted| has_status(request.status, wanted))
        && text.is_none_or(|text| {
            let texts = [
                Some(request.method.as_str()),
                Some(request.target.as_str()),
                request.route.as_deref(),
                request.function.as_deref(),
                request.code.as_deref(),
                request.caller.as_deref(),
                request.request_id.as_deref(),
                Some(&*request.id),
            ];
            texts.into_iter().flatten().any(|found| found.to_lowercase().contains(text))
        })
}

fn has_status(status: Option<u16>, wanted: &str) -> bool {
    let Some(status) = status else { return false };
    match wanted.strip_suffix("xx") {
        Some(class) => class.parse() == Ok(status / 100),
        None => wanted.parse() == Ok(status),
    }
}
