//! Limits on mails that callers can trigger without signing in.

use std::time::Duration;

use lifecycle::limit::AttemptLimiter;
use lifecycle::ports::Store;
use lifecycle::{Permit, RetrieveError, ServiceError};

const DAY: Duration = Duration::from_hours(24);
/// To one unverified address, in a day.
const TO_UNPROVEN_MAX: u32 = 5;
/// To one address, verified or not, in a day.
const TO_ANY_MAX: u32 = 20;
/// From one source address, in a day.
const BY_SOURCE_MAX: u32 = 100;

/// Counts the mails that callers request without signing in: to each address, and from each source
/// address. Beyond a limit no mail is sent, but the response is the same, so that it reveals
/// nothing.
#[derive(Clone)]
pub struct MailCaps {
    by_source: AttemptLimiter,
    to_unproven: AttemptLimiter,
    to_any: AttemptLimiter,
}

/// The mails that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailAllowed {
    /// Whether a mail to an unverified address may be sent.
    pub to_unproven: bool,
    /// Whether a mail to a verified address may be sent.
    pub to_proven: bool,
}

impl MailCaps {
    /// The usual limits.
    pub fn new(store: impl Store + Clone) -> Self {
        let attempts = |name, maximum| AttemptLimiter::new(store.clone(), name, maximum, DAY);
        Self {
            by_source: attempts("mails-from", BY_SOURCE_MAX),
            to_unproven: attempts("mails-to-unproven", TO_UNPROVEN_MAX),
            to_any: attempts("mails-to", TO_ANY_MAX),
        }
    }

    /// Counts a mail to an address that cannot be verified yet. Returns whether it may be sent.
    ///
    /// # Errors
    ///
    /// Only when the store itself fails.
    pub async fn to_unproven<C>(
        &self,
        permit: &Permit<C>,
        address: &str,
    ) -> Result<bool, ServiceError> {
        Ok(allowed(self.by_source.acquire(permit, permit.source()).await)?
            && allowed(self.to_unproven.acquire(permit, address).await)?)
    }

    /// Counts a mail to an address that may or may not be verified.
    ///
    /// # Errors
    ///
    /// As [`MailCaps::to_unproven`].
    pub async fn to_any<C>(
        &self,
        permit: &Permit<C>,
        address: &str,
    ) -> Result<MailAllowed, ServiceError> {
        if !allowed(self.by_source.acquire(permit, permit.source()).await)? {
            return Ok(MailAllowed { to_unproven: false, to_proven: false });
        }
        let counts = futures::join!(
            self.to_unproven.acquire(permit, address),
            self.to_any.acquire(permit, address)
        );
        Ok(MailAllowed { to_unproven: allowed(counts.0)?, to_proven: allowed(counts.1)? })
    }
}

fn allowed<T>(counted: Result<T, RetrieveError>) -> Result<bool, ServiceError> {
    match counted {
        Ok(_) => Ok(true),
        Err(RetrieveError::RateLimited { .. }) => Ok(false),
        Err(RetrieveError::Service(fault)) => Err(fault),
        // A limiter looks nothing up and reads no input.
        Err(other) => Err(ServiceError::internal(other)),
    }
}
