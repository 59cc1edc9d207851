//! Secrets, read once and cached.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use lifecycle::ServiceError;
use lifecycle::background::{self, Spawned};
use lifecycle::error::BoxError;
use lifecycle::since::Since;
use tokio::time::{Instant, timeout};

use super::pauses::{Failing, Pauses};
use crate::Aws;
use crate::cache::single_flight::SingleFlight;
use crate::errors::{fault, unavailable};

/// After this age a secret is refreshed in the background (stale-while-revalidate).
pub(crate) const FRESH: Duration = Duration::from_mins(5);
/// Up to this age the last good value is used when Secrets Manager fails.
pub(crate) const USABLE: Duration = Duration::from_hours(1);
/// Pause after a failed refresh while a value can still be used.
const BETWEEN_TRIES: Duration = Duration::from_secs(30);
/// How long a caller with a usable value waits for a refresh after one that did not succeed.
const REFRESHED_WITHIN: Duration = Duration::from_secs(1);
/// How our own secrets are cached. Without a usable value, only one request at a time waits for
/// Secrets Manager. Requests succeed again a few seconds after it recovers.
const OURS: Holding = Holding {
    fresh: FRESH,
    usable: USABLE,
    within: Duration::from_secs(5),
    pauses: Pauses { first: Duration::from_millis(250), longest: Duration::from_secs(10) },
};

/// How long a value is cached, and how its reads are limited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holding {
    /// After this age the value is refreshed in the background.
    pub(crate) fresh: Duration,
    /// Up to this age the last good value is used when a read fails.
    pub(crate) usable: Duration,
    /// How long one read may take.
    pub(crate) within: Duration,
    /// Pauses after failed reads while no value can be used.
    pub(crate) pauses: Pauses,
}

/// A secret in its parsed form. It is parsed when it is read, not at each use.
///
/// Cheap to clone; clones share the cache.
pub struct Secret<T>(Arc<Inner<T>>);

type Fetch<T> = Box<dyn Fn() -> BoxFuture<'static, Result<T, ServiceError>> + Send + Sync>;

struct Inner<T> {
    name: &'static str,
    holding: Holding,
    fetch: Fetch<T>,
    kept: Mutex<Option<Kept<T>>>,
    failing: Mutex<Option<Failing>>,
    flight: SingleFlight,
}

struct Kept<T> {
    value: Arc<T>,
    fetched: Since,
    tried: Since,
}

/// When a usable value needs a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    No,
    InBackground,
    /// The last refresh did not succeed. Lambda freezes a process after its response, and a refresh
    /// with it: while the caller waits, it is not frozen.
    AtOnce,
}

impl Aws {
    /// A secret by its logical name, parsed by `parse`.
    ///
    /// It is fetched while the function starts, so that the first request need not wait for it.
    ///
    /// The errors of `parse` go to the log, so they must not contain any part of the secret.
    ///
    /// # Panics
    ///
    /// When the function's `RESOURCES` lacks the secret. Its first start shows this bug.
    pub fn secret<T: Send + Sync + 'static>(
        &self,
        name: &'static str,
        parse: fn(&str) -> Result<T, BoxError>,
    ) -> Secret<T> {
        assert!(self.configuration().secret(name).is_some(), "RESOURCES lacks the secret {name}");
        let aws = self.clone();
        let secret = Secret::new(name, move || {
            let aws = aws.clone();
            Box::pin(async move {
                let text = aws.secret_text(name).await?;
                parse(&text)
                    .map_err(|error| ServiceError::internal(format!("secret {name}: {error}")))
            })
        });
        self.prepare(&secret.0, |first| async move {
            Secret(first).read_ahead().await;
        });
        secret
    }

    /// The secret's current version, from Secrets Manager.
    pub(crate) async fn secret_text(&self, name: &'static str) -> Result<String, ServiceError> {
        let id = self.configuration().secret(name);
        let id =
            id.ok_or_else(|| ServiceError::internal(format!("RESOURCES lacks the secret {name}")))?;
        let answer = self.secrets_manager().get_secret_value().secret_id(id).send().await;
        let answer = answer.map_err(|error| fault("GetSecretValue", name, error))?;
        answer
            .secret_string
            .ok_or_else(|| ServiceError::internal(format!("secret {name} is not text")))
    }
}

impl<T: Send + Sync + 'static> Secret<T> {
    /// A secret that `fetch` reads.
    pub(crate) fn new(
        name: &'static str,
        fetch: impl Fn() -> BoxFuture<'static, Result<T, ServiceError>> + Send + Sync + 'static,
    ) -> Self {
        Self::held(name, OURS, fetch)
    }

    /// A value that is cached like a secret, with other times: public keys of other issuers.
    pub(crate) fn held(
        name: &'static str,
        holding: Holding,
        fetch: impl Fn() -> BoxFuture<'static, Result<T, ServiceError>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            holding,
            fetch: Box::new(fetch),
            kept: Mutex::new(None),
            failing: Mutex::new(None),
            flight: SingleFlight::default(),
        }))
    }

    /// The secret, mostly from memory.
    ///
    /// After five minutes it is refreshed in the background, so that no caller waits. When that
    /// does not succeed, one caller every 30 seconds waits for the next refresh, for a second at most,
    /// and the last good value is used up to an hour after it was read. Without a usable value, the
    /// next read follows a pause that grows with each failure.
    ///
    /// # Errors
    ///
    /// When it cannot be read and no value is young enough. During a pause it fails at once.
    pub async fn read(&self) -> Result<Arc<T>, ServiceError> {
        let Some((value, due)) = self.usable() else { return self.refresh().await };
        if due == Due::No {
            return Ok(value);
        }
        let refreshed = self.refresh_behind();
        if due == Due::AtOnce && timeout(REFRESHED_WITHIN, refreshed).await.is_ok() {
            return Ok(self.usable().map_or(value, |(newest, _)| newest));
        }
        Ok(value)
    }

    /// Reads the secret before a request needs it. A failure is followed by no pause: the first caller
    /// reads it again, and reports its error.
    async fn read_ahead(&self) {
        if let Some(pilot) = self.0.flight.try_lead() {
            let _ = self.fetch().await;
            pilot.finish();
        }
    }

    /// Reads the secret now. Concurrent callers share one read (single flight).
    ///
    /// The caller must limit how often it calls this.
    ///
    /// # Errors
    ///
    /// When it cannot be read. The cached value is kept.
    pub async fn refresh(&self) -> Result<Arc<T>, ServiceError> {
        let begun = Instant::now();
        let Some(pilot) = self.0.flight.lead_or_wait().await else {
            // The other caller may have failed, and left an older value.
            let kept = self.kept();
            let newer = kept.as_ref().filter(|kept| kept.fetched.instant() >= begun);
            let unread = || unavailable(format!("secret {} could not be read", self.0.name));
            return newer.map(|kept| Arc::clone(&kept.value)).ok_or_else(unread);
        };
        if let Some(left) = self.failing().and_then(|failing| failing.pause_left()) {
            return Err(self.pausing(left));
        }
        let attempt = Attempt { failing: &self.0.failing, pauses: self.0.holding.pauses };
        let fetched = self.fetch().await;
        if fetched.is_ok() {
            attempt.succeeded();
        }
        pilot.finish();
        fetched
    }

    /// The cached value if it is young enough, and whether a refresh is due.
    fn usable(&self) -> Option<(Arc<T>, Due)> {
        let kept = self.kept();
        let kept = kept.as_ref()?;
        let age = kept.fetched.elapsed();
        if age >= self.0.holding.usable {
            return None;
        }
        let is_due = age >= self.0.holding.fresh && kept.tried.elapsed() >= BETWEEN_TRIES;
        let due = match is_due {
            false => Due::No,
            true if kept.tried.instant() > kept.fetched.instant() => Due::AtOnce,
            true => Due::InBackground,
        };
        Some((Arc::clone(&kept.value), due))
    }

    /// Refreshes the value in a separate task, unless another one tries meanwhile. A try from before,
    /// which was frozen, ends first. Failures leave no pause: the value can still be used.
    fn refresh_behind(&self) -> Spawned<()> {
        let (this, begun) = (self.clone(), Instant::now());
        background::spawn(async move {
            while this.kept().as_ref().is_some_and(|kept| kept.tried.instant() < begun) {
                let Some(pilot) = this.0.flight.lead_or_wait().await else { continue };
                if let Err(fault) = this.fetch().await {
                    let name = this.0.name;
                    tracing::warn!(
                        secret = name,
                        error = &fault as &dyn std::error::Error,
                        "secret refresh failed; serving the cached value"
                    );
                }
                pilot.finish();
            }
        })
    }

    async fn fetch(&self) -> Result<Arc<T>, ServiceError> {
        if let Some(kept) = self.kept().as_mut() {
            kept.tried = Since::now();
        }
        let Inner { name, holding, .. } = &*self.0;
        let fetched = timeout(holding.within, (self.0.fetch)()).await;
        let late = || unavailable(format!("reading {name} took longer than {:?}", holding.within));
        let value = Arc::new(fetched.unwrap_or_else(|_| Err(late()))?);
        *lock(&self.0.failing) = None;
        let now = Since::now();
        *self.kept() = Some(Kept { value: Arc::clone(&value), fetched: now, tried: now });
        Ok(value)
    }

    fn pausing(&self, left: Duration) -> ServiceError {
        let retry_after_s = u32::try_from(left.as_secs() + 1).unwrap_or(u32::MAX);
        let source =
            format!("reading {} failed; the next read follows a pause", self.0.name).into();
        ServiceError::Unavailable { retry_after_s, source }
    }

    fn failing(&self) -> Option<Failing> {
        *lock(&self.0.failing)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Kept<T>>> {
        lock(&self.0.kept)
    }
}

/// A read in progress that a caller needs. It counts as failed unless [`Attempt::succeeded`] is called:
/// it may be cancelled when its request has no time left.
struct Attempt<'a> {
    failing: &'a Mutex<Option<Failing>>,
    pauses: Pauses,
}

impl Attempt<'_> {
    fn succeeded(self) {
        std::mem::forget(self);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut failing = lock(self.failing);
        *failing = Some(self.pauses.failed(*failing));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
