//! Single flight: concurrent callers share one fetch.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};

/// A single flight: at most one task fetches at a time.
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    turn: Mutex<()>,
    landed: AtomicU64,
}

/// The turn to fetch, held by one task.
pub(crate) struct Leader<'a> {
    landed: &'a AtomicU64,
    _turn: MutexGuard<'a, ()>,
}

impl SingleFlight {
    /// Waits for the turn to fetch. Returns `None` if another task finished a fetch while this one
    /// waited, with or without success; re-read the cache then.
    ///
    /// If a fetching task is cancelled, the next one gets the turn.
    pub(crate) async fn lead_or_wait(&self) -> Option<Leader<'_>> {
        let landed = self.landed.load(Ordering::Acquire);
        let turn = self.turn.lock().await;
        let nobody_went = self.landed.load(Ordering::Acquire) == landed;
        nobody_went.then_some(Leader { landed: &self.landed, _turn: turn })
    }

    /// Returns the turn if no task is fetching.
    pub(crate) fn try_lead(&self) -> Option<Leader<'_>> {
        let turn = self.turn.try_lock().ok()?;
        Some(Leader { landed: &self.landed, _turn: turn })
    }
}

impl Leader<'_> {
    /// Ends the fetch. Call it after storing the value, so that the waiting tasks find it.
    pub(crate) fn finish(self) {
        self.landed.fetch_add(1, Ordering::Release);
    }
}
