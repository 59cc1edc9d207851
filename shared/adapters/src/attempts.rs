//! Failed attempts, counted where guessing pays.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lifecycle::platform::{Count, Counter, Platform};
use lifecycle::{Fault, Moment, Permit};
use sha2::{Digest, Sha256};

/// Limits how often something may fail for one subject, such as signing in with one e-mail
/// address, whoever tries.
///
/// Attempts that run at the same moment all see the count before any of them has failed, so the
/// limit can be overshot by as many as run at once; the limit per address, which is exact and in
/// front of this one, bounds that.
#[derive(Clone)]
pub struct Attempts {
    platform: Arc<dyn Platform>,
    name: &'static str,
    failures_max: u32,
    window: Duration,
}

impl Attempts {
    /// At most so many failures in each window of time. The name keeps limits of different
    /// things apart.
    pub fn new(
        platform: impl Platform,
        name: &'static str,
        failures_max: u32,
        window: Duration,
    ) -> Self {
        Self { platform: Arc::new(platform), name, failures_max, window }
    }

    /// Whether the subject may try.
    ///
    /// When the count cannot be read the attempt is allowed: the store being away must not lock
    /// everybody out.
    ///
    /// # Errors
    ///
    /// [`Fault::Limited`] when it has failed too often, with the seconds until the next window.
    pub async fn check<C>(&self, permit: &Permit<C>, subject: &str) -> Result<(), Fault> {
        self.check_at(permit.moment(), subject).await
    }

    /// Counts a failure.
    pub async fn failed<C>(&self, permit: &Permit<C>, subject: &str) {
        self.failed_at(permit.moment(), subject).await;
    }

    async fn check_at(&self, moment: &Moment, subject: &str) -> Result<(), Fault> {
        let window = self.window_at(moment);
        match self.platform.count(&self.counter(&window, subject, 0)).await {
            Ok(Count::Total(failures)) if failures < self.failures_max => Ok(()),
            Ok(Count::Total(_) | Count::Exceeded) => {
                Err(Fault::Limited { retry_after_s: window.left_s })
            }
            Err(fault) => {
                self.warn("attempts are not limited", &fault);
                Ok(())
            }
        }
    }

    async fn failed_at(&self, moment: &Moment, subject: &str) {
        let window = self.window_at(moment);
        if let Err(fault) = self.platform.count(&self.counter(&window, subject, 1)).await {
            self.warn("a failed attempt was not counted", &fault);
        }
    }

    fn warn(&self, message: &str, fault: &Fault) {
        tracing::warn!(limit = self.name, error = fault as &dyn std::error::Error, "{message}");
    }

    /// The subject is kept as a hash: it may be an e-mail address.
    fn counter(&self, window: &Window, subject: &str, amount: u32) -> Counter {
        let digest = Sha256::new()
            .chain_update(self.name)
            .chain_update([0])
            .chain_update(subject)
            .finalize();
        let digest = BASE64_URL_SAFE_NO_PAD.encode(digest);
        Counter {
            key: format!("{}#{digest}#{}", self.name, window.number),
            amount,
            maximum: None,
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

/// A window of time, counted from 1970.
struct Window {
    number: i64,
    left_s: u32,
    ends: lifecycle::Timestamp,
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use lifecycle::Timestamp;
    use lifecycle::effects::{Mail, Queue};
    use lifecycle::platform::{CommitError, Hidden, Outgoing, Transaction};
    use lifecycle::record::{Key, Table};
    use serde_dynamo::Item;

    use super::*;
    use crate::faults::unavailable;

    /// Counts in memory, unless it is away.
    #[derive(Default)]
    struct Store {
        counts: Mutex<HashMap<String, u32>>,
        away: bool,
    }

    #[async_trait]
    impl Platform for Store {
        async fn count(&self, counter: &Counter) -> Result<Count, Fault> {
            if self.away {
                return Err(unavailable("away"));
            }
            let mut counts = self.counts.lock().unwrap();
            let total = counts.entry(counter.key.clone()).or_default();
            *total += counter.amount;
            Ok(Count::Total(*total))
        }

        async fn commit(&self, _: &Transaction) -> Result<(), CommitError> {
            unreachable!("attempts only count")
        }
        async fn read(&self, _: Table, _: &Key) -> Result<Option<Item>, Fault> {
            unreachable!("attempts only count")
        }
        async fn send(&self, _: &[Outgoing]) -> Vec<(usize, Fault)> {
            unreachable!("attempts only count")
        }
        async fn hide(&self, _: Queue, _: &[Hidden]) -> Result<(), Fault> {
            unreachable!("attempts only count")
        }
        async fn bury(&self, _: Queue, _: &str, _: &str) -> Result<(), Fault> {
            unreachable!("attempts only count")
        }
        async fn mail(&self, _: &Mail) -> Result<(), Fault> {
            unreachable!("attempts only count")
        }
        async fn export(&self, _: &str, _: &[(String, String)], _: Vec<u8>) -> Result<(), Fault> {
            unreachable!("attempts only count")
        }
        async fn warm(&self) {}
    }

    fn at(seconds: i64) -> Moment {
        Moment::new(Timestamp::from_millis(seconds * 1000), [0; 32])
    }

    fn attempts(store: Store) -> Attempts {
        Attempts::new(store, "sign-in", 5, Duration::from_mins(1))
    }

    #[tokio::test]
    async fn the_sixth_attempt_after_five_failures_waits_for_the_next_window() {
        let attempts = attempts(Store::default());
        for _ in 0..5 {
            attempts.check_at(&at(70), "ada").await.unwrap();
            attempts.failed_at(&at(70), "ada").await;
        }
        let refused = attempts.check_at(&at(75), "ada").await;
        assert!(matches!(refused, Err(Fault::Limited { retry_after_s: 45 })));
        attempts.check_at(&at(75), "bob").await.unwrap();
        attempts.check_at(&at(120), "ada").await.unwrap();
    }

    #[tokio::test]
    async fn success_is_not_counted() {
        let attempts = attempts(Store::default());
        for _ in 0..20 {
            attempts.check_at(&at(0), "ada").await.unwrap();
        }
    }

    #[tokio::test]
    async fn nobody_is_locked_out_by_a_store_that_is_away() {
        let attempts = attempts(Store { away: true, ..Store::default() });
        attempts.failed_at(&at(0), "ada").await;
        attempts.check_at(&at(0), "ada").await.unwrap();
    }

    #[test]
    fn the_subject_is_not_to_be_read_in_the_key() {
        let attempts = attempts(Store::default());
        let counter = attempts.counter(&attempts.window_at(&at(0)), "ada@example.com", 1);
        assert!(!counter.key.contains("ada"), "{}", counter.key);
    }
}
