//! Attempts of queued messages.

use super::{AttemptLimiter, Window, warn};
use crate::consumer::DeliveredMessage;
use crate::error::RetrieveError;
use crate::ports::{Count, Counter};
use crate::{Moment, Permit};

impl AttemptLimiter {
    /// Counts an attempt that a queued message causes, once for all its deliveries. A message that was
    /// refused is counted again at its next delivery, and so is one that is sent to its queue again.
    ///
    /// # Errors
    ///
    /// [`RetrieveError::RateLimited`] when there have been too many, with the seconds until the
    /// next window.
    pub async fn acquire_once(
        &self,
        permit: &Permit<DeliveredMessage>,
        subject: &str,
    ) -> Result<(), RetrieveError> {
        self.count_once(permit.moment(), permit.caller(), subject).await
    }

    async fn count_once(
        &self,
        moment: &Moment,
        message: &DeliveredMessage,
        subject: &str,
    ) -> Result<(), RetrieveError> {
        let mark = self.mark(moment, &format!("{subject} {}", message.record_id));
        let is_repeated = message.deliveries > 1;
        if is_repeated && self.is_marked(&mark).await {
            return Ok(());
        }
        self.count_at(moment, subject).await?;
        if let Err(fault) = self.store.count(&mark).await {
            warn(self.name, "a repeated delivery will count again", &fault);
        }
        Ok(())
    }

    /// It belongs to no window: an attempt that was counted at the end of one may be repeated in the next.
    fn mark(&self, moment: &Moment, id: &str) -> Counter {
        let Window { ends, left_s, .. } = self.window_at(moment);
        let ends = ends.plus_seconds(i64::try_from(self.window.as_secs()).unwrap_or(i64::MAX));
        let counter = self.counter(&Window { number: 0, ends, left_s }, id);
        Counter { maximum: None, ..counter }
    }

    async fn is_marked(&self, mark: &Counter) -> bool {
        let read = Counter { amount: 0, ..mark.clone() };
        match self.store.count(&read).await {
            Ok(total) => matches!(total, Count::Total(1..)),
            Err(fault) => {
                warn(self.name, "a repeated delivery may count again", &fault);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::tests::{Counts, at};
    use super::*;
    use crate::ports::Store;

    #[tokio::test]
    async fn a_message_counts_once_for_all_deliveries_unless_it_was_refused() {
        let store = Arc::new(Counts::default());
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let attempts = AttemptLimiter::of(shared, "mails", 2, Duration::from_mins(1));
        let is_counted = async |id: &str, deliveries, second| {
            let message = DeliveredMessage { record_id: id.to_owned(), deliveries };
            attempts.count_once(&at(second), &message, "ada").await.is_ok()
        };
        // The message's id, its delivery, the second, and whether it is allowed.
        for (id, deliveries, second, allowed) in [
            ("first", 1, 0, true),
            ("first", 2, 0, true),
            ("never counted before", 2, 0, true),
            ("first", 3, 1, true),
            ("too many", 1, 2, false),
            ("too many", 2, 5, false),
            ("never counted before", 3, 5, true),
            ("too many", 3, 60, true),
            ("first", 4, 60, true),
            ("another", 1, 61, true),
            ("one more", 1, 62, false),
        ] {
            let counted = is_counted(id, deliveries, second).await;
            assert_eq!(counted, allowed, "{id}, delivery {deliveries} at {second} s");
        }
    }
}
