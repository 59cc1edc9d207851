//! The hooks of the functions, and the records of the lifecycle.

use std::sync::Arc;
use std::time::Instant;

use super::build::stage_named;
use super::cause::Cause;
use super::handle::Activity;
use super::limits::{LINE_BYTES_MAX, LINES_MAX, OVERHEAD, RECORDS_MAX};
use super::record::{Inspected, Invocation, LineRecord, Root};
use super::reported::{Ended, Line, Progress};
use super::store::Store;

impl Activity {
    /// An invocation waits for an environment.
    pub(crate) fn invocation_queued(&self, id: &str, function: &str, cause: Cause) {
        let (queued_at, queued) = (self.now(), Instant::now());
        let (id, function): (Arc<str>, Arc<str>) = (id.into(), function.into());
        self.record(|store| {
            let (number, order) = (store.next_number(), store.next_number());
            let roots = store.roots_of(&cause, number, queued_at);
            match &cause {
                Cause::Request(request) => {
                    if let Some(request) = store.request_mut(request) {
                        request.invocation = Some(number);
                    }
                }
                Cause::Authorizer(request) => {
                    if let Some(request) = store.request_mut(request) {
                        request.authorizer = Some(number);
                    }
                }
                _ => store.delivery_begins(&cause, number, queued_at),
            }
            store.add_invocation(Invocation {
                number,
                order,
                id,
                function,
                cause,
                roots,
                environment: None,
                cold_start: false,
                queued_at,
                queued,
                taken: None,
                answered: None,
                freed: None,
                error: None,
                interrupted: false,
                sent: Vec::new(),
                calls: Vec::new(),
                lines: Vec::new(),
                inspected: Inspected::default(),
                bytes: OVERHEAD,
                dropped: false,
            });
            store.changed_invocation(number);
        });
    }

    /// An environment takes an invocation.
    pub(crate) fn invocation_taken(&self, id: &str, environment: &str, cold_start: bool) {
        let taken = Instant::now();
        let environment: Arc<str> = environment.into();
        self.record(|store| {
            let Some(invocation) = store.invocation_mut(id) else { return };
            invocation.environment = Some(Arc::clone(&environment));
            invocation.cold_start = cold_start;
            invocation.taken = Some(taken);
            let (number, request) = (invocation.number, invocation.cause.request());
            let place = store.environments.entry(environment).or_default();
            place.running.push(number);
            place.last = Some(number);
            let early = std::mem::take(&mut place.early);
            let bytes = early.iter().map(super::record::CallRecord::size).sum();
            store.detail_invocation(number, bytes, |invocation| invocation.calls.extend(early));
            if let Some(request) = request.and_then(|id| store.request_mut(&id)) {
                request.cold_start = cold_start;
            }
            store.changed_invocation(number);
        });
    }

    /// A function's response was posted, or its error. Only the first end of an invocation counts.
    pub(crate) fn invocation_ended(&self, id: &str, error: Option<String>) {
        let ended = Instant::now();
        self.record(|store| {
            let Some(invocation) = store.invocation_mut(id) else { return };
            if invocation.answered.is_none() {
                invocation.answered = Some(ended);
                invocation.error = error;
            }
            let number = invocation.number;
            store.changed_invocation(number);
        });
    }

    /// An invocation was ended before it could respond: it was too slow.
    pub(crate) fn invocation_interrupted(&self, id: &str, error: &str) {
        self.record(|store| {
            if let Some(invocation) = store.invocation_mut(id) {
                invocation.interrupted |= invocation.answered.is_none();
            }
        });
        self.invocation_ended(id, Some(error.to_owned()));
    }

    /// An environment that serves several invocations has finished one.
    pub(crate) fn invocation_freed(&self, id: &str, environment: &str) {
        self.free(environment, Some(id));
    }

    /// An environment has finished all its invocations and waits for the next one.
    pub(crate) fn environment_free(&self, environment: &str) {
        self.free(environment, None);
    }

    /// A fault killed an environment's process.
    pub(crate) fn environment_killed(&self, environment: &str) {
        self.record(|store| {
            if let Some(place) = store.environments.get_mut(environment) {
                place.killed = true;
            }
        });
    }

    /// The process of an environment has ended.
    pub(crate) fn environment_ended(&self, environment: &str, how: &str) {
        let ended = Instant::now();
        self.record(|store| {
            let Some(place) = store.environments.remove(environment) else { return };
            let killed = if place.killed { "killed by a fault: " } else { "" };
            for number in place.running {
                if let Some(invocation) = store.invocations.get_mut(&number) {
                    if invocation.answered.is_none() {
                        invocation.answered = Some(ended);
                        invocation.interrupted = true;
                        invocation.error = Some(format!("{killed}{how}"));
                    }
                    invocation.freed.get_or_insert(ended);
                }
                store.changed_invocation(number);
            }
        });
    }

    /// A log line of an environment: of its latest invocation.
    pub(crate) fn line(&self, environment: &str, is_platform: bool, text: &str) {
        let at = self.now();
        let end = text.floor_char_boundary(LINE_BYTES_MAX);
        let text = text[..end].to_owned();
        self.record(|store| {
            let Some(number) = store.latest_of(environment) else { return };
            let has_room =
                store.invocations.get(&number).is_some_and(|it| it.lines.len() < LINES_MAX);
            if has_room {
                let line = LineRecord { at, is_platform, text };
                let bytes = OVERHEAD + line.text.len();
                store.detail_invocation(number, bytes, |invocation| invocation.lines.push(line));
            }
        });
    }

    /// A record of the lifecycle, with its size on the wire.
    pub(super) fn inspected(&self, line: Line, bytes: usize) {
        self.record(|store| {
            let bytes = OVERHEAD + bytes;
            match line {
                Line::Begun { invocation, request_id, method, route } => {
                    let Some(number) = store.by_invocation.get(invocation.as_str()).copied() else {
                        return;
                    };
                    let route =
                        method.zip(route).map(|(method, route)| format!("{method} {route}"));
                    store.detail_invocation(number, bytes, |it| it.inspected.route = route);
                    if let Some(request_id) = request_id {
                        store.name_invocation(number, &request_id);
                    }
                    store.changed_invocation(number);
                }
                Line::Reached { invocation, progress } => {
                    store.progressed(&invocation, bytes, progress, None);
                }
                Line::Ended { invocation, progress, ended } => {
                    store.progressed(&invocation, bytes, progress, Some(ended));
                }
                Line::Deferred { invocation, work } => {
                    let number = store.by_invocation.get(invocation.as_str()).copied();
                    let Some(number) = number else { return };
                    store.detail_invocation(number, bytes, |invocation| {
                        let known = &mut invocation.inspected.deferred;
                        known.extend(work);
                        known.truncate(RECORDS_MAX);
                    });
                    store.changed_invocation(number);
                }
                Line::Record { invocation, record } => {
                    let number = store.by_invocation.get(invocation.as_str()).copied();
                    let Some(number) = number else { return };
                    let has_room = store
                        .invocations
                        .get(&number)
                        .is_some_and(|it| it.inspected.records.len() < RECORDS_MAX);
                    if let (Some(error), Some(id)) = (record.problem(), &record.message_id)
                        && let Some(message) = store.message_mut(id)
                        && let Some(delivery) = message.deliveries.last_mut()
                    {
                        delivery.error = Some(error);
                    }
                    if has_room {
                        store.detail_invocation(number, bytes, |invocation| {
                            invocation.inspected.records.push(record);
                        });
                    }
                    store.changed_invocation(number);
                }
                Line::Unknown => {}
            }
        });
    }

    fn free(&self, environment: &str, id: Option<&str>) {
        let freed = Instant::now();
        self.record(|store| {
            let only = id.and_then(|id| store.by_invocation.get(id).copied());
            let Some(place) = store.environments.get_mut(environment) else { return };
            let is_meant = |number: &u64| id.is_none() || only == Some(*number);
            let done: Vec<u64> = place.running.iter().copied().filter(is_meant).collect();
            place.running.retain(|number| !done.contains(number));
            for number in done {
                if let Some(invocation) = store.invocations.get_mut(&number) {
                    invocation.freed.get_or_insert(freed);
                }
                store.changed_invocation(number);
            }
        });
    }
}

impl Store {
    /// The number of the invocation to which an environment's events belong: the latest that it
    /// took. An environment that serves several at once cannot be asked which of them it is.
    pub(super) fn latest_of(&self, environment: &str) -> Option<u64> {
        let place = self.environments.get(environment)?;
        place.running.last().copied().or(place.last)
    }

    /// Notes the request id of an invocation, and of its request.
    fn name_invocation(&mut self, number: u64, request_id: &str) {
        let Some(invocation) = self.invocations.get_mut(&number) else { return };
        invocation.inspected.request_id = Some(request_id.into());
        if let Some(id) = invocation.cause.request()
            && let Some(request) = self.by_request.get(&id).copied()
        {
            self.name_request(request, request_id);
        }
    }

    fn progressed(&mut self, id: &str, bytes: usize, progress: Progress, ended: Option<Ended>) {
        let Some(invocation) = self.invocation_mut(id) else { return };
        let (number, request) = (invocation.number, invocation.cause.request());
        if let Some(request) = request.and_then(|id| self.request_mut(&id)) {
            request.attempts = progress.attempts;
            if progress.caller.is_some() {
                request.caller.clone_from(&progress.caller);
            }
            if let Some(ended) = &ended {
                request.replayed = ended.replayed;
                if ended.code.is_some() {
                    request.code.clone_from(&ended.code);
                }
                let failed =
                    ended.status.is_some_and(|status| status >= 500) || ended.error.is_some();
                let last = progress.stages.last().filter(|_| failed);
                let at = ended.refused_at.as_deref().or(last.map(|(name, ..)| name.as_str()));
                // The gateway may have refused the response before this report was read.
                if request.refusal.is_none() {
                    request.refused_at = at.and_then(stage_named);
                }
            }
        }
        self.detail_invocation(number, bytes, |invocation| {
            invocation.inspected.progress = Some(progress);
            if ended.is_some() {
                invocation.inspected.ended = ended;
            }
        });
        self.changed_invocation(number);
    }

    /// The roots of an invocation, by its causes. Without one, it is a root itself.
    fn roots_of(&mut self, cause: &Cause, number: u64, at: jiff::Timestamp) -> Vec<Root> {
        let mut roots = match cause {
            Cause::Request(id) | Cause::Authorizer(id) => {
                let request = self.by_request.get(id).copied();
                request.map(Root::Request).into_iter().collect()
            }
            Cause::Messages { queue, messages } => self.roots_of_messages(queue, messages, at),
            Cause::Records { table, records, .. } => self.roots_of_rows(table, records),
            _ => Vec::new(),
        };
        let mut known = std::collections::HashSet::new();
        roots.retain(|root| known.insert(*root));
        if roots.is_empty() {
            roots.push(Root::Invocation(number));
        }
        roots
    }
}
