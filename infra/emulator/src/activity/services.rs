//! The hooks of the services: calls, and the messages that they send, hide and delete.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use sam_template::Queue;

use super::cause::StreamItem;
use super::compact::compact_body;
use super::handle::Activity;
use super::limits::{AGGREGATES_MAX, CALLS_MAX, INIT_BYTES_MAX, INIT_CALLS_MAX, INVOCATIONS_MAX};
use super::record::{Accesses, CallRecord, KeyOfWrite, MessageRecord, Root, WriteRef};
use super::sent::{EnvelopeHead, Named, Naming, Sent};
use super::store::{QueueFacts, Store, WriteEntry};

/// A call that begins.
pub(crate) struct CallStart {
    /// The execution environment that makes it.
    pub(crate) environment: String,
    pub(crate) service: &'static str,
    pub(crate) operation: String,
    /// The resources by logical id.
    pub(crate) resources: Vec<String>,
    pub(crate) accesses: Arc<dyn Accesses>,
    pub(crate) body: Bytes,
    /// The items that it writes to, in the order of its body.
    pub(crate) writes: Vec<KeyOfWrite>,
}

/// A call whose end is still to be recorded.
#[derive(Debug)]
pub(crate) struct OpenCall(Place);

#[derive(Debug)]
enum Place {
    /// Of an invocation, by its number and the place of the call; with its body, if that names
    /// messages or a mail.
    Of { invocation: u64, call: usize, naming: Option<(Naming, Bytes)> },
    /// Of an environment that has no invocation yet.
    Early { environment: String, call: Box<CallRecord> },
    /// Without a caller, or left out.
    Ignored,
}

/// The end of a call.
pub(crate) struct CallEnd {
    pub(crate) status: u16,
    pub(crate) response: Bytes,
    /// The actions that the policy denied, with their resources.
    pub(crate) denials: Vec<(String, String)>,
    /// The fault that was injected.
    pub(crate) fault: Option<String>,
    /// The read and the write units.
    pub(crate) units: Option<(f64, f64)>,
}

impl OpenCall {
    /// A call that is not recorded.
    pub(crate) fn ignored() -> Self {
        Self(Place::Ignored)
    }
}

impl Activity {
    /// The queues of the template.
    pub(crate) fn set_queues(&self, queues: &BTreeMap<String, Queue>) {
        let facts = |queue: &Queue| QueueFacts {
            visibility_timeout: queue.visibility_timeout,
            dead_letters: queue
                .redrive
                .as_ref()
                .map(|it| (it.dead_letter_queue.clone(), it.max_receive_count)),
        };
        let queues = queues.iter().map(|(id, queue)| (id.clone(), facts(queue))).collect();
        self.record(|store| store.queues = queues);
    }

    /// A function's call begins.
    pub(crate) fn call_begins(&self, start: CallStart) -> OpenCall {
        let (at, began) = (self.now(), Instant::now());
        if start.service == "ses" {
            self.redaction().see_mail(&start.body);
        }
        let body = compact_body(&start.body);
        let naming = Naming::of(start.service, &start.operation);
        let naming = naming.map(|naming| (naming, body.clone()));
        let environment = start.environment;
        let mut call = CallRecord {
            service: start.service,
            operation: start.operation,
            resources: start.resources,
            accesses: start.accesses,
            denials: Vec::new(),
            fault: None,
            body,
            response: Bytes::new(),
            status: 0,
            at,
            began,
            ended: None,
            units: None,
            deferred: false,
            writes: start.writes,
        };
        self.record(|store| {
            let Some(number) = store.latest_of(&environment) else {
                let call = Box::new(call);
                return OpenCall(Place::Early { environment, call });
            };
            let Some(invocation) = store.invocations.get(&number) else {
                return OpenCall(Place::Ignored);
            };
            if invocation.dropped || invocation.calls.len() == CALLS_MAX {
                return OpenCall(Place::Ignored);
            }
            call.deferred = invocation.answered.is_some();
            let place = invocation.calls.len();
            store.index_writes(number, place, &call);
            store.detail_invocation(number, call.size(), |invocation| invocation.calls.push(call));
            store.changed_invocation(number);
            OpenCall(Place::Of { invocation: number, call: place, naming })
        })
    }

    /// A call ends. Only its first end counts.
    pub(crate) fn call_ends(&self, open: &mut OpenCall, end: CallEnd) {
        let (now, ended) = (self.now(), Instant::now());
        match std::mem::replace(&mut open.0, Place::Ignored) {
            Place::Of { invocation, call, naming } => {
                let naming = naming.filter(|_| (200..300).contains(&end.status));
                let named = match &naming {
                    Some((naming, body)) => naming.named(body, &end.response),
                    None => Named::Nothing,
                };
                self.record(|store| {
                    if store.end_call(invocation, call, end, (now, ended)) {
                        store.note_named(invocation, call, named, now);
                        store.changed_invocation(invocation);
                    }
                });
            }
            Place::Early { environment, mut call } => {
                finish(&mut call, end, ended);
                self.record(|store| store.end_early(&environment, *call));
            }
            Place::Ignored => {}
        }
    }

    /// The platform sent a message because of an invocation's effects, or by hand.
    pub(crate) fn message_sent(&self, queue: &str, id: &str, body: &str, roots: SentBecause<'_>) {
        let now = self.now();
        let sent = Sent::new(id.to_owned(), Cow::Borrowed(body), Duration::ZERO);
        self.record(|store| {
            let roots = match roots {
                SentBecause::ByHand => Vec::new(),
                SentBecause::OfRows(table, records) => store.roots_of_rows(table, records),
                SentBecause::OfMessage(id) => {
                    store.message_mut(id).map(|message| message.roots.clone()).unwrap_or_default()
                }
            };
            store.add_sent(queue, None, &roots, sent, now);
        });
    }
}

/// The reason why the platform itself sends a message.
pub(crate) enum SentBecause<'a> {
    /// A person or a test.
    ByHand,
    /// Stream records of a table were given up.
    OfRows(&'a str, &'a [StreamItem]),
    /// The dead letter with this id was redriven.
    OfMessage(&'a str),
}

fn finish(call: &mut CallRecord, end: CallEnd, ended: Instant) {
    call.status = end.status;
    call.response = end.response;
    call.denials = end.denials;
    call.fault = end.fault;
    call.units = end.units;
    call.ended = Some(ended);
}

impl Store {
    /// Notes the end of a call. Returns whether the call is still in memory.
    fn end_call(
        &mut self,
        number: u64,
        place: usize,
        end: CallEnd,
        (now, ended): (Timestamp, Instant),
    ) -> bool {
        let size = end.response.len();
        self.detail_invocation(number, size, |invocation| {
            if let Some(call) = invocation.calls.get_mut(place) {
                finish(call, end, ended);
            }
        });
        let invocation = self.invocations.get(&number);
        let Some(call) = invocation.and_then(|it| it.calls.get(place)) else { return false };
        for (index, written) in call.writes.iter().enumerate() {
            let at = (written.table.clone(), written.key.clone());
            let write = WriteRef { invocation: number, call: place, place: index };
            let entries = self.writes.get_mut(&at).into_iter().flatten();
            for entry in entries.filter(|entry| entry.write == write) {
                entry.until_s = now.as_second();
                entry.failed = !call.succeeded();
            }
        }
        true
    }

    /// Notes the messages or the mail that a call named.
    fn note_named(&mut self, number: u64, place: usize, named: Named<'_>, now: Timestamp) {
        match named {
            Named::Nothing => {}
            Named::Sent(sent) => {
                let Some(invocation) = self.invocations.get(&number) else { return };
                let queue = invocation.calls.get(place).and_then(|call| call.resources.first());
                let (queue, roots) = (queue.cloned().unwrap_or_default(), invocation.roots.clone());
                for sent in sent {
                    self.add_sent(&queue, Some(number), &roots, sent, now);
                }
            }
            Named::Hidden(hidden) => {
                for (id, timeout) in hidden {
                    self.hide(&id, now + timeout);
                }
            }
            Named::Deleted(ids) => ids.iter().for_each(|id| self.message_deleted(id, now)),
            Named::Mailed(id) => self.mails.push_back((id, number, place)),
        }
    }

    /// Keeps a call that was made before the environment's first invocation.
    fn end_early(&mut self, environment: &str, mut call: CallRecord) {
        if let Some(number) = self.latest_of(environment) {
            let size = call.size();
            let has_room =
                self.invocations.get(&number).is_some_and(|it| it.calls.len() < CALLS_MAX);
            if has_room {
                self.detail_invocation(number, size, |invocation| invocation.calls.push(call));
            }
            return;
        }
        if !self.environments.contains_key(environment)
            && self.environments.len() >= INVOCATIONS_MAX
        {
            return;
        }
        for body in [&mut call.body, &mut call.response] {
            if body.len() > INIT_BYTES_MAX {
                *body = Bytes::new();
            }
        }
        let place = self.environments.entry(environment.into()).or_default();
        if place.early.len() < INIT_CALLS_MAX {
            place.early.push(call);
        }
    }

    /// Notes the writes of a call that begins: a reader of the stream may be faster than the
    /// response.
    fn index_writes(&mut self, invocation: u64, call: usize, record: &CallRecord) {
        for (place, write) in record.writes.iter().enumerate() {
            let entry = WriteEntry {
                write: WriteRef { invocation, call, place },
                from_s: record.at.as_second(),
                until_s: i64::MAX,
                deletes: write.deletes,
                row: None,
                failed: false,
            };
            let at = (write.table.clone(), write.key.clone());
            self.writes.entry(at).or_default().push(entry);
        }
    }

    /// Notes a message that was sent. It may have been received already.
    pub(super) fn add_sent(
        &mut self,
        queue: &str,
        sent_by: Option<u64>,
        roots: &[Root],
        sent: Sent<'_>,
        now: Timestamp,
    ) {
        let Sent { id, body, delay, head } = sent;
        let sender = sent_by.and_then(|sender| self.invocations.get(&sender));
        let cause = sender.map(|sender| &sender.cause);
        let roots = self.roots_by_text(roots, cause, body.as_bytes());
        let roots = self.with_origin(roots, &head);
        let known = self.by_message.get(id.as_str()).copied();
        let number = known.unwrap_or_else(|| {
            let visible_at = (!delay.is_zero()).then(|| now + delay);
            self.add_message(MessageRecord {
                id: id.as_str().into(),
                queue: queue.to_owned(),
                sent_by: None,
                roots: Vec::new(),
                sent_at: now,
                visible_at,
                event_type: None,
                event_id: None,
                receives: 0,
                deliveries: Vec::new(),
                deleted_at: None,
                dead_letter_queue: None,
            })
        });
        let Some(message) = self.messages.get_mut(&number) else { return };
        message.event_type = head.event_type;
        message.event_id = head.event_id;
        if message.sent_by.is_none() {
            message.sent_by = sent_by;
            if !roots.is_empty() {
                message.roots.clone_from(&roots);
            }
            let receivers: Vec<u64> =
                message.deliveries.iter().filter_map(|delivery| delivery.invocation).collect();
            for receiver in receivers {
                self.reroot(receiver, &roots);
            }
        }
        if let Some(sender) = sent_by
            && let Some(invocation) = self.invocations.get_mut(&sender)
            && !invocation.sent.contains(&number)
        {
            invocation.sent.push(number);
        }
        self.changed_journeys(&roots);
    }

    /// The roots of an event, with the request that it goes back to, if a schedule sends it: the
    /// request that it names, or else the first one that sent an event about the same aggregate. So
    /// the time-out of an order belongs to the journey of its `POST`.
    fn with_origin(&mut self, mut roots: Vec<Root>, head: &EnvelopeHead) -> Vec<Root> {
        let request = roots.iter().find_map(|root| match root {
            Root::Request(number) => Some(*number),
            Root::Invocation(_) => None,
        });
        let Some(request) = request else {
            let named = head.request_id.as_deref().and_then(|id| self.by_request.get(id));
            let about = head.aggregate_id.as_deref().and_then(|id| self.aggregates.get(id));
            let origin = named.or(about).filter(|number| self.requests.contains_key(*number));
            roots.extend(origin.map(|number| Root::Request(*number)));
            return roots;
        };
        if let Some(aggregate) = &head.aggregate_id {
            self.note_aggregate(aggregate, request);
        }
        roots
    }

    /// Notes the request that sent an event about an aggregate, unless an earlier one is known.
    fn note_aggregate(&mut self, aggregate: &str, request: u64) {
        let first = self.aggregates.get(aggregate);
        if first.is_some_and(|first| self.requests.contains_key(first)) {
            return;
        }
        if self.aggregates.len() >= AGGREGATES_MAX {
            self.aggregates.retain(|_, number| self.requests.contains_key(&*number));
            if self.aggregates.len() > AGGREGATES_MAX / 2 {
                self.aggregates.clear();
            }
        }
        self.aggregates.insert(aggregate.to_owned(), request);
    }

    /// Corrects the roots of an invocation that began before its cause was known.
    fn reroot(&mut self, number: u64, roots: &[Root]) {
        let Some(invocation) = self.invocations.get_mut(&number) else { return };
        if roots.is_empty() || !invocation.roots.contains(&Root::Invocation(number)) {
            return;
        }
        invocation.roots.retain(|root| *root != Root::Invocation(number));
        for root in roots {
            if !invocation.roots.contains(root) {
                invocation.roots.push(*root);
            }
        }
    }
}
