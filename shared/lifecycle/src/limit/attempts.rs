//! Limits on attempts that could be guesses, such as sign-ins.

mod once;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use self::CountedBy::{InMemory, InStore};
use super::limiter::RATE_LIMITER_UNAVAILABLE;
use super::memory::Memory;
use crate::error::{RetrieveError, ServiceError};
use crate::ports::{Count, Counter, Store};
use crate::telemetry::observe_error;
use crate::{Moment, Permit, Timestamp};

/// Failed attempts are answered after a multiple of this. It is longer than any attempt takes on an
/// idle processor.
const HELD_BACK: Duration = Duration::from_millis(250);

/// Limits how often something may be tried for one subject, such as signing in with one e-mail
/// address from one source.
///
/// An attempt is counted before it is made, by one conditional update, so that concurrent attempts
/// cannot pass the limit together. An attempt that should not count is given back.
///
/// If the store fails or throttles, each execution environment counts in its own memory and allows
/// half as many. A subject that was just refused is refused for one more second without a call of
/// the store. Failed conditional writes count as writes, and an item takes only 1,000 writes a
/// second.
#[derive(Clone)]
pub struct AttemptLimiter {
    store: Arc<dyn Store>,
    name: &'static str,
    maximum: u32,
    window: Duration,
    memory: Arc<Memory>,
}

impl AttemptLimiter {
    /// Allows `maximum` attempts in each window. The name separates limits of different things.
    pub fn new(store: impl Store, name: &'static str, maximum: u32, window: Duration) -> Self {
        Self::of(Arc::new(store), name, maximum, window)
    }

    /// The same, in a shared store.
    pub(super) fn of(
        store: Arc<dyn Store>,
        name: &'static str,
        maximum: u32,
        window: Duration,
    ) -> Self {
        Self { store, name, maximum, window, memory: Arc::default() }
    }

    /// Counts an attempt that is about to be made.
    ///
    /// # Errors
    ///
    /// [`RetrieveError::RateLimited`] when there have been too many, with the seconds until the
    /// next window.
    pub async fn acquire<C>(
        &self,
        permit: &Permit<C>,
        subject: &str,
    ) -> Result<CountedAttempt, RetrieveError> {
        self.count_at(permit.moment(), subject).await
    }

    async fn count_at(
        &self,
        moment: &Moment,
        subject: &str,
    ) -> Result<CountedAttempt, RetrieveError> {
        let began = Instant::now();
        let window = self.window_at(moment);
        let counter = self.counter(&window, subject);
        let limited = RetrieveError::RateLimited { retry_after_s: window.left_s };
        if self.memory.has_just_refused(&counter.key, moment.now()) {
            return Err(limited);
        }
        let counter = match self.store.count(&counter).await {
            Ok(Count::Total(_)) => InStore(counter),
            Ok(Count::Exceeded) => {
                self.memory.refused(&counter, moment.now());
                return Err(limited);
            }
            Err(fault) => {
                warn(self.name, "attempt counted in memory only: the store failed", &fault);
                observe_error(RATE_LIMITER_UNAVAILABLE);
                let maximum = (self.maximum / 2).max(1);
                match self.memory.count(&counter, maximum, moment.now()) {
                    Some(_) => InMemory(counter),
                    None => return Err(limited),
                }
            }
        };
        Ok(CountedAttempt { attempts: self.clone(), counter, began })
    }

    /// The subject is stored as a hash, because it may be an e-mail address.
    fn counter(&self, window: &Window, subject: &str) -> Counter {
        let digest = Sha256::new()
            .chain_update(self.name)
            .chain_update([0])
            .chain_update(subject)
            .finalize();
        let digest = BASE64_URL_SAFE_NO_PAD.encode(digest);
        Counter {
            key: format!("{}#{digest}#{}", self.name, window.number),
            amount: 1,
            maximum: Some(self.maximum),
            expires_at: window.ends,
        }
    }

    fn window_at(&self, moment: &Moment) -> Window {
        let length = i64::try_from(self.window.as_secs()).unwrap_or(i64::MAX).max(1);
        let now = moment.now().as_seconds();
        let left = length - now.rem_euclid(length);
        Window {
            number: now.div_euclid(length),
            left_s: u32::try_from(left).unwrap_or(u32::MAX),
            ends: moment.now().plus_seconds(left),
        }
    }
}

/// An attempt that was counted.
pub struct CountedAttempt {
    attempts: AttemptLimiter,
    counter: CountedBy,
    began: Instant,
}

enum CountedBy {
    InStore(Counter),
    InMemory(Counter),
}

impl CountedAttempt {
    /// Waits until a failed attempt may be answered: until a multiple of a quarter of a second
    /// after it began. So the response time does not reveal why it failed.
    pub async fn delay_response(self) {
        sleep(left(self.began.elapsed())).await;
    }

    /// Takes the attempt out of the count. If that fails, it stays counted: the limit is then
    /// reached too early.
    pub async fn release(self) {
        let counted = match self.counter {
            InStore(counted) => counted,
            InMemory(counted) => return self.attempts.memory.give_back(&counted),
        };
        let back = Counter { amount: -counted.amount, maximum: None, ..counted };
        if let Err(fault) = self.attempts.store.count(&back).await {
            warn(self.attempts.name, "giving an attempt back failed; it stays counted", &fault);
        }
    }
}

/// The time until the next multiple of a quarter of a second.
fn left(elapsed: Duration) -> Duration {
    let whole = HELD_BACK.as_nanos();
    let left = whole - elapsed.as_nanos() % whole;
    Duration::from_nanos(u64::try_from(left).unwrap_or_default())
}

fn warn(limit: &str, message: &str, fault: &ServiceError) {
    tracing::warn!(limit, error = fault as &dyn std::error::Error, "{message}");
}

/// A window of time. Its number counts from 1970.
struct Window {
    number: i64,
    left_s: u32,
    ends: Timestamp,
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use async_trait::async_trait;
    use futures::future::join_all;
    use serde_dynamo::Item;

    use super::*;
    use crate::ports::{CommitError, Transaction};
    use crate::record::{Key, TableName};

    /// Counts in memory; fails when `away` is set.
    #[derive(Default)]
    pub(super) struct Counts {
        counts: Mutex<HashMap<String, i32>>,
        asked: AtomicUsize,
        away: bool,
    }

    #[async_trait]
    impl Store for Counts {
        async fn count(&self, counter: &Counter) -> Result<Count, ServiceError> {
            self.asked.fetch_add(1, Relaxed);
            if self.away {
                return Err(ServiceError::internal("away"));
            }
            let mut counts = self.counts.lock().unwrap();
            let total = counts.entry(counter.key.clone()).or_default();
            let sum = *total + counter.amount;
            if counter.maximum.is_some_and(|maximum| sum > i32::try_from(maximum).unwrap()) {
                return Ok(Count::Exceeded);
            }
            *total = sum;
            Ok(Count::Total(u32::try_from(sum).unwrap()))
        }

        async fn commit(&self, _: &Transaction) -> Result<(), CommitError> {
            unreachable!("attempts only count")
        }
        async fn read(&self, _: TableName, _: &Key) -> Result<Option<Item>, ServiceError> {
            unreachable!("attempts only count")
        }
    }

    pub(super) fn at(seconds: i64) -> Moment {
        Moment::new(Timestamp::from_millis(seconds * 1000), [0; 32])
    }

    fn attempts(store: Counts) -> AttemptLimiter {
        AttemptLimiter::new(store, "sign-in", 5, Duration::from_mins(1))
    }

    #[tokio::test]
    async fn the_sixth_attempt_in_a_window_is_limited() {
        let attempts = attempts(Counts::default());
        for _ in 0..5 {
            attempts.count_at(&at(70), "ada").await.unwrap();
        }
        let refused = attempts.count_at(&at(75), "ada").await;
        assert!(matches!(refused, Err(RetrieveError::RateLimited { retry_after_s: 45 })));
        attempts.count_at(&at(75), "bob").await.unwrap();
        attempts.count_at(&at(120), "ada").await.unwrap();
    }

    #[tokio::test]
    async fn an_attempt_given_back_does_not_count() {
        let attempts = attempts(Counts::default());
        for _ in 0..20 {
            attempts.count_at(&at(0), "ada").await.unwrap().release().await;
        }
    }

    #[tokio::test]
    async fn of_20_concurrent_attempts_5_are_admitted() {
        let attempts = attempts(Counts::default());
        let moment = at(0);
        let all = join_all((0..20).map(|_| attempts.count_at(&moment, "ada"))).await;
        assert_eq!(all.iter().filter(|counted| counted.is_ok()).count(), 5);
    }

    #[tokio::test]
    async fn while_the_store_fails_half_as_many_attempts_are_admitted() {
        let attempts = attempts(Counts { away: true, ..Counts::default() });
        for _ in 0..2 {
            attempts.count_at(&at(0), "ada").await.unwrap();
        }
        for _ in 0..20 {
            let refused = attempts.count_at(&at(1), "ada").await;
            assert!(matches!(refused, Err(RetrieveError::RateLimited { retry_after_s: 59 })));
        }
        attempts.count_at(&at(1), "bob").await.unwrap();
        attempts.count_at(&at(60), "ada").await.unwrap();
    }

    #[tokio::test]
    async fn an_attempt_is_given_back_although_its_limit_was_lowered() {
        let store = Arc::new(Counts::default());
        let shared = || Arc::clone(&store) as Arc<dyn Store>;
        let before = AttemptLimiter::of(shared(), "sign-in", 5, Duration::from_mins(1));
        let mut counted = Vec::new();
        for _ in 0..5 {
            counted.push(before.count_at(&at(0), "ada").await.unwrap());
        }
        let mut attempt = counted.pop().unwrap();
        if let InStore(counter) = &mut attempt.counter {
            counter.maximum = Some(1);
        }
        attempt.release().await;
        assert_eq!(store.counts.lock().unwrap().values().copied().collect::<Vec<_>>(), [4]);
    }

    #[tokio::test]
    async fn an_attempt_that_cannot_be_given_back_stays_counted_and_is_logged() {
        let logged = crate::telemetry::log::captured::Captured::start();
        let present = attempts(Counts::default());
        let away = attempts(Counts { away: true, ..Counts::default() });
        let mut attempt = present.count_at(&at(0), "ada").await.unwrap();
        attempt.attempts = away;
        attempt.release().await;
        let lines = logged.of("giving an attempt back failed; it stays counted");
        assert_eq!((lines.len(), &lines[0]["limit"]), (1, &"sign-in".into()));
    }

    #[tokio::test]
    async fn an_attempt_given_back_does_not_count_in_memory_either() {
        let attempts = attempts(Counts { away: true, ..Counts::default() });
        for _ in 0..20 {
            attempts.count_at(&at(0), "ada").await.unwrap().release().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_subject_is_refused_for_a_second_without_a_write() {
        let store = Arc::new(Counts::default());
        let attempts = AttemptLimiter::of(
            Arc::clone(&store) as Arc<dyn Store>,
            "sign-in",
            5,
            Duration::from_mins(1),
        );
        for _ in 0..1_000 {
            drop(attempts.count_at(&at(0), "ada").await);
        }
        assert_eq!(store.asked.load(Relaxed), 6);
        drop(attempts.count_at(&at(1), "ada").await);
        assert_eq!(store.asked.load(Relaxed), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_attempt_is_answered_at_a_multiple_of_250_ms() {
        let attempts = attempts(Counts::default());
        for (took_ms, answered_ms) in [(0, 250), (38, 250), (249, 250), (250, 500), (260, 500)] {
            let attempt = attempts.count_at(&at(took_ms * 60), "ada").await.unwrap();
            let began = attempt.began;
            tokio::time::advance(Duration::from_millis(took_ms.unsigned_abs())).await;
            attempt.delay_response().await;
            assert_eq!(began.elapsed(), Duration::from_millis(answered_ms), "{took_ms} ms");
        }
    }

    #[test]
    fn the_key_does_not_reveal_the_subject() {
        let attempts = attempts(Counts::default());
        let counter = attempts.counter(&attempts.window_at(&at(0)), "ada@example.com");
        assert!(!counter.key.contains("ada"), "{}", counter.key);
    }
}
