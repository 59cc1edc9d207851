//! The rate limit of one subject, such as an e-mail address, from all callers together.

use std::sync::Arc;
use std::time::Duration;

use super::attempts::AttemptLimiter;
use crate::Permit;
use crate::error::RetrieveError;
use crate::ports::Store;

/// The maximum number of requests about one subject in a window, from all callers together, as an
/// endpoint declares it.
///
/// An [`AttemptLimiter`] counts each request before stage 6, also one that fails later. A count that
/// depends on data, or is given back, needs an `AttemptLimiter` in stage 6.
pub struct SubjectLimit<C> {
    /// Separates the counters of this limit from those of others.
    pub name: &'static str,
    /// The kind of subject, for the API description, such as `e-mail address`.
    pub subject: &'static str,
    /// The maximum number of requests.
    pub quota: u32,
    /// The length of a window; windows begin at multiples of it.
    pub window: Duration,
    /// Returns the subject of a command. Its counters are stored under a hash of it.
    pub of: fn(&C) -> String,
}

impl<C> SubjectLimit<C> {
    /// The limit, with its counters in this store.
    pub(crate) fn counted_in(self, store: Arc<dyn Store>) -> SubjectLimiter<C> {
        let attempts = AttemptLimiter::of(store, self.name, self.quota, self.window);
        SubjectLimiter { attempts, subject_of: self.of }
    }
}

/// Counts requests by their subject.
pub(crate) struct SubjectLimiter<C> {
    attempts: AttemptLimiter,
    subject_of: fn(&C) -> String,
}

impl<C> SubjectLimiter<C> {
    /// Counts a request; an error if there have been too many about its subject.
    pub(crate) async fn charge<K>(
        &self,
        permit: &Permit<K>,
        command: &C,
    ) -> Result<(), RetrieveError> {
        self.attempts.acquire(permit, &(self.subject_of)(command)).await.map(drop)
    }
}
