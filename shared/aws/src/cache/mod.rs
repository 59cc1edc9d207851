//! A read-through cache in memory, for stage 6.
//!
//! Our own and small, because the usual caches lack the combination that is needed: misses kept
//! shorter than hits, stale values served while the store fails, and values that know their age.
//! They also start threads or epochs, which a cold start would pay for.

pub(crate) mod single_flight;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifecycle::ServiceError;
use lifecycle::since::Since;
use lifecycle::telemetry::observe_cache;
use tokio::time::Instant;

use self::single_flight::SingleFlight;
use crate::errors::unavailable;

/// After a failed load, a stale value is served for this long without another load.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// How long a [`Cache`] keeps its entries, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePolicy {
    /// How long a value is fresh.
    pub found: Duration,
    /// How long a miss is fresh: the knowledge that there is no value.
    pub missing: Duration,
    /// How long a value is served while the store cannot be read, counted from its load.
    pub stale: Duration,
    /// Maximum entries. Beyond it, the least recently used one is dropped.
    pub entries_max: usize,
}

impl CachePolicy {
    /// 15 minutes for values, 30 seconds for misses, an hour for stale values, 1 000 entries.
    pub const DEFAULT: Self = Self {
        found: Duration::from_mins(15),
        missing: Duration::from_secs(30),
        stale: Duration::from_hours(1),
        entries_max: 1000,
    };
}

/// A cache of values by key. Each value is loaded when it is first read.
///
/// It belongs in the endpoint, which all requests of a process share.
pub struct Cache<K, V> {
    name: &'static str,
    keep: CachePolicy,
    entries: Mutex<HashMap<K, Arc<Entry<V>>>>,
    clock: AtomicU64,
}

/// A cached value or miss, with its age.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cached<V> {
    /// The value; `None` when there is none.
    pub value: Option<Arc<V>>,
    /// How long ago it was loaded, for the header `Age`.
    pub age: Duration,
    /// How long it stays fresh; zero when it is stale. `Cache-Control: max-age` counts from the
    /// load: it is age and time left together.
    pub left: Duration,
}

struct Entry<V> {
    kept: Mutex<Option<Kept<V>>>,
    flight: SingleFlight,
    used: AtomicU64,
}

struct Kept<V> {
    value: Option<Arc<V>>,
    loaded: Since,
    failed: Option<Since>,
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    /// An empty cache. The name is the label of its metrics.
    pub fn new(name: &'static str, keep: CachePolicy) -> Self {
        Self { name, keep, entries: Mutex::default(), clock: AtomicU64::new(0) }
    }

    /// Returns the value of a key: from memory if it is fresh, else by `load`.
    ///
    /// Concurrent misses of one key share one load (single flight). If the load fails, the kept
    /// value is served until it is too stale.
    ///
    /// # Errors
    ///
    /// When the load fails and no kept value may be served.
    pub async fn get(
        &self,
        key: &K,
        load: impl AsyncFnOnce() -> Result<Option<V>, ServiceError>,
    ) -> Result<Cached<V>, ServiceError> {
        let entry = self.entry(key);
        let fresh = entry.fresh(&self.keep);
        observe_cache(self.name, fresh.is_some());
        if let Some(fresh) = fresh {
            return Ok(fresh);
        }
        let asked = Instant::now();
        if let Some(pilot) = entry.flight.lead_or_wait().await {
            let loaded = self.load(&entry, load).await;
            pilot.finish();
            return loaded;
        }
        let brought = entry.loaded_since(asked, &self.keep);
        brought.or_else(|| entry.serveable(&self.keep)).ok_or_else(|| {
            unavailable(format!("a concurrent load of the cache {} failed", self.name))
        })
    }

    /// Removes a key.
    pub fn forget(&self, key: &K) {
        self.entries().remove(key);
    }

    async fn load(
        &self,
        entry: &Entry<V>,
        load: impl AsyncFnOnce() -> Result<Option<V>, ServiceError>,
    ) -> Result<Cached<V>, ServiceError> {
        match load().await {
            Ok(value) => {
                let value = value.map(Arc::new);
                let kept = Kept { value, loaded: Since::now(), failed: None };
                let cached = kept.cached(&self.keep);
                *entry.kept() = Some(kept);
                Ok(cached)
            }
            Err(fault) => {
                if let Some(kept) = entry.kept().as_mut() {
                    kept.failed = Some(Since::now());
                }
                let stale = entry.serveable(&self.keep).ok_or(fault)?;
                tracing::warn!(
                    cache = self.name,
                    age_s = stale.age.as_secs(),
                    "load failed; serving the stale value"
                );
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
        let entry =
            Entry { kept: Mutex::new(None), flight: SingleFlight::default(), used: now.into() };
        Arc::clone(entries.entry(key.clone()).or_insert(Arc::new(entry)))
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<K, Arc<Entry<V>>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Entry<V> {
    /// A value that needs no load: fresh, or stale within the pause after a failed load.
    fn fresh(&self, keep: &CachePolicy) -> Option<Cached<V>> {
        let kept = self.kept();
        let kept = kept.as_ref()?;
        let cached = kept.cached(keep);
        let away = kept.failed.is_some_and(|at| at.elapsed() < BETWEEN_TRIES);
        (!cached.left.is_zero() || (away && kept.serves(keep))).then_some(cached)
    }

    /// The result of a load that others waited for, also if its lifetime has ended.
    fn loaded_since(&self, asked: Instant, keep: &CachePolicy) -> Option<Cached<V>> {
        let kept = self.kept();
        let kept = kept.as_ref().filter(|kept| kept.loaded.instant() >= asked)?;
        Some(kept.cached(keep))
    }

    /// A value that may be served although the load failed.
    fn serveable(&self, keep: &CachePolicy) -> Option<Cached<V>> {
        let kept = self.kept();
        let kept = kept.as_ref().filter(|kept| kept.serves(keep))?;
        Some(kept.cached(keep))
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept<V>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Kept<V> {
    fn cached(&self, keep: &CachePolicy) -> Cached<V> {
        let age = self.loaded.elapsed();
        let left = self.lifetime(keep).saturating_sub(age);
        Cached { value: self.value.clone(), age, left }
    }

    fn lifetime(&self, keep: &CachePolicy) -> Duration {
        if self.value.is_some() { keep.found } else { keep.missing }
    }

    /// A miss is not served beyond its short lifetime: the value may exist by now.
    fn serves(&self, keep: &CachePolicy) -> bool {
        let end = if self.value.is_some() { keep.stale } else { keep.missing };
        self.loaded.elapsed() < end
    }
}
