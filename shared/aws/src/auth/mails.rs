//! Limits on mails that callers can trigger without signing in.

use std::time::Duration;

use lifecycle::consumer::DeliveredMessage;
use lifecycle::limit::AttemptLimiter;
use lifecycle::ports::Store;
use lifecycle::{Permit, RetrieveError, ServiceError};

const DAY: Duration = Duration::from_hours(24);
/// To one unverified address, in a day.
const TO_UNPROVEN_MAX: u32 = 5;
/// To one verified address, in a day.
const TO_PROVEN_MAX: u32 = 20;
/// Requests from one source address, in a day.
const BY_SOURCE_MAX: u32 = 100;

/// Counts mails that callers can trigger without signing in. Beyond a limit no mail is sent, but the
/// response is the same, so that it reveals nothing.
///
/// Requests are counted by their source address, where they are made. Mails are counted by the address
/// that they go to, where they are sent: a request that causes no mail does not count for any address.
#[derive(Clone)]
pub struct MailCaps {
    by_source: AttemptLimiter,
    to_unproven: AttemptLimiter,
    to_proven: AttemptLimiter,
}

impl MailCaps {
    /// The usual limits.
    pub fn new(store: impl Store + Clone) -> Self {
        let attempts = |name, maximum| AttemptLimiter::new(store.clone(), name, maximum, DAY);
        Self {
            by_source: attempts("mails-from", BY_SOURCE_MAX),
            to_unproven: attempts("mails-to-unproven", TO_UNPROVEN_MAX),
            to_proven: attempts("mails-to", TO_PROVEN_MAX),
        }
    }

    /// Counts a request for a mail by its source address, once for each request. Returns whether a mail
    /// may be sent for it.
    ///
    /// # Errors
    ///
    /// Only when the store itself fails.
    pub async fn requested<C>(&self, permit: &Permit<C>) -> Result<bool, ServiceError> {
        let counted = async { allowed(self.by_source.acquire(permit, permit.source()).await) };
        permit.once("mails-from", counted).await
    }

    /// Counts a mail to an address, verified or not. Returns whether it may be sent.
    ///
    /// A message is counted once, so that a mail that could not be sent is not counted again with each
    /// retry.
    ///
    /// # Errors
    ///
    /// Only when the store itself fails.
    pub async fn sent(
        &self,
        permit: &Permit<DeliveredMessage>,
        address: &str,
        is_proven: bool,
    ) -> Result<bool, ServiceError> {
        let limiter = if is_proven { &self.to_proven } else { &self.to_unproven };
        let counted = async { allowed(limiter.acquire_once(permit, address).await) };
        permit.once(&format!("mails-to {address}"), counted).await
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

#[cfg(test)]
mod tests {
    use lifecycle::Consumer;
    use lifecycle::effects::QueueName;
    use lifecycle::examples::envelope;
    use lifecycle::prelude::*;
    use lifecycle::testing::{self, Memory};
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn a_mail_counts_once_for_all_deliveries_of_its_message() {
        let memory = Memory::new();
        let caps = MailCaps::new(memory.clone());
        // The first delivery has ended before its count.
        let mailings = [2, 3, 4].map(|deliveries| {
            testing::consumer(Mailing(caps.clone()), &memory).deliveries(deliveries)
        });
        for number in 0..=TO_UNPROVEN_MAX {
            let event_id = format!("event-{number}");
            let message = Envelope { event_id, ..envelope("Asked", json!({})) };
            for mailing in &mailings {
                let consumed = mailing.messages(&[&message]).await;
                let allowed = number < TO_UNPROVEN_MAX;
                assert_eq!(consumed.failed.is_empty(), allowed, "message {number}");
            }
        }
    }

    /// Counts the mail of a message.
    struct Mailing(MailCaps);

    impl Consumer for Mailing {
        const SOURCE: Source = Source::Queue(QueueName::new("mails"));
        const INBOX: Inbox = Inbox::None;
        const RESOURCES: Resources = &[];
        type Input = Envelope<Value>;
        type Command = Envelope<Value>;
        type Facts = ();

        async fn retrieve(
            &self,
            permit: &Permit<DeliveredMessage>,
            _: &Envelope<Value>,
        ) -> Retrieved<()> {
            if self.0.sent(permit, "ann@example.com", false).await? {
                Ok(())
            } else {
                Err(RetrieveError::RateLimited { retry_after_s: 1 })
            }
        }

        fn decide(_: &Moment, _: &Envelope<Value>, (): ()) -> Result<Effects, DomainError> {
            Ok(Effects::none())
        }
    }
}
