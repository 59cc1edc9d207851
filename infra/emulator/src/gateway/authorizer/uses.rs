//! The uses of an authorizer's cache.

use std::sync::atomic::{AtomicU64, Ordering};

/// The uses of a cache since the start.
#[derive(Debug, Default)]
pub(super) struct Uses {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Uses {
    pub(super) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    pub(super) fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }
}
