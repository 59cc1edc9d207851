//! The handle to the records, which the other parts of the platform call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::build;
use super::redaction::Redaction;
use super::snapshot::RunningRequest;
use super::store::Store;
use super::view::{
    InvocationDetail, ItemWrite, Journey, MessageOrigin, OriginalRequest, RequestDetail,
    RequestFilter, RequestPage, Sample,
};
use crate::clock::Clock;

/// The records of a platform. Clones are handles to the same records.
#[derive(Clone)]
pub struct Activity {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    clock: Clock,
    redaction: Arc<Redaction>,
    store: Mutex<Store>,
    /// The number of listeners, which each call of a function asks for.
    pub(super) listeners: AtomicUsize,
    /// Notified of every change while there is a listener.
    pub(super) changed: Notify,
    /// The path of the inspector's socket, once it is open.
    pub(super) inspector: OnceLock<String>,
}

impl Default for Activity {
    fn default() -> Self {
        Self::new(&Clock::default())
    }
}

impl Activity {
    /// No records so far; times are by this clock.
    pub fn new(clock: &Clock) -> Self {
        let shared = Shared {
            clock: clock.clone(),
            redaction: Arc::new(Redaction::new()),
            store: Mutex::default(),
            listeners: AtomicUsize::new(0),
            changed: Notify::new(),
            inspector: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The redaction of all texts.
    pub fn redaction(&self) -> &Arc<Redaction> {
        &self.shared.redaction
    }

    /// The requests that match, newest first.
    pub fn requests(&self, filter: &RequestFilter) -> RequestPage {
        let ((rows, total), dropped) = {
            let store = self.lock();
            (build::requests(&store.requests, &store.invocations, filter), store.dropped)
        };
        let rows = rows.into_iter().map(|row| row.redacted(&self.shared.redaction));
        RequestPage { requests: rows.collect(), total, dropped }
    }

    /// Everything about a request, by its id or the `x-request-id` of its response.
    pub fn request(&self, id: &str) -> Option<RequestDetail> {
        let found = self.lock().snapshot_of_request(id)?;
        Some(build::request(&found, &self.shared.redaction))
    }

    /// The way of a request and of its effects, by the id of the request, its `x-request-id`, or the
    /// id of an invocation.
    pub fn journey(&self, id: &str) -> Option<Journey> {
        let found = self.lock().way(id)?;
        Some(build::journey(&found, &self.shared.redaction, self.now()))
    }

    /// An invocation, by its AWS request id.
    pub fn invocation(&self, id: &str) -> Option<InvocationDetail> {
        let (invocation, journey) = self.lock().snapshot_of_invocation(id)?;
        Some(build::invocation(&invocation, journey, &self.shared.redaction))
    }

    /// Where a message or a mail comes from, by its id.
    pub fn message(&self, message_id: &str) -> Option<MessageOrigin> {
        self.lock().origin_of_message(message_id)
    }

    /// A request as it was received, by its id or its `x-request-id`. `None` too if its detail was
    /// dropped.
    pub fn original(&self, id: &str) -> Option<OriginalRequest> {
        self.lock().original(id)
    }

    /// The writes to an item that are in memory, oldest first. The key is plain JSON:
    /// `{"pk": "USER#1", "sk": "PROFILE"}`.
    pub fn item_history(&self, table: &str, key: &Value) -> Vec<ItemWrite> {
        let found = self.lock().writes_to(table, key);
        build::history(&found, &self.shared.redaction)
    }

    /// The requests that were answered since a time, oldest first.
    pub fn samples(&self, since: Timestamp) -> Vec<Sample> {
        self.lock().samples(since)
    }

    /// Whether there is a listener.
    pub fn has_listeners(&self) -> bool {
        self.shared.listeners.load(Ordering::Relaxed) > 0
    }

    /// The request that the process of an execution environment works on, if it is one.
    pub fn running_request(&self, environment: &str) -> Option<RunningRequest> {
        self.lock().running_request(environment)
    }

    /// The event types and functions whose effects undo earlier ones.
    pub fn set_compensations(&self, names: &[&str]) {
        self.lock().compensations = names.iter().map(|name| (*name).to_owned()).collect();
    }

    /// A secret value that no text may show; of a JSON object, each of its strings.
    pub fn learn_secret(&self, value: &str) {
        self.shared.redaction.learn(value);
    }

    /// The path of the inspector's socket, if it is open.
    pub(crate) fn inspector(&self) -> Option<&str> {
        self.shared.inspector.get().map(String::as_str)
    }

    /// The time on the platform's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        // A panic elsewhere cannot leave the records inconsistent in a way that harms a reader.
        self.shared.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the records, and wakes listeners if they have something new.
    pub(super) fn record<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let (changed, wakes) = {
            let mut store = self.lock();
            let changed = change(&mut store);
            store.enforce_limits();
            (changed, store.has_news())
        };
        if wakes {
            self.shared.changed.notify_waiters();
        }
        changed
    }
}

impl std::fmt::Debug for Activity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Activity").finish_non_exhaustive()
    }
}
