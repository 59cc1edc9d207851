//! The hooks of the event sources and the stand-ins.

use std::time::Duration;

use jiff::Timestamp;

use super::cause::{Cause, StreamItem};
use super::handle::Activity;
use super::limits::DELIVERIES_MAX;
use super::record::{DeliveryRecord, MessageRecord, ReaderState, Root, RowRecord, UpstreamRecord};
use super::store::Store;

/// A reader of a table's stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableReader<'a> {
    /// The table's logical id.
    pub(crate) table: &'a str,
    /// The name of the event source.
    pub(crate) reader: &'a str,
}

/// The next delivery of a batch that failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retry<'a> {
    pub(crate) error: &'a str,
    pub(crate) after: Duration,
    /// Whether the batch is delivered in halves.
    pub(crate) bisected: bool,
}

/// A request that a stand-in received.
pub(crate) struct UpstreamCall<'a> {
    pub(crate) service: &'static str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) request_id: Option<&'a str>,
}

impl Activity {
    /// Messages were processed. They are deleted next.
    pub(crate) fn messages_succeeded(&self, ids: &[&str]) {
        let now = self.now();
        self.record(|store| {
            for id in ids {
                store.end_delivery(id, now, true, None);
            }
        });
    }

    /// Messages were not processed. They are visible again after their visibility timeout, or move to
    /// the dead-letter queue.
    pub(crate) fn messages_failed(&self, queue: &str, ids: &[&str], error: &str) {
        let now = self.now();
        self.record(|store| {
            let dead_letters = store.queues.get(queue).and_then(|it| it.dead_letters.clone());
            for id in ids {
                let receives = store.end_delivery(id, now, false, Some(error));
                let is_last = dead_letters.as_ref().filter(|(_, receives_max)| {
                    receives.is_some_and(|receives| receives >= *receives_max)
                });
                if let Some((dead_letter_queue, _)) = is_last
                    && let Some(message) = store.message_mut(id)
                {
                    message.dead_letter_queue = Some(dead_letter_queue.clone());
                }
            }
        });
    }

    /// Messages were deleted: after success, or because no filter matches.
    pub(crate) fn messages_deleted(&self, ids: &[&str]) {
        let now = self.now();
        self.record(|store| {
            for id in ids {
                store.message_deleted(id, now);
            }
        });
    }

    /// A reader of a stream exists.
    pub(crate) fn reader_added(&self, to: TableReader<'_>) {
        self.record(|store| {
            let readers = store.readers.entry(to.table.to_owned()).or_default();
            readers.insert(to.reader.to_owned());
        });
    }

    /// Records match no filter of a reader.
    pub(crate) fn rows_filtered(&self, by: TableReader<'_>, items: &[StreamItem]) {
        self.settle_rows(by, items, |state, _| {
            state.is_filtered = true;
            state.is_done = true;
        });
    }

    /// Records were processed.
    pub(crate) fn rows_succeeded(&self, by: TableReader<'_>, items: &[StreamItem]) {
        self.settle_rows(by, items, |state, now| {
            state.is_done = true;
            state.next_try_at = None;
            end(&mut state.deliveries, now, true, None);
        });
    }

    /// Records were not processed, and are delivered again.
    pub(crate) fn rows_failed(&self, by: TableReader<'_>, items: &[StreamItem], next: Retry<'_>) {
        let halves = if next.bisected { "; the batch is delivered in halves" } else { "" };
        let error = format!("{}{halves}", next.error);
        self.settle_rows(by, items, |state, now| {
            end(&mut state.deliveries, now, false, Some(&error));
            state.next_try_at = Some(now + next.after);
        });
    }

    /// Records are not delivered any more.
    pub(crate) fn rows_given_up(&self, by: TableReader<'_>, items: &[StreamItem], condition: &str) {
        self.settle_rows(by, items, |state, _| {
            state.is_done = true;
            state.next_try_at = None;
            state.gave_up = Some(condition.to_owned());
        });
    }

    /// A stand-in received a request. Returns its number.
    pub(crate) fn upstream_called(&self, call: &UpstreamCall<'_>) -> u64 {
        let at = self.now();
        self.record(|store| {
            let number = store.next_number();
            store.upstreams.push_back(UpstreamRecord {
                number,
                service: call.service,
                method: call.method.to_owned(),
                path: call.path.to_owned(),
                request_id: call.request_id.map(str::to_owned),
                at,
                took: None,
                status: None,
            });
            store.changed_upstream(call.request_id);
            number
        })
    }

    /// A stand-in responded, or closed the connection: then there is no status.
    pub(crate) fn upstream_answered(&self, number: u64, took: Duration, status: Option<u16>) {
        self.record(|store| {
            let found = store.upstreams.iter_mut().rev().find(|it| it.number == number);
            let Some(upstream) = found else { return };
            upstream.took = Some(took);
            upstream.status = status;
            let request_id = upstream.request_id.clone();
            store.changed_upstream(request_id.as_deref());
        });
    }

    fn settle_rows(
        &self,
        by: TableReader<'_>,
        items: &[StreamItem],
        settle: impl Fn(&mut ReaderState, Timestamp),
    ) {
        let now = self.now();
        self.record(|store| {
            for item in items {
                let number = store.row(by.table, item);
                let Some(row) = store.rows.get_mut(&number) else { continue };
                settle(row.readers.entry(by.reader.to_owned()).or_default(), now);
                let roots = row.roots.clone();
                store.changed_journeys(&roots);
            }
        });
    }
}

/// Ends the latest delivery.
fn end(deliveries: &mut [DeliveryRecord], now: Timestamp, succeeded: bool, error: Option<&str>) {
    if let Some(delivery) = deliveries.last_mut().filter(|it| it.succeeded.is_none()) {
        delivery.ended_at = Some(now);
        delivery.succeeded = Some(succeeded);
        // The function may have reported the reason itself.
        delivery.error = delivery.error.take().or_else(|| error.map(str::to_owned));
    }
}

fn push(deliveries: &mut Vec<DeliveryRecord>, at: Timestamp, invocation: u64) {
    // A delivery without a result was refused, for example because the function was throttled.
    end(deliveries, at, false, Some("it was delivered again"));
    if deliveries.len() == DELIVERIES_MAX {
        // The first one stays: it ends the waiting.
        deliveries.remove(1);
    }
    let invocation = Some(invocation);
    deliveries.push(DeliveryRecord {
        at,
        invocation,
        ended_at: None,
        succeeded: None,
        error: None,
    });
}

impl Store {
    pub(super) fn message_mut(&mut self, id: &str) -> Option<&mut MessageRecord> {
        let number = self.by_message.get(id)?;
        self.messages.get_mut(number)
    }

    /// Notes that an invocation gets its messages or records.
    pub(super) fn delivery_begins(&mut self, cause: &Cause, invocation: u64, at: Timestamp) {
        match cause {
            Cause::Messages { queue, messages } => {
                let timeout = self.queues.get(queue).map(|it| it.visibility_timeout);
                for (id, receives) in messages {
                    let Some(message) = self.message_mut(id) else { continue };
                    message.receives = *receives;
                    message.queue.clone_from(queue);
                    message.dead_letter_queue = None;
                    message.visible_at = timeout.map(|timeout| at + timeout);
                    push(&mut message.deliveries, at, invocation);
                    if message.roots.is_empty() {
                        message.roots.push(Root::Invocation(invocation));
                    }
                }
            }
            Cause::Records { table, reader, records } => {
                for item in records {
                    let number = self.row(table, item);
                    let Some(row) = self.rows.get_mut(&number) else { continue };
                    let state = row.readers.entry(reader.clone()).or_default();
                    state.next_try_at = None;
                    push(&mut state.deliveries, at, invocation);
                    if row.roots.is_empty() {
                        row.roots.push(Root::Invocation(invocation));
                    }
                }
            }
            _ => {}
        }
    }

    /// The roots of messages. Unknown messages are noted.
    pub(super) fn roots_of_messages(
        &mut self,
        queue: &str,
        messages: &[(String, u32)],
        at: Timestamp,
    ) -> Vec<Root> {
        let mut roots = Vec::new();
        for (id, _) in messages {
            if let Some(message) = self.message_mut(id) {
                roots.extend_from_slice(&message.roots);
                continue;
            }
            self.add_message(MessageRecord {
                id: id.as_str().into(),
                queue: queue.to_owned(),
                sent_by: None,
                roots: Vec::new(),
                sent_at: at,
                visible_at: None,
                event_type: None,
                receives: 0,
                deliveries: Vec::new(),
                deleted_at: None,
                dead_letter_queue: None,
            });
        }
        roots
    }

    /// The roots of stream records. Unknown records are noted.
    pub(super) fn roots_of_rows(&mut self, table: &str, records: &[StreamItem]) -> Vec<Root> {
        let mut roots = Vec::new();
        for item in records {
            let number = self.row(table, item);
            if let Some(row) = self.rows.get(&number) {
                roots.extend_from_slice(&row.roots);
            }
        }
        roots
    }

    /// The number of a stream record. A new one is linked to the write that made it.
    fn row(&mut self, table: &str, item: &StreamItem) -> u64 {
        let at = (table.to_owned(), item.number.clone());
        if let Some(number) = self.by_row.get(&at) {
            return *number;
        }
        let number = self.add_row(RowRecord {
            table: at.0,
            sequence: at.1,
            key: item.key.clone(),
            event: item.event.clone(),
            created_s: item.created_s,
            written_by: None,
            roots: Vec::new(),
            readers: std::collections::BTreeMap::new(),
        });
        self.link(number);
        number
    }

    /// Links a stream record to the first write of its item that fits and has no record yet. The
    /// records of an item are in the order of its writes, and have only whole seconds.
    fn link(&mut self, number: u64) {
        let Some(row) = self.rows.get(&number) else { return };
        let deletes = row.event == "REMOVE";
        let created_s = row.created_s;
        let Some(entries) = self.writes.get_mut(&(row.table.clone(), row.key.clone())) else {
            return;
        };
        let entry = entries.iter_mut().find(|entry| {
            entry.row.is_none()
                && !entry.failed
                && entry.deletes == deletes
                && entry.from_s <= created_s + 1
                && entry.until_s >= created_s - 1
        });
        let Some(entry) = entry else { return };
        entry.row = Some(number);
        let write = entry.write;
        let invocation = self.invocations.get(&write.invocation);
        let roots = invocation.map(|invocation| {
            let call = invocation.calls.get(write.call);
            let text = call.map(|call| call.body.clone()).unwrap_or_default();
            (invocation.roots.clone(), text)
        });
        let roots = roots.map(|(roots, text)| self.roots_by_text(&roots, &text));
        if let Some(row) = self.rows.get_mut(&number) {
            row.written_by = Some(write);
            row.roots = roots.unwrap_or_default();
        }
    }

    /// Ends the latest delivery of a message. Returns its number of receives.
    fn end_delivery(
        &mut self,
        id: &str,
        now: Timestamp,
        succeeded: bool,
        error: Option<&str>,
    ) -> Option<u32> {
        let message = self.message_mut(id)?;
        end(&mut message.deliveries, now, succeeded, error);
        let (roots, receives) = (message.roots.clone(), message.receives);
        self.changed_journeys(&roots);
        Some(receives)
    }

    pub(super) fn message_deleted(&mut self, id: &str, now: Timestamp) {
        let Some(message) = self.message_mut(id) else { return };
        message.deleted_at.get_or_insert(now);
        let roots = message.roots.clone();
        self.changed_journeys(&roots);
    }

    /// Notes the next time at which a message is visible.
    pub(super) fn hide(&mut self, id: &str, until: Timestamp) {
        let Some(message) = self.message_mut(id) else { return };
        message.visible_at = Some(until);
        let roots = message.roots.clone();
        self.changed_journeys(&roots);
    }

    fn changed_upstream(&mut self, request_id: Option<&str>) {
        let number = request_id.and_then(|id| self.by_request.get(id).copied());
        if let Some(number) = number {
            self.changed_journeys(&[Root::Request(number)]);
        }
    }
}
