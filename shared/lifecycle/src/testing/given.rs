//! The time and the randomness of a test.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::Timestamp;
use crate::clock::fixed;

/// The time and the seed of ids that a test has set, and the number of invocations so far.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) now: Timestamp,
    pub(super) seed: [u8; 32],
    invocations: AtomicU64,
}

impl Given {
    /// 2027-01-15 08:00 UTC, and a seed of zeros.
    pub(super) fn usual() -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        Self { now, seed: [0; 32], invocations: AtomicU64::new(0) }
    }

    /// Runs an invocation. Its ids follow from the seed and the number of invocations before it.
    pub(super) async fn run<F: Future>(&self, invocation: F) -> F::Output {
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::new().chain_update(self.seed).chain_update(number.to_be_bytes());
        fixed::at(self.now, digest.finalize().into(), invocation).await
    }
}
