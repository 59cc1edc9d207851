//! The records in memory, their indexes and their limits.
//!
//! Every method is synchronous and short; [`Activity`](super::Activity) has the lock.

mod find;
mod news;
mod way;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

pub use self::news::Change;
pub(super) use self::news::News;
use super::limits::{
    BYTES_MAX, INVOCATIONS_MAX, MAILS_MAX, MESSAGES_MAX, REQUESTS_MAX, ROWS_MAX, UPSTREAMS_MAX,
};
use super::record::{
    CallRecord, Inspected, Invocation, MessageRecord, RequestRecord, Root, RowRecord,
    UpstreamRecord, WriteRef,
};

/// All records.
#[derive(Default)]
pub(super) struct Store {
    pub(super) requests: BTreeMap<u64, RequestRecord>,
    /// The numbers of requests, by id and by request id.
    pub(super) by_request: HashMap<Arc<str>, u64>,
    pub(super) invocations: BTreeMap<u64, Invocation>,
    pub(super) by_invocation: HashMap<Arc<str>, u64>,
    pub(super) environments: HashMap<Arc<str>, EnvironmentRecord>,
    pub(super) messages: BTreeMap<u64, MessageRecord>,
    pub(super) by_message: HashMap<Arc<str>, u64>,
    pub(super) rows: BTreeMap<u64, RowRecord>,
    /// The numbers of stream records, by table and sequence number.
    pub(super) by_row: HashMap<(String, String), u64>,
    /// The writes, by table and key, oldest first.
    pub(super) writes: HashMap<(String, String), Vec<WriteEntry>>,
    pub(super) upstreams: VecDeque<UpstreamRecord>,
    /// The sent mails: the id of each, and the number of the invocation that sent it.
    pub(super) mails: VecDeque<(String, u64)>,
    /// The readers of each table's stream.
    pub(super) readers: BTreeMap<String, BTreeSet<String>>,
    /// The queues of the template.
    pub(super) queues: BTreeMap<String, QueueFacts>,
    /// The event types and functions whose effects undo earlier ones.
    pub(super) compensations: BTreeSet<String>,
    pub(super) listeners: Vec<News>,
    /// The bytes of all detail.
    pub(super) bytes: usize,
    /// The requests that memory no longer holds.
    pub(super) dropped: u64,
    /// The last number of a request.
    last_request: u64,
    /// The last number of any other record.
    last_number: u64,
    /// All requests and invocations with smaller numbers have no detail.
    requests_detailed: u64,
    invocations_detailed: u64,
}

/// A queue of the template.
#[derive(Debug, Clone, Default)]
pub(super) struct QueueFacts {
    pub(super) visibility_timeout: Duration,
    /// The dead-letter queue, and the number of receives after which it gets a message.
    pub(super) dead_letters: Option<(String, u32)>,
}

/// An execution environment.
#[derive(Debug, Default)]
pub(super) struct EnvironmentRecord {
    /// The numbers of its running invocations.
    pub(super) running: Vec<u64>,
    /// The number of its latest invocation.
    pub(super) last: Option<u64>,
    /// Its calls before its first invocation.
    pub(super) early: Vec<CallRecord>,
    /// Whether a fault killed it.
    pub(super) killed: bool,
}

/// A write.
#[derive(Debug, Clone, Copy)]
pub(super) struct WriteEntry {
    pub(super) write: WriteRef,
    /// The seconds since 1970 between which it was made.
    pub(super) from_s: i64,
    pub(super) until_s: i64,
    pub(super) deletes: bool,
    /// The number of its stream record, once one was delivered or filtered.
    pub(super) row: Option<u64>,
    pub(super) failed: bool,
}

impl Store {
    /// A new number of a request.
    pub(super) fn next_request(&mut self) -> u64 {
        self.last_request += 1;
        self.last_request
    }

    /// A new number of another record; also the order of records with detail.
    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// A request by its id or its request id.
    pub(super) fn request_mut(&mut self, id: &str) -> Option<&mut RequestRecord> {
        let number = self.by_request.get(id)?;
        self.requests.get_mut(number)
    }

    /// An invocation by its AWS request id.
    pub(super) fn invocation_mut(&mut self, id: &str) -> Option<&mut Invocation> {
        let number = self.by_invocation.get(id)?;
        self.invocations.get_mut(number)
    }

    /// Gives a request another id, by which it is found.
    pub(super) fn name_request(&mut self, number: u64, request_id: &str) {
        let Some(request) = self.requests.get_mut(&number) else { return };
        if request.request_id.as_deref() == Some(request_id) {
            return;
        }
        if let Some(old) = request.request_id.take()
            && self.by_request.get(&old) == Some(&number)
        {
            self.by_request.remove(&old);
        }
        let id: Arc<str> = request_id.into();
        request.request_id = Some(Arc::clone(&id));
        // A request that a client sends twice with one id is found by the later one.
        self.by_request.insert(id, number);
    }

    /// Adds detail of a size to a request that still has its detail.
    pub(super) fn detail_request(
        &mut self,
        number: u64,
        size: usize,
        add: impl FnOnce(&mut RequestRecord),
    ) {
        if let Some(request) = self.requests.get_mut(&number).filter(|it| !it.dropped) {
            request.bytes += size;
            self.bytes += size;
            add(request);
        }
    }

    /// Adds detail of a size to an invocation that still has its detail.
    pub(super) fn detail_invocation(
        &mut self,
        number: u64,
        size: usize,
        add: impl FnOnce(&mut Invocation),
    ) {
        if let Some(invocation) = self.invocations.get_mut(&number).filter(|it| !it.dropped) {
            invocation.bytes += size;
            self.bytes += size;
            add(invocation);
        }
    }

    pub(super) fn add_request(&mut self, request: RequestRecord) {
        self.bytes += request.bytes;
        self.by_request.insert(Arc::clone(&request.id), request.number);
        self.requests.insert(request.number, request);
    }

    pub(super) fn add_invocation(&mut self, invocation: Invocation) {
        self.bytes += invocation.bytes;
        self.by_invocation.insert(Arc::clone(&invocation.id), invocation.number);
        self.invocations.insert(invocation.number, invocation);
    }

    pub(super) fn add_message(&mut self, message: MessageRecord) -> u64 {
        let number = self.next_number();
        self.by_message.insert(Arc::clone(&message.id), number);
        self.messages.insert(number, message);
        number
    }

    pub(super) fn add_row(&mut self, row: RowRecord) -> u64 {
        let number = self.next_number();
        self.by_row.insert((row.table.clone(), row.sequence.clone()), number);
        self.rows.insert(number, row);
        number
    }

    /// Drops the oldest detail, and then the oldest records, until all limits hold.
    pub(super) fn enforce_limits(&mut self) {
        while self.bytes > BYTES_MAX && self.drop_oldest_detail() {}
        while self.requests.len() > REQUESTS_MAX {
            let Some((number, request)) = self.requests.pop_first() else { break };
            self.bytes -= request.bytes;
            self.dropped += 1;
            for id in [Some(&request.id), request.request_id.as_ref()].into_iter().flatten() {
                if self.by_request.get(id) == Some(&number) {
                    self.by_request.remove(id);
                }
            }
        }
        while self.invocations.len() > INVOCATIONS_MAX {
            let Some((number, _)) = self.invocations.first_key_value() else { break };
            let number = *number;
            self.drop_invocation_detail(number);
            if let Some(invocation) = self.invocations.remove(&number) {
                self.by_invocation.remove(&invocation.id);
            }
        }
        while self.messages.len() > MESSAGES_MAX {
            let Some((_, message)) = self.messages.pop_first() else { break };
            self.by_message.remove(&message.id);
        }
        while self.rows.len() > ROWS_MAX {
            let Some((_, row)) = self.rows.pop_first() else { break };
            self.by_row.remove(&(row.table, row.sequence));
        }
        while self.upstreams.len() > UPSTREAMS_MAX {
            self.upstreams.pop_front();
        }
        while self.mails.len() > MAILS_MAX {
            self.mails.pop_front();
        }
    }

    /// Drops the detail of the oldest request or invocation that has any. Returns whether there was
    /// one.
    fn drop_oldest_detail(&mut self) -> bool {
        let mut requests = self.requests.range(self.requests_detailed..);
        let request = requests.find(|(_, it)| !it.dropped).map(|(number, it)| (*number, it.order));
        let mut invocations = self.invocations.range(self.invocations_detailed..);
        let invocation = invocations.find(|(_, it)| !it.dropped);
        let invocation = invocation.map(|(number, it)| (*number, it.order));
        match (request, invocation) {
            (Some((number, order)), later) if later.is_none_or(|(_, later)| order < later) => {
                self.drop_request_detail(number);
                self.requests_detailed = number + 1;
            }
            (_, Some((number, _))) => {
                self.drop_invocation_detail(number);
                self.invocations_detailed = number + 1;
            }
            (_, None) => return false,
        }
        true
    }

    fn drop_request_detail(&mut self, number: u64) {
        let Some(request) = self.requests.get_mut(&number) else { return };
        self.bytes -= std::mem::take(&mut request.bytes);
        request.dropped = true;
        request.headers = HeaderMap::new();
        request.body = Bytes::new();
        request.answer = None;
    }

    fn drop_invocation_detail(&mut self, number: u64) {
        let Some(invocation) = self.invocations.get_mut(&number) else { return };
        self.bytes -= std::mem::take(&mut invocation.bytes);
        invocation.dropped = true;
        invocation.lines = Vec::new();
        let request_id = invocation.inspected.request_id.take();
        invocation.inspected = Inspected { request_id, ..Inspected::default() };
        for call in std::mem::take(&mut invocation.calls) {
            for write in call.writes {
                let at = (write.table, write.key);
                if let Some(entries) = self.writes.get_mut(&at) {
                    entries.retain(|entry| entry.write.invocation != number);
                    if entries.is_empty() {
                        self.writes.remove(&at);
                    }
                }
            }
        }
    }

    /// The roots of an invocation's effects: of the requests whose id is in the text, or else of
    /// all. Only a batch has several.
    pub(super) fn roots_by_text(&self, roots: &[Root], text: &[u8]) -> Vec<Root> {
        if roots.len() < 2 {
            return roots.to_vec();
        }
        let is_named = |root: &&Root| {
            let Root::Request(number) = root else { return false };
            let request = self.requests.get(number);
            let id = request.and_then(|request| request.request_id.as_deref());
            id.is_some_and(|id| contains(text, id.as_bytes()))
        };
        let named: Vec<Root> = roots.iter().filter(is_named).copied().collect();
        if named.is_empty() { roots.to_vec() } else { named }
    }

    /// The bytes of all detail, by a recount.
    #[cfg(test)]
    pub(super) fn bytes_counted(&self) -> usize {
        let requests: usize = self.requests.values().map(|request| request.bytes).sum();
        let invocations: usize = self.invocations.values().map(|invocation| invocation.bytes).sum();
        requests + invocations
    }
}

/// Whether a text contains another.
fn contains(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}
