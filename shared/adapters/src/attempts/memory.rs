//! What one execution environment counts by itself while the store does not.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lifecycle::Timestamp;
use lifecycle::platform::Counter;

/// For how long a refusal of the store is believed.
const REFUSAL_S: i64 = 1;
/// The most counters that are kept. Where there are more, nothing new is allowed until one ends.
const COUNTERS_MAX: usize = 10_000;

/// Counters in memory.
pub(super) struct Memory {
    maximum: u32,
    counters: Mutex<HashMap<String, Kept>>,
}

#[derive(Clone, Copy)]
struct Kept {
    count: u32,
    refused_until: Timestamp,
    ends: Timestamp,
}

impl Memory {
    /// Counts up to so many for each counter.
    pub(super) fn allowing(maximum: u32) -> Self {
        Self { maximum, counters: Mutex::default() }
    }

    /// Counts, if that is allowed.
    pub(super) fn count(&self, counter: &Counter, now: Timestamp) -> bool {
        let mut counters = self.counters();
        let Some(kept) = kept(&mut counters, counter, now) else { return false };
        let allowed = kept.count < self.maximum;
        kept.count += u32::from(allowed);
        allowed
    }

    /// Takes back what was counted.
    pub(super) fn give_back(&self, counter: &Counter) {
        if let Some(kept) = self.counters().get_mut(&counter.key) {
            kept.count = kept.count.saturating_sub(1);
        }
    }

    /// Notes that the store has refused.
    pub(super) fn refused(&self, counter: &Counter, now: Timestamp) {
        if let Some(kept) = kept(&mut self.counters(), counter, now) {
            kept.refused_until = now.plus_seconds(REFUSAL_S);
        }
    }

    /// Whether the store has refused a moment ago.
    pub(super) fn has_just_refused(&self, key: &str, now: Timestamp) -> bool {
        self.counters().get(key).is_some_and(|kept| now < kept.refused_until)
    }

    fn counters(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kept<'a>(
    counters: &'a mut HashMap<String, Kept>,
    counter: &Counter,
    now: Timestamp,
) -> Option<&'a mut Kept> {
    if counters.len() >= COUNTERS_MAX && !counters.contains_key(&counter.key) {
        counters.retain(|_, kept| now < kept.ends);
        if counters.len() >= COUNTERS_MAX {
            return None;
        }
    }
    let new = Kept { count: 0, refused_until: now, ends: counter.expires_at };
    Some(counters.entry(counter.key.clone()).or_insert(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(key: &str) -> Counter {
        let expires_at = Timestamp::from_millis(60_000);
        Counter { key: key.to_owned(), amount: 1, maximum: Some(5), expires_at }
    }

    #[test]
    fn a_full_memory_allows_nothing_new_until_something_ends() {
        let memory = Memory::allowing(2);
        for n in 0..COUNTERS_MAX {
            assert!(memory.count(&counter(&n.to_string()), Timestamp::from_millis(0)));
        }
        assert!(!memory.count(&counter("one more"), Timestamp::from_millis(59_999)));
        assert!(memory.count(&counter("7"), Timestamp::from_millis(59_999)));
        assert!(memory.count(&counter("one more"), Timestamp::from_millis(60_000)));
    }
}
