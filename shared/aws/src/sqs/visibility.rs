//! Visibility timeouts of received messages.

use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry as Entry;
use futures::future::join_all;
use lifecycle::ServiceError;
use lifecycle::effects::QueueName;
use lifecycle::ports::VisibilityChange;

use super::batches::MESSAGES_MAX;
use crate::Aws;
use crate::errors::{fault, unavailable};

impl Aws {
    /// Changes visibility timeouts, all batches at the same time.
    pub(crate) async fn hide_messages(
        &self,
        queue: QueueName,
        hidden: &[VisibilityChange],
    ) -> Result<(), ServiceError> {
        let batches = hidden.chunks(MESSAGES_MAX).map(|batch| self.hide_batch(queue, batch));
        join_all(batches).await.into_iter().collect()
    }

    async fn hide_batch(
        &self,
        queue: QueueName,
        batch: &[VisibilityChange],
    ) -> Result<(), ServiceError> {
        let name = queue.name();
        let url = self
            .configuration()
            .queue(queue)
            .ok_or_else(|| ServiceError::internal(format!("RESOURCES lacks the queue {name}")))?;
        let entries = batch.iter().enumerate().map(|(number, hidden)| entry(number, hidden));
        let request = self.sqs().change_message_visibility_batch().queue_url(url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|error| fault("ChangeMessageVisibilityBatch", name, error))?;
        match answer.failed.as_slice() {
            [] => Ok(()),
            [refused, ..] => {
                let (count, code) = (answer.failed.len(), &refused.code);
                Err(unavailable(format!(
                    "queue {name} did not change {count} visibility timeouts: {code}"
                )))
            }
        }
    }
}

fn entry(number: usize, hidden: &VisibilityChange) -> Entry {
    let seconds = i32::try_from(hidden.wait.as_secs()).unwrap_or(i32::MAX);
    let entry = Entry::builder().id(number.to_string()).receipt_handle(&hidden.receipt);
    entry.visibility_timeout(seconds).build().expect("id and receipt are set")
}
