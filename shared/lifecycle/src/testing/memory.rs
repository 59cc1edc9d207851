//! Tables, queues and mail in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_dynamo::Item;
use serde_json::Value;

use crate::commit::{OUTBOX, OutboxRow};
use crate::effects::{Mail, Post, QueueName, Write};
use crate::envelope::Envelope;
use crate::error::ServiceError;
use crate::ports::{
    Adapter, CommitError, Count, Counter, DeadLetter, Items, Mailer, Outgoing, Queues, Store,
    Telemetry, Transaction, Upstreams, VisibilityChange,
};
use crate::record::{Key, Record, TableName, item_of};

/// Tables, queues and mail in memory: an adapter for tests. Clones share their content.
///
/// Commits have the store's conditions and limits: all writes happen or none. Endpoints and
/// consumers that read through the port [`Store`] get a clone. All other methods are for the test,
/// which prepares items and inspects the effects.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: Items,
    counters: BTreeMap<String, u32>,
    commits: Vec<Vec<Write>>,
    conflicts: u32,
    sent: Vec<Outgoing>,
    mails: Vec<Mail>,
    posts: Vec<Post>,
    dead_letters: Vec<DeadLetter>,
}

impl Memory {
    /// An empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores a record without a condition. It is no commit.
    pub fn put<R: Record>(&self, record: &R) {
        self.state().items.put(R::TABLE, record.key(), item_of(record));
    }

    /// Returns a stored record.
    ///
    /// # Panics
    ///
    /// When the stored item is not such a record.
    pub fn get<R: Record>(&self, key: &Key) -> Option<R> {
        let item = self.state().items.get(R::TABLE, key).cloned();
        item.map(|item| {
            R::of_item(item).unwrap_or_else(|error| panic!("the item of {key:?}: {error}"))
        })
    }

    /// Returns the items of a table, in the order of their keys.
    pub fn items(&self, table: TableName) -> Vec<Item> {
        self.state().items.of(table).cloned().collect()
    }

    /// Returns the writes of each successful commit, with the records of the lifecycle: outbox
    /// rows, stored responses and inbox entries.
    pub fn commits(&self) -> Vec<Vec<Write>> {
        self.state().commits.clone()
    }

    /// Returns the events in the outbox that are not published, by aggregate.
    ///
    /// # Panics
    ///
    /// When the outbox has an item that is no row.
    pub fn outbox(&self) -> Vec<Envelope<Value>> {
        let rows = self.items(OUTBOX).into_iter().map(|item| {
            OutboxRow::of_item(item).unwrap_or_else(|error| panic!("a row of the outbox: {error}"))
        });
        rows.filter(|row| row.relayed_at.is_none()).map(|row| row.envelope).collect()
    }

    /// Returns the messages that were sent, in order.
    pub fn messages(&self) -> Vec<Outgoing> {
        self.state().sent.clone()
    }

    /// Returns the e-mails that were sent, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.state().mails.clone()
    }

    /// Returns the posts to alert services, in order.
    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    /// Returns the messages that were sent to dead-letter queues, in order.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.state().dead_letters.clone()
    }

    /// Lets the next commits fail as if another transaction used the same items, this many times.
    pub fn conflict(&self, times: u32) {
        self.state().conflicts = times;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Memory {
    async fn commit(&self, transaction: &Transaction) -> Result<(), CommitError> {
        let mut state = self.state();
        if state.conflicts > 0 {
            state.conflicts -= 1;
            return Err(CommitError::Conflict);
        }
        transaction.check()?;
        transaction.possible_writes()?;
        state.items.commit(transaction)?;
        state.commits.push(transaction.writes.clone());
        Ok(())
    }

    async fn read(&self, table: TableName, key: &Key) -> Result<Option<Item>, ServiceError> {
        // A test may have put such an item, which no table has.
        if !table.can_have(key) {
            return Ok(None);
        }
        Ok(self.state().items.get(table, key).cloned())
    }

    async fn count(&self, counter: &Counter) -> Result<Count, ServiceError> {
        let mut state = self.state();
        let total = state.counters.entry(counter.key.clone()).or_default();
        let sum = total.saturating_add_signed(counter.amount);
        if counter.maximum.is_some_and(|maximum| sum > maximum) {
            return Ok(Count::Exceeded);
        }
        *total = sum;
        Ok(Count::Total(sum))
    }
}

#[async_trait]
impl Queues for Memory {
    async fn send(&self, messages: &[Outgoing]) -> Vec<(usize, ServiceError)> {
        self.state().sent.extend_from_slice(messages);
        Vec::new()
    }

    async fn change_visibility(
        &self,
        _: QueueName,
        _: &[VisibilityChange],
    ) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), ServiceError> {
        self.state().dead_letters.push(letter.clone());
        Ok(())
    }
}

#[async_trait]
impl Mailer for Memory {
    async fn mail(&self, mail: &Mail) -> Result<(), ServiceError> {
        self.state().mails.push(mail.clone());
        Ok(())
    }
}

#[async_trait]
impl Upstreams for Memory {
    async fn post(&self, post: &Post) -> Result<(), ServiceError> {
        self.state().posts.push(post.clone());
        Ok(())
    }
}

#[async_trait]
impl Telemetry for Memory {
    async fn export(
        &self,
        _: &str,
        _: &[(String, String)],
        _: Vec<u8>,
    ) -> Result<(), ServiceError> {
        Ok(())
    }
}

impl Adapter for Memory {}
