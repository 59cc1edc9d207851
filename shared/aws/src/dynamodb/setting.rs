//! Settings that an operator can change while the system runs, cached for a minute.

use std::sync::Arc;
use std::time::Duration;

use lifecycle::record::Singleton;
use lifecycle::{Permit, ServiceError};

use crate::{Aws, Cache, CachePolicy, Table};

/// A change takes effect everywhere within a minute. While the setting cannot be read, or the
/// stored one is invalid, the last good one stays in effect.
const KEPT: CachePolicy = CachePolicy {
    found: Duration::from_mins(1),
    missing: Duration::ZERO,
    stale: Duration::MAX,
    entries_max: 1,
};

/// The only record of its type, mostly read from memory.
///
/// Cheap to clone; clones share the cache.
pub struct CachedSetting<S>(Arc<Inner<S>>);

struct Inner<S> {
    table: Table<S>,
    cache: Cache<(), S>,
}

impl Aws {
    /// A setting. It is read while the function starts, so that the first request need not wait for
    /// it.
    ///
    /// # Panics
    ///
    /// As [`Aws::table`].
    pub fn setting<S: Singleton + 'static>(&self) -> CachedSetting<S> {
        let cache = Cache::new(S::TABLE.name(), KEPT);
        let setting = CachedSetting(Arc::new(Inner { table: self.table(), cache }));
        self.prepare_read(S::TABLE, &setting.0, |first| async move {
            // Ignore the error: the first caller retries and reports it.
            let _ = CachedSetting(first).read().await;
        });
        setting
    }
}

impl<S: Singleton> CachedSetting<S> {
    /// The setting as it was within the last minute; its default if none is stored.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is invalid, and no read since the start has succeeded.
    pub async fn get<C>(&self, _: &Permit<C>) -> Result<S, ServiceError> {
        self.read().await
    }

    pub(crate) async fn read(&self) -> Result<S, ServiceError> {
        let Inner { table, cache } = &*self.0;
        let held = cache.get(&(), async || table.load_the_one(false).await.map(Some));
        let value = held.await?.value;
        Ok(value.map(Arc::unwrap_or_clone).unwrap_or_default())
    }
}

impl<S> Clone for CachedSetting<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
