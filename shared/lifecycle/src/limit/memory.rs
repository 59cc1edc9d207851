//! Counters of one execution environment, used while the store is unavailable.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Timestamp;
use crate::ports::Counter;
use crate::since::{Since, between};

/// How long a refusal by the store is remembered.
const REFUSAL: Duration = Duration::from_secs(1);
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
    /// The last refusal by the store.
    refused: Option<Since>,
    begun: Since,
    lifetime: Duration,
}

impl Kept {
    fn is_expired(&self, now: Timestamp) -> bool {
        self.begun.age(now) >= self.lifetime
    }
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
            kept.refused = Some(Since::at(now));
        }
    }

    /// Whether the store has refused this key within the last second.
    pub fn has_just_refused(&self, key: &str, now: Timestamp) -> bool {
        let refused = self.counters().get(key).and_then(|kept| kept.refused);
        refused.is_some_and(|refused| refused.age(now) < REFUSAL)
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
        counters.retain(|_, kept| !kept.is_expired(now));
        if counters.len() >= COUNTERS_MAX {
            return None;
        }
    }
    let lifetime = between(now, counter.expires_at);
    let new = Kept { count: 0, refused: None, begun: Since::at(now), lifetime };
    Some(counters.entry(counter.key.clone()).or_insert(new))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

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

    #[tokio::test(start_paused = true)]
    async fn refusals_and_counters_end_although_the_clock_is_set_back() {
        let (memory, half_a_second) = (Memory::default(), Duration::from_millis(500));
        let [now, set_back] = [50_000, 10_000].map(Timestamp::from_millis);
        memory.refused(&counter("0", 1), now);
        advance(half_a_second).await;
        assert!(memory.has_just_refused("0", set_back));
        advance(half_a_second).await;
        assert!(!memory.has_just_refused("0", set_back));

        for n in 1..COUNTERS_MAX {
            assert_eq!(memory.count(&counter(&n.to_string(), 1), 2, now), Some(1));
        }
        assert_eq!(memory.count(&counter("one more", 1), 2, set_back), None);
        advance(Duration::from_secs(10)).await;
        assert_eq!(memory.count(&counter("one more", 1), 2, set_back), Some(1));
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
