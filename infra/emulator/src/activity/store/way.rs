//! Collects the way of a request and of its effects, to be built into a view without the lock.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::Store;
use crate::activity::cause::Cause;
use crate::activity::limits::NODES_MAX;
use crate::activity::record::{Invocation, Root, RowRecord, WriteRef};
use crate::activity::snapshot::{Begin, RowOnWay, Way};

/// The state of the search.
struct Search<'a> {
    store: &'a Store,
    root: Root,
    way: Way,
    waiting: VecDeque<u64>,
    invocations: HashSet<u64>,
    messages: HashSet<u64>,
    rows: HashSet<u64>,
}

impl Store {
    /// The way by the id of a request, its request id, or the id of an invocation or a message.
    pub(in crate::activity) fn way(&self, id: &str) -> Option<Way> {
        if let Some(number) = self.by_request.get(id) {
            return self.way_of(Root::Request(*number));
        }
        if let Some(number) = self.by_invocation.get(id) {
            let roots = &self.invocations.get(number)?.roots;
            let way = roots.iter().find_map(|root| self.way_of(*root));
            return way.or_else(|| self.way_of(Root::Invocation(*number)));
        }
        let number = *self.by_message.get(id)?;
        let message = self.messages.get(&number)?;
        message.roots.iter().find_map(|root| self.way_of(*root)).or_else(|| {
            let mut way = self.empty_way(Begin::Message);
            way.messages.push(message.clone());
            Some(way)
        })
    }

    fn way_of(&self, root: Root) -> Option<Way> {
        let begin = match root {
            Root::Request(number) => Begin::Request(Box::new(self.requests.get(&number)?.clone())),
            Root::Invocation(number) => {
                self.invocations.get(&number)?;
                Begin::Invocation
            }
        };
        let mut search = Search {
            store: self,
            root,
            way: self.empty_way(begin),
            waiting: VecDeque::new(),
            invocations: HashSet::new(),
            messages: HashSet::new(),
            rows: HashSet::new(),
        };
        match root {
            Root::Request(number) => {
                let request = self.requests.get(&number)?;
                search.meet(request.authorizer);
                search.meet(request.invocation);
                if let Some(request_id) = &request.request_id {
                    let called = self.upstreams.iter();
                    let called =
                        called.filter(|it| it.request_id.as_deref() == Some(&**request_id));
                    search.way.upstreams = called.take(NODES_MAX).cloned().collect();
                }
                search.meet_adopted();
            }
            Root::Invocation(number) => {
                search.meet(Some(number));
                search.causes_of(number);
            }
        }
        search.walk();
        Some(search.way)
    }

    fn empty_way(&self, begin: Begin) -> Way {
        let dead_letters = self.queues.values().filter_map(|queue| queue.dead_letters.as_ref());
        Way {
            begin,
            invocations: Vec::new(),
            messages: Vec::new(),
            rows: Vec::new(),
            upstreams: Vec::new(),
            dead_letter_queues: dead_letters.map(|(queue, _)| queue.clone()).collect(),
            compensations: self.compensations.clone(),
            foreign: HashSet::new(),
            truncated: false,
        }
    }
}

impl Search<'_> {
    fn meet(&mut self, invocation: Option<u64>) {
        if let Some(number) = invocation
            && self.invocations.insert(number)
        {
            self.waiting.push_back(number);
        }
    }

    fn walk(&mut self) {
        while let Some(number) = self.waiting.pop_front() {
            let Some(invocation) = self.store.invocations.get(&number) else { continue };
            let way = &self.way;
            if way.invocations.len() + way.messages.len() + way.rows.len() >= NODES_MAX {
                self.way.truncated = true;
                return;
            }
            for message in &invocation.sent {
                self.meet_message(*message);
            }
            self.meet_rows(invocation);
            self.leave_mails(invocation);
            // The lines are not part of the picture.
            self.way.invocations.push(Invocation { lines: Vec::new(), ..invocation.clone() });
        }
    }

    fn meet_message(&mut self, number: u64) {
        let Some(message) = self.store.messages.get(&number) else { return };
        let belongs = message.roots.is_empty() || message.roots.contains(&self.root);
        if !belongs || !self.messages.insert(number) {
            return;
        }
        for delivery in &message.deliveries {
            self.meet(delivery.invocation);
        }
        self.way.messages.push(message.clone());
    }

    /// The messages of this root whose sender belongs to another root, or to none: messages
    /// of a schedule about the same aggregate, and messages that an operator moved back.
    fn meet_adopted(&mut self) {
        let store = self.store;
        let adopted = store.messages.iter().filter(|(_, message)| {
            let sender = message.sent_by.and_then(|sender| store.invocations.get(&sender));
            message.roots.contains(&self.root)
                && sender.is_none_or(|sender| !sender.roots.contains(&self.root))
        });
        let adopted: Vec<u64> = adopted.take(NODES_MAX).map(|(number, _)| *number).collect();
        for number in adopted {
            self.meet(store.messages.get(&number).and_then(|message| message.sent_by));
            self.meet_message(number);
        }
    }

    /// The records of the items that an invocation wrote to tables whose streams are read.
    fn meet_rows(&mut self, invocation: &Invocation) {
        for (call_place, call) in invocation.calls.iter().enumerate() {
            if call.writes.is_empty() || call.status != 0 && !call.succeeded() {
                continue;
            }
            let cause = Some(&invocation.cause);
            let roots = self.store.roots_by_text(&invocation.roots, cause, &call.body);
            if !roots.contains(&self.root) {
                continue;
            }
            for (place, write) in call.writes.iter().enumerate() {
                let readers = self.store.readers.get(&write.table).map_or(0, BTreeSet::len);
                if readers == 0 {
                    continue;
                }
                let write_ref = WriteRef { invocation: invocation.number, call: call_place, place };
                let at = (write.table.clone(), write.key.clone());
                let entries = self.store.writes.get(&at).into_iter().flatten();
                let mut entries = entries.filter(|entry| entry.write == write_ref);
                let row = entries.next().and_then(|entry| entry.row);
                let record = row.and_then(|row| self.store.rows.get(&row));
                self.meet_row(Some(write_ref), at, row, record, readers);
            }
        }
    }

    /// Notes the mails that a batch sent because of others.
    fn leave_mails(&mut self, invocation: &Invocation) {
        if invocation.roots.len() < 2 {
            return;
        }
        let calls = invocation.calls.iter().enumerate();
        for (place, call) in calls.filter(|(_, call)| call.operation == "SendEmail") {
            let cause = Some(&invocation.cause);
            let roots = self.store.roots_by_text(&invocation.roots, cause, &call.body);
            if !roots.contains(&self.root) {
                self.way.foreign.insert((invocation.number, place));
            }
        }
    }

    fn meet_row(
        &mut self,
        write: Option<WriteRef>,
        (table, key): (String, String),
        number: Option<u64>,
        record: Option<&RowRecord>,
        readers: usize,
    ) {
        if let Some(number) = number
            && !self.rows.insert(number)
        {
            return;
        }
        for state in record.into_iter().flat_map(|record| record.readers.values()) {
            for delivery in &state.deliveries {
                self.meet(delivery.invocation);
            }
        }
        self.way.rows.push(RowOnWay { write, table, key, record: record.cloned(), readers });
    }

    /// The messages or records that an invocation got, where the way begins with it.
    fn causes_of(&mut self, number: u64) {
        let Some(invocation) = self.store.invocations.get(&number) else { return };
        match &invocation.cause {
            Cause::Messages { messages, .. } => {
                for (id, _) in messages {
                    if let Some(number) = self.store.by_message.get(id.as_str()) {
                        self.meet_message(*number);
                    }
                }
            }
            Cause::Records { table, records, .. } => {
                let readers = self.store.readers.get(table).map_or(0, BTreeSet::len);
                for item in records {
                    let at = (table.clone(), item.number.clone());
                    let Some(number) = self.store.by_row.get(&at).copied() else { continue };
                    let Some(row) = self.store.rows.get(&number) else { continue };
                    let at = (table.clone(), item.key.clone());
                    self.meet_row(row.written_by, at, Some(number), Some(row), readers);
                }
            }
            _ => {}
        }
    }
}
