//! How many mails strangers can have sent.

use std::time::Duration;

use lifecycle::platform::Platform;
use lifecycle::{Fault, Permit};

use crate::Attempts;

const DAY: Duration = Duration::from_hours(24);
/// To an address that nobody has proven, in a day.
const TO_UNPROVEN_MAX: u32 = 5;
/// To an address whatever it is, in a day.
const TO_ANY_MAX: u32 = 20;
/// From one source address, in a day.
const BY_SOURCE_MAX: u32 = 100;

/// Counts the mails that callers who are not signed in ask for: to each address, and from each
/// source address. What is beyond is not told: the answer is the same, and no mail is sent.
#[derive(Clone)]
pub struct MailCaps {
    by_source: Attempts,
    to_unproven: Attempts,
    to_any: Attempts,
}

/// Which mail may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailAllowed {
    /// One to an address that nobody has proven.
    pub to_unproven: bool,
    /// One to an address that was proven.
    pub to_proven: bool,
}

impl MailCaps {
    /// The usual limits.
    pub fn new(platform: impl Platform + Clone) -> Self {
        let attempts = |name, maximum| Attempts::new(platform.clone(), name, maximum, DAY);
        Self {
            by_source: attempts("mails-from", BY_SOURCE_MAX),
            to_unproven: attempts("mails-to-unproven", TO_UNPROVEN_MAX),
            to_any: attempts("mails-to", TO_ANY_MAX),
        }
    }

    /// Counts a mail to an address that cannot be proven yet, and tells whether it may be sent.
    ///
    /// # Errors
    ///
    /// None but of the platform itself.
    pub async fn to_unproven<C>(&self, permit: &Permit<C>, address: &str) -> Result<bool, Fault> {
        Ok(allowed(self.by_source.count(permit, permit.source()).await)?
            && allowed(self.to_unproven.count(permit, address).await)?)
    }

    /// Counts a mail to an address of which is not known whether it was proven.
    ///
    /// # Errors
    ///
    /// As [`MailCaps::to_unproven`].
    pub async fn to_any<C>(&self, permit: &Permit<C>, address: &str) -> Result<MailAllowed, Fault> {
        if !allowed(self.by_source.count(permit, permit.source()).await)? {
            return Ok(MailAllowed { to_unproven: false, to_proven: false });
        }
        let counts = futures::join!(
            self.to_unproven.count(permit, address),
            self.to_any.count(permit, address)
        );
        Ok(MailAllowed { to_unproven: allowed(counts.0)?, to_proven: allowed(counts.1)? })
    }
}

fn allowed<T>(counted: Result<T, Fault>) -> Result<bool, Fault> {
    match counted {
        Ok(_) => Ok(true),
        Err(Fault::Limited { .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}
