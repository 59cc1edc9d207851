//! A read-through cache in memory, for stage 6.
//!
//! Our own and small, because what it has to do comes together in none of the usual ones: misses
//! kept shorter than hits, stale values served while the store is away, and answers that know
//! their age. The usual ones also start threads or epochs that a cold start would pay for.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifecycle::Fault;
use lifecycle::telemetry::observe_cache;
use tokio::time::Instant;

use crate::faults::unavailable;
use crate::flight::Flight;

/// After a failed load, what is stale is served for this long without another try.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// How long a [`Cache`] keeps what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// A value that was found.
    pub found: Duration,
    /// The knowledge that there is none.
    pub missing: Duration,
    /// A value that was found, if the store cannot be read; counted from when it was loaded.
    pub stale: Duration,
    /// Entries at most; beyond them the one goes that was not used for the longest time.
    pub entries_max: usize,
}

impl Keep {
    /// 15 minutes, 30 seconds for what is missing, an hour for what is stale, 1 000 entries.
    pub const DEFAULT: Self = Self {
        found: Duration::from_mins(15),
        missing: Duration::from_secs(30),
        stale: Duration::from_hours(1),
        entries_max: 1000,
    };
}

/// Values by key, loaded when they are asked for.
///
/// Belongs into the endpoint, which all requests of a process share.
pub struct Cache<K, V> {
    name: &'static str,
    keep: Keep,
    entries: Mutex<HashMap<K, Arc<Entry<V>>>>,
    clock: AtomicU64,
}

/// What a cache knows, and since when.
#[derive(Debug)]
pub struct Cached<V> {
    /// The value; `None` when there is none.
    pub value: Option<Arc<V>>,
    /// For the header `Age`.
    pub age: Duration,
    /// How long it stays fresh, for `Cache-Control: max-age` (which counts from the value's
    /// birth: age and time left together). Zero when it is stale.
    pub left: Duration,
}

struct Entry<V> {
    kept: Mutex<Option<Kept<V>>>,
    flight: Flight,
    used: AtomicU64,
}

struct Kept<V> {
    value: Option<Arc<V>>,
    loaded: Instant,
    failed: Option<Instant>,
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    /// An empty cache; the name is the label of its metrics.
    pub fn new(name: &'static str, keep: Keep) -> Self {
        Self { name, keep, entries: Mutex::default(), clock: AtomicU64::new(0) }
    }

    /// The value of a key, from memory if it is fresh, else by `load`.
    ///
    /// Of all who miss the same key at the same time, one loads it. When it cannot be loaded,
    /// the value that is kept serves on until it is too stale.
    ///
    /// # Errors
    ///
    /// When it cannot be loaded and nothing is kept that could serve.
    pub async fn get(
        &self,
        key: &K,
        load: impl AsyncFnOnce() -> Result<Option<V>, Fault>,
    ) -> Result<Cached<V>, Fault> {
        let entry = self.entry(key);
        let fresh = entry.fresh(&self.keep);
        observe_cache(self.name, fresh.is_some());
        if let Some(fresh) = fresh {
            return Ok(fresh);
        }
        match entry.flight.board().await {
            Some(pilot) => {
                let loaded = self.load(&entry, load).await;
                pilot.land();
                loaded
            }
            None => entry.serveable(&self.keep).ok_or_else(|| {
                unavailable(format!("a load of the cache {} at the same time failed", self.name))
            }),
        }
    }

    /// Forgets a key.
    pub fn forget(&self, key: &K) {
        self.entries().remove(key);
    }

    async fn load(
        &self,
        entry: &Entry<V>,
        load: impl AsyncFnOnce() -> Result<Option<V>, Fault>,
    ) -> Result<Cached<V>, Fault> {
        match load().await {
            Ok(value) => {
                let value = value.map(Arc::new);
                let kept = Kept { value, loaded: Instant::now(), failed: None };
                let cached = kept.cached(&self.keep);
                *entry.kept() = Some(kept);
                Ok(cached)
            }
            Err(fault) => {
                if let Some(kept) = entry.kept().as_mut() {
                    kept.failed = Some(Instant::now());
                }
                let stale = entry.serveable(&self.keep).ok_or(fault)?;
                tracing::warn!(cache = self.name, age_s = stale.age.as_secs(), "served stale");
                Ok(stale)
            }
        }
    }

    fn entry(&self, key: &K) -> Arc<Entry<V>> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let mut entries = self.entries();
        if let Some(entry) = entries.get(key) {
            entry.used.store(now, Ordering::Relaxed);
            return Arc::clone(entry);
        }
        if entries.len() >= self.keep.entries_max {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used.load(Ordering::Relaxed));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                entries.remove(&oldest);
            }
        }
        let entry = Entry { kept: Mutex::new(None), flight: Flight::default(), used: now.into() };
        Arc::clone(entries.entry(key.clone()).or_insert(Arc::new(entry)))
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<K, Arc<Entry<V>>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Entry<V> {
    /// What needs no load: fresh, or stale while the store is known to be away.
    fn fresh(&self, keep: &Keep) -> Option<Cached<V>> {
        let kept = self.kept();
        let kept = kept.as_ref()?;
        let cached = kept.cached(keep);
        let away = kept.failed.is_some_and(|at| at.elapsed() < BETWEEN_TRIES);
        (!cached.left.is_zero() || (away && kept.serves(keep))).then_some(cached)
    }

    /// What may be served when it cannot be loaded.
    fn serveable(&self, keep: &Keep) -> Option<Cached<V>> {
        let kept = self.kept();
        let kept = kept.as_ref().filter(|kept| kept.serves(keep))?;
        Some(kept.cached(keep))
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept<V>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Kept<V> {
    fn cached(&self, keep: &Keep) -> Cached<V> {
        let age = self.loaded.elapsed();
        let left = self.lifetime(keep).saturating_sub(age);
        Cached { value: self.value.clone(), age, left }
    }

    fn lifetime(&self, keep: &Keep) -> Duration {
        if self.value.is_some() { keep.found } else { keep.missing }
    }

    /// That something was missing is no knowledge to live on for an hour.
    fn serves(&self, keep: &Keep) -> bool {
        let end = if self.value.is_some() { keep.stale } else { keep.missing };
        self.loaded.elapsed() < end
    }
}
