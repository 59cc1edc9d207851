//! An in-memory platform that records the lifecycle's calls.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use serde_dynamo::{AttributeValue, Item};

use crate::effects::{Change, Condition, Mail, Post, QueueName, Write, WriteAction};
use crate::error::ServiceError;
use crate::ports::{
    Adapter, CommitError, Count, Counter, FailedCondition, Mailer, Outgoing, Queues,
    RefusedMessage, Store, Telemetry, Transaction, Upstreams, VisibilityChange,
};
use crate::record::{Key, TableName};

/// A call of the lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Commit(usize),
    Read(&'static str),
    Count(String, i32),
    Send(usize),
    Bury(String),
    Mail(String),
    Post(String),
}

#[derive(Default)]
pub(super) struct Recorder {
    pub(super) calls: Mutex<Vec<Call>>,
    items: Mutex<HashMap<(TableName, Key), Item>>,
    /// Tokens of earlier transactions: each token identifies one transaction.
    tokens: Mutex<HashSet<String>>,
    counters: Mutex<HashMap<String, u32>>,
    sent: Mutex<Vec<Outgoing>>,
    hidden: Mutex<Vec<VisibilityChange>>,
    faults: Mutex<Faults>,
    /// The request ids with which messages were sent, counts exchanged and spans exported.
    pub(super) asked_for: Mutex<Vec<Option<String>>>,
    pub(super) exported: Mutex<Vec<Export>>,
}

/// URL, headers and body of a POST to a collector.
type Export = (String, Vec<(String, String)>, Vec<u8>);

/// The injected faults.
#[derive(Default)]
pub(super) struct Faults {
    /// The number of commits that conflict with another transaction.
    pub(super) conflicts: u32,
    /// The next commit succeeds, but its response is lost.
    pub(super) lose_answer: bool,
    pub(super) limiter_down: bool,
    pub(super) queues_down: bool,
    pub(super) queues_slow: Duration,
    /// The ids of events whose messages make the platform panic.
    pub(super) panics: Vec<String>,
    /// The ids of events whose messages a queue refuses because of their content.
    pub(super) refused: Vec<String>,
    /// The ids of events whose messages a queue does not take at the moment.
    pub(super) unavailable: Vec<String>,
}

impl Recorder {
    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    pub(super) fn items_of(&self, table: TableName) -> Vec<Item> {
        let items = self.items.lock().unwrap();
        items.iter().filter(|((t, _), _)| *t == table).map(|(_, item)| item.clone()).collect()
    }

    pub(super) fn store(&self, table: TableName, key: Key, item: Item) {
        self.items.lock().unwrap().insert((table, key), item);
    }

    pub(super) fn sent(&self) -> Vec<Outgoing> {
        self.sent.lock().unwrap().clone()
    }

    /// The receipt handles and the visibility timeouts in seconds.
    pub(super) fn hidden(&self) -> Vec<(String, u64)> {
        let hidden = self.hidden.lock().unwrap();
        hidden.iter().map(|hidden| (hidden.receipt.clone(), hidden.wait.as_secs())).collect()
    }

    fn note(&self, call: Call) {
        self.asked_for.lock().unwrap().push(crate::telemetry::request_id());
        self.calls.lock().unwrap().push(call);
    }
}

#[async_trait]
impl Store for Recorder {
    async fn commit(&self, transaction: &Transaction) -> Result<(), CommitError> {
        self.note(Call::Commit(transaction.writes.len()));
        transaction.check()?;
        if !self.tokens.lock().unwrap().insert(transaction.token.clone()) {
            return Err(CommitError::Invalid(
                "the token belongs to another transaction".to_owned(),
            ));
        }
        if self.faults().conflicts > 0 {
            self.faults().conflicts -= 1;
            return Err(CommitError::Conflict);
        }
        let mut items = self.items.lock().unwrap();
        let failed = transaction.writes.iter().enumerate().filter_map(|(write, wanted)| {
            let stored = items.get(&(wanted.table, wanted.key.clone()));
            let holds = wanted.condition.as_ref().is_none_or(|condition| holds(condition, stored));
            (!holds).then(|| FailedCondition { write, stored: stored.cloned() })
        });
        let failed: Vec<FailedCondition> = failed.collect();
        if !failed.is_empty() {
            return Err(CommitError::Conditions(failed));
        }
        for write in &transaction.writes {
            perform(write, &mut items);
        }
        if std::mem::take(&mut self.faults().lose_answer) {
            return Err(CommitError::ServiceError(ServiceError::TimedOut));
        }
        Ok(())
    }

    async fn read(&self, table: TableName, key: &Key) -> Result<Option<Item>, ServiceError> {
        self.note(Call::Read(table.name()));
        Ok(self.items.lock().unwrap().get(&(table, key.clone())).cloned())
    }

    async fn count(&self, counter: &Counter) -> Result<Count, ServiceError> {
        self.note(Call::Count(counter.key.clone(), counter.amount));
        if self.faults().limiter_down {
            return Err(ServiceError::internal("the limits table is down"));
        }
        let mut counters = self.counters.lock().unwrap();
        let total = counters.entry(counter.key.clone()).or_default();
        let sum = total.saturating_add_signed(counter.amount);
        if counter.maximum.is_some_and(|maximum| sum > maximum) {
            return Ok(Count::Exceeded);
        }
        *total = sum;
        Ok(Count::Total(sum))
    }
}

#[async_trait]
impl Queues for Recorder {
    async fn send(&self, messages: &[Outgoing]) -> Vec<(usize, ServiceError)> {
        let slow = self.faults().queues_slow;
        tokio::time::sleep(slow).await;
        self.note(Call::Send(messages.len()));
        let panics = self.faults().panics.clone();
        for message in messages {
            let event_id = &message.envelope.event_id;
            assert!(!panics.contains(event_id), "injected panic for {event_id}");
        }
        if self.faults().queues_down {
            return vec![(
                0,
                ServiceError::Unavailable { retry_after_s: 1, source: "it is down".into() },
            )];
        }
        let (mut sent, mut failed) = (self.sent.lock().unwrap(), Vec::new());
        for (index, message) in messages.iter().enumerate() {
            let event_id = &message.envelope.event_id;
            if self.faults().refused.contains(event_id) {
                failed.push((index, RefusedMessage("its contents".to_owned()).into()));
            } else if self.faults().unavailable.contains(event_id) {
                let source = "it is down".into();
                failed.push((index, ServiceError::Unavailable { retry_after_s: 1, source }));
            } else {
                sent.push(message.clone());
            }
        }
        failed
    }

    async fn change_visibility(
        &self,
        _: QueueName,
        hidden: &[VisibilityChange],
    ) -> Result<(), ServiceError> {
        if self.faults().queues_down {
            return Err(ServiceError::internal("the queue is down"));
        }
        self.hidden.lock().unwrap().extend_from_slice(hidden);
        Ok(())
    }

    async fn dead_letter(&self, queue: QueueName, _: &str, _: &str) -> Result<(), ServiceError> {
        self.note(Call::Bury(queue.name().to_owned()));
        Ok(())
    }
}

#[async_trait]
impl Mailer for Recorder {
    async fn mail(&self, mail: &Mail) -> Result<(), ServiceError> {
        self.note(Call::Mail(mail.id.clone()));
        Ok(())
    }
}

#[async_trait]
impl Upstreams for Recorder {
    async fn post(&self, post: &Post) -> Result<(), ServiceError> {
        self.note(Call::Post(post.id.clone()));
        Ok(())
    }
}

#[async_trait]
impl Telemetry for Recorder {
    async fn export(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: Vec<u8>,
    ) -> Result<(), ServiceError> {
        self.asked_for.lock().unwrap().push(crate::telemetry::request_id());
        self.exported.lock().unwrap().push((url.to_owned(), headers.to_vec(), json));
        Ok(())
    }
}

impl Adapter for Recorder {}

fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    let attribute = |name: &str| item.and_then(|item| item.inner().get(name));
    let number = |name: &str| match attribute(name) {
        Some(AttributeValue::N(text)) => text.parse::<i64>().ok(),
        _ => None,
    };
    match condition {
        Condition::Absent => item.is_none(),
        Condition::Present => item.is_some(),
        Condition::Equals(name, value) => attribute(name) == Some(value),
        Condition::AtLeast(name, least) => number(name).is_some_and(|n| n >= *least),
        Condition::Below(name, limit) => number(name).is_some_and(|n| n < *limit),
        Condition::All(all) => all.iter().all(|condition| holds(condition, item)),
        Condition::Any(any) => any.iter().any(|condition| holds(condition, item)),
    }
}

fn perform(write: &Write, items: &mut HashMap<(TableName, Key), Item>) {
    let key = (write.table, write.key.clone());
    match &write.action {
        WriteAction::Put(item) => drop(items.insert(key, item.clone())),
        WriteAction::Delete => drop(items.remove(&key)),
        WriteAction::Check => {}
        WriteAction::Update(changes) => {
            let item = items.entry(key).or_default().inner_mut();
            for change in changes {
                match change {
                    Change::Set(name, value) => {
                        item.insert((*name).to_owned(), value.clone());
                    }
                    Change::Remove(name) => drop(item.remove(*name)),
                    Change::Add(name, amount) => {
                        let before = match item.get(*name) {
                            Some(AttributeValue::N(text)) => text.parse::<i64>().unwrap(),
                            _ => 0,
                        };
                        let after = AttributeValue::N((before + amount).to_string());
                        item.insert((*name).to_owned(), after);
                    }
                }
            }
        }
    }
}
