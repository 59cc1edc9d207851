//! Counters of one execution environment, used while the store is unavailable.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Timestamp;
use crate::ports::Counter;

/// How long a refusal by the store is remembered, in seconds.
const REFUSAL_S: i64 = 1;
/// The maximum number of counters. Beyond it, new keys are refused until a counter expires.
const COUNTERS_MAX: usize = 10_000;

/// Counters in memory, a replacement for those of an unavailable store.
#[derive(Debug, Default)]
pub struct Memory {
    counters: Mutex<HashMap<String, Kept>>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    count: u32,
    refused_until: Timestamp,
    ends: Timestamp,
}

impl Memory {
    /// Adds the counter's amount and returns the total; `None`, without counting, if the total
    /// would exceed the maximum.
    pub fn count(&self, counter: &Counter, maximum: u32, now: Timestamp) -> Option<u32> {
        let mut counters = self.counters();
        let kept = kept(&mut counters, counter, now)?;
        let total = kept.count.saturating_add(counter.amount.unsigned_abs());
        if total > maximum {
            return None;
        }
        kept.count = total;
        Some(total)
    }

    /// Takes back an earlier count.
    pub fn give_back(&self, counter: &Counter) {
        if let Some(kept) = self.counters().get_mut(&counter.key) {
            kept.count = kept.count.saturating_sub(counter.amount.unsigned_abs());
        }
    }

    /// Records a refusal by the store.
    pub fn refused(&self, counter: &Counter, now: Timestamp) {
        if let Some(kept) = kept(&mut self.counters(), counter, now) {
            kept.refused_until = now.plus_seconds(REFUSAL_S);
        }
    }

    /// Whether the store has refused this key within the last second.
    pub fn has_just_refused(&self, key: &str, now: Timestamp) -> bool {
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

    fn counter(key: &str, amount: i32) -> Counter {
        let expires_at = Timestamp::from_millis(60_000);
        Counter { key: key.to_owned(), amount, maximum: Some(5), expires_at }
    }

    #[test]
    fn a_full_memory_refuses_new_keys_until_a_counter_expires() {
        let memory = Memory::default();
        let count =
            |key: &str, now_ms| memory.count(&counter(key, 1), 2, Timestamp::from_millis(now_ms));
        for n in 0..COUNTERS_MAX {
            assert_eq!(count(&n.to_string(), 0), Some(1));
        }
        assert_eq!(count("one more", 59_999), None);
        assert_eq!(count("7", 59_999), Some(2));
        assert_eq!(count("one more", 60_000), Some(1));
    }

    #[test]
    fn an_amount_above_the_rest_is_refused_and_not_counted() {
        let memory = Memory::default();
        let now = Timestamp::from_millis(0);
        for (amount, total) in [(3, Some(3)), (3, None), (2, Some(5)), (1, None)] {
            assert_eq!(memory.count(&counter("a", amount), 5, now), total, "{amount}");
        }
        memory.give_back(&counter("a", 2));
        assert_eq!(memory.count(&counter("a", 2), 5, now), Some(5));
    }
}
