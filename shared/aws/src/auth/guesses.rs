//! Limits on guessing the password of an account.

use std::time::Duration;

use futures::future::join_all;
use lifecycle::limit::{AttemptLimiter, CountedAttempt, MINUTE};
use lifecycle::ports::Store;
use lifecycle::{Permit, RetrieveError};

/// Failed sign-ins at one account from one source, in a minute.
const AT_ACCOUNT_MAX: u32 = 5;
/// Failed sign-ins from one source, in a minute. The endpoint's own limit is tighter; this one
/// applies while the table does not count.
const BY_SOURCE_MAX: u32 = 60;
/// Failed sign-ins at one account in an hour, from all sources that its user has not signed in
/// from. Beyond it, those sources together have [`AT_ACCOUNT_MAX`] attempts a minute.
const IN_ALL_MAX: u32 = 100;
const HOUR: Duration = Duration::from_hours(1);

/// Limits how often passwords may be guessed, without letting a stranger lock a user out. One
/// source cannot use up the attempts of another. The common limit of all unknown sources does not
/// apply to sources that the user has signed in from.
pub struct Guesses {
    by_source: AttemptLimiter,
    at_account: AttemptLimiter,
    in_all: AttemptLimiter,
    slowed: AttemptLimiter,
}

/// A guess that was counted, before the password is verified.
pub struct Guess {
    counted: Vec<CountedAttempt>,
}

impl Guesses {
    /// The usual limits.
    pub fn new(store: impl Store + Clone) -> Self {
        let attempts =
            |name, maximum, window| AttemptLimiter::new(store.clone(), name, maximum, window);
        Self {
            by_source: attempts("sign-in-by", BY_SOURCE_MAX, MINUTE),
            at_account: attempts("sign-in-at", AT_ACCOUNT_MAX, MINUTE),
            in_all: attempts("sign-in", IN_ALL_MAX, HOUR),
            slowed: attempts("sign-in-slowed", AT_ACCOUNT_MAX, MINUTE),
        }
    }

    /// Counts a guess at an account, by the source of the request.
    ///
    /// # Errors
    ///
    /// [`RetrieveError::RateLimited`] when there have been too many.
    pub async fn acquire<C>(
        &self,
        permit: &Permit<C>,
        address: &str,
    ) -> Result<Guess, RetrieveError> {
        let source = permit.source();
        let at_account = format!("{address} {source}");
        let (by_source, at_account) = futures::try_join!(
            self.by_source.acquire(permit, source),
            self.at_account.acquire(permit, &at_account),
        )?;
        Ok(Guess { counted: vec![at_account, by_source] })
    }

    /// Counts the guess towards the common limit of sources that the user has not signed in from.
    ///
    /// # Errors
    ///
    /// As [`Guesses::acquire`].
    pub async fn acquire_in_total<C>(
        &self,
        permit: &Permit<C>,
        address: &str,
        mut guess: Guess,
    ) -> Result<Guess, RetrieveError> {
        let counted = match self.in_all.acquire(permit, address).await {
            Err(RetrieveError::RateLimited { .. }) => self.slowed.acquire(permit, address).await?,
            counted => counted?,
        };
        guess.counted.push(counted);
        Ok(guess)
    }
}

impl Guess {
    /// Takes the guess out of the counts: the password was right.
    pub async fn release(self) {
        join_all(self.counted.into_iter().map(CountedAttempt::release)).await;
    }

    /// Waits until a wrong guess may be answered, as [`CountedAttempt::delay_response`] does.
    pub async fn delay_response(self) {
        if let Some(first) = self.counted.into_iter().next() {
            first.delay_response().await;
        }
    }
}
