//! An in-memory platform that records the lifecycle's calls.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use serde_dynamo::Item;

use crate::effects::{Mail, Post, QueueName};
use crate::error::ServiceError;
use crate::ports::{
    Adapter, CommitError, Count, Counter, DeadLetter, Items, Mailer, Outgoing, Queues,
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
    items: Mutex<Items>,
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
    pub(super) commits_slow: Duration,
    /// The next commit succeeds, but its response is lost.
    pub(super) lose_answer: bool,
    pub(super) limiter_down: bool,
    pub(super) limiter_slow: Duration,
    pub(super) queues_down: bool,
    pub(super) queues_slow: Duration,
    /// The queue that never responds.
    pub(super) hanging: Option<QueueName>,
    pub(super) collector_slow: Duration,
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
        self.items.lock().unwrap().of(table).cloned().collect()
    }

    pub(super) fn store(&self, table: TableName, key: Key, item: Item) {
        self.items.lock().unwrap().put(table, key, item);
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
        let slow = self.faults().commits_slow;
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
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
        self.items.lock().unwrap().commit(transaction)?;
        if std::mem::take(&mut self.faults().lose_answer) {
            return Err(CommitError::ServiceError(ServiceError::TimedOut));
        }
        Ok(())
    }

    async fn read(&self, table: TableName, key: &Key) -> Result<Option<Item>, ServiceError> {
        self.note(Call::Read(table.name()));
        Ok(self.items.lock().unwrap().get(table, key).cloned())
    }

    async fn count(&self, counter: &Counter) -> Result<Count, ServiceError> {
        let slow = self.faults().limiter_slow;
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
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
        let hanging = self.faults().hanging;
        if messages.iter().any(|message| Some(message.queue) == hanging) {
            std::future::pending::<()>().await;
        }
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
        let slow = self.faults().queues_slow;
        tokio::time::sleep(slow).await;
        if self.faults().queues_down {
            return Err(ServiceError::internal("the queue is down"));
        }
        self.hidden.lock().unwrap().extend_from_slice(hidden);
        Ok(())
    }

    async fn dead_letter(&self, letter: &DeadLetter) -> Result<(), ServiceError> {
        self.note(Call::Bury(letter.queue.name().to_owned()));
        if self.faults().queues_down {
            return Err(ServiceError::internal("the queue is down"));
        }
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
        let slow = self.faults().collector_slow;
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        self.asked_for.lock().unwrap().push(crate::telemetry::request_id());
        self.exported.lock().unwrap().push((url.to_owned(), headers.to_vec(), json));
        Ok(())
    }
}

impl Adapter for Recorder {}
