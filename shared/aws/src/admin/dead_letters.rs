//! Dead letters: reading, releasing, redriving and dropping them.

use std::collections::HashMap;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName, SendMessageBatchRequestEntry,
};
use lifecycle::effects::QueueName;
use lifecycle::{ServiceError, Timestamp};

use super::Operator;
use crate::errors::{fault, unavailable};
use crate::sqs::is_fifo;

/// How many dead letters one call receives: SQS's limit.
pub const DEAD_LETTERS_MAX: u8 = 10;
/// Limit for the bytes of all messages of one call. AWS accepts 1 MiB today; every queue accepts
/// this much.
const BYTES_MAX: usize = 256 * 1024;
/// Visibility timeout of received dead letters, in seconds.
const HIDDEN_S: i32 = 60;
/// Wait for dead letters, in seconds: long enough that every server of the queue is asked.
const WAIT_S: i32 = 1;
/// The attribute in which a consumer stores why it could not parse the message.
const REASON: &str = "reason";

/// A message that could not be consumed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its id in the dead-letter queue.
    pub id: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Its body.
    pub body: String,
    /// Why it could not be parsed; `None` if it was tried too often.
    pub reason: Option<String>,
    handle: String,
    /// Its message group.
    group: Option<String>,
    attributes: HashMap<String, MessageAttributeValue>,
}

impl Operator {
    /// Returns the approximate number of messages in the dead-letter queue of a queue, hidden ones
    /// included.
    ///
    /// # Errors
    ///
    /// When the queue's attributes cannot be read.
    pub async fn letters_count(&self, queue: QueueName) -> Result<usize, ServiceError> {
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        let request = self.0.sqs().get_queue_attributes().queue_url(self.dead_letters(queue)?);
        let request = request.attribute_names(visible.clone()).attribute_names(hidden.clone());
        let answer = request.send().await;
        let answer = answer.map_err(|e| fault("GetQueueAttributes", queue.name(), e))?;
        let all = answer.attributes.unwrap_or_default();
        let counted = [visible, hidden];
        let counted = counted.iter().map(|count| all.get(count)?.parse::<usize>().ok());
        Ok(counted.map(Option::unwrap_or_default).sum())
    }

    /// Receives up to [`DEAD_LETTERS_MAX`] dead letters, and hides them from other receivers for a
    /// minute.
    ///
    /// # Errors
    ///
    /// When the queue cannot be read.
    pub async fn take_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, ServiceError> {
        let request = self
            .0
            .sqs()
            .receive_message()
            .queue_url(self.dead_letters(queue)?)
            .max_number_of_messages(DEAD_LETTERS_MAX.into())
            .visibility_timeout(HIDDEN_S)
            .wait_time_seconds(WAIT_S)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        let answer = request.send().await;
        let answer = answer.map_err(|e| fault("ReceiveMessage", queue.name(), e))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(letter).collect())
    }

    /// Releases received dead letters: others may receive them at once.
    ///
    /// # Errors
    ///
    /// When the queue cannot be written to. The visibility timeout then releases the messages.
    pub async fn release_letters(
        &self,
        queue: QueueName,
        taken: &[DeadLetter],
    ) -> Result<(), ServiceError> {
        for letters in taken.chunks(DEAD_LETTERS_MAX.into()) {
            let entries =
                letters.iter().enumerate().map(|(index, letter)| visible_again(index, letter));
            let request = self.0.sqs().change_message_visibility_batch();
            let request = request.queue_url(self.dead_letters(queue)?);
            let answer = request.set_entries(Some(entries.collect())).send().await;
            answer.map_err(|e| fault("ChangeMessageVisibilityBatch", queue.name(), e))?;
        }
        Ok(())
    }

    /// Sends received dead letters to the queue that they came from, with the same body, attributes
    /// and group. On a FIFO queue the id of each in the dead-letter queue is its deduplication id: the
    /// queue may remember the one of its first delivery.
    ///
    /// A message is deleted from the dead-letter queue only after the queue has accepted it. Returns how
    /// many were sent; the others become visible again after the visibility timeout.
    ///
    /// # Errors
    ///
    /// When the queues cannot be written to, or do not delete each sent message. A message that was
    /// sent but not deleted is sent again next time: consumers recognise its event by the id.
    ///
    /// When a FIFO queue rejects a message: the messages behind it would overtake it.
    pub async fn put_letters_back(
        &self,
        queue: QueueName,
        taken: &[DeadLetter],
    ) -> Result<usize, ServiceError> {
        let url = self.0.configuration().queue(queue).ok_or_else(|| not_used(queue))?;
        let in_order = is_fifo(url);
        let bytes: usize = taken.iter().map(|letter| letter.body.len()).sum();
        // In a batch, a FIFO queue may reject a message and accept the next one of its group.
        let is_alone = in_order || bytes >= BYTES_MAX / 2;
        let portion: usize = if is_alone { 1 } else { DEAD_LETTERS_MAX.into() };
        let mut back = 0;
        for letters in taken.chunks(portion) {
            let sent = self.put_back(queue, url, letters).await?;
            back += sent;
            let rejected = letters.first().filter(|_| in_order && sent == 0);
            if let Some(DeadLetter { id, .. }) = rejected {
                let queue = queue.name();
                return Err(unavailable(format!(
                    "{queue} rejected message {id}: it and those behind it are left, in order, and {back} \
                     before it were put back"
                )));
            }
        }
        Ok(back)
    }

    async fn put_back(
        &self,
        queue: QueueName,
        url: &str,
        taken: &[DeadLetter],
    ) -> Result<usize, ServiceError> {
        let entries = taken.iter().enumerate().map(|(index, letter)| entry(url, index, letter));
        let request = self.0.sqs().send_message_batch().queue_url(url);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let sent = answer.map_err(|e| fault("SendMessageBatch", queue.name(), e))?.successful;
        if sent.is_empty() {
            return Ok(0);
        }
        let gone = sent.iter().filter_map(|sent| taken.get(sent.id.parse::<usize>().ok()?));
        self.delete(queue, gone).await?;
        Ok(sent.len())
    }

    /// Deletes received dead letters for ever.
    ///
    /// # Errors
    ///
    /// When the queue does not delete each of them. The others become visible again after the
    /// visibility timeout.
    pub async fn drop_letters(
        &self,
        queue: QueueName,
        taken: &[DeadLetter],
    ) -> Result<(), ServiceError> {
        for letters in taken.chunks(DEAD_LETTERS_MAX.into()) {
            self.delete(queue, letters.iter()).await?;
        }
        Ok(())
    }

    async fn delete(
        &self,
        queue: QueueName,
        letters: impl Iterator<Item = &DeadLetter> + Send,
    ) -> Result<(), ServiceError> {
        let entries = letters.enumerate().map(|(index, letter)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(&letter.handle).build().expect("id and handle are set")
        });
        let request = self.0.sqs().delete_message_batch().queue_url(self.dead_letters(queue)?);
        let answer = request.set_entries(Some(entries.collect())).send().await;
        let answer = answer.map_err(|e| fault("DeleteMessageBatch", queue.name(), e))?;
        all_deleted(queue, &answer.failed)
    }

    fn dead_letters(&self, queue: QueueName) -> Result<&str, ServiceError> {
        self.0.configuration().dead_letters(queue).ok_or_else(|| not_used(queue))
    }
}

/// Each entry of a batch may fail alone, in an answer that is a success.
fn all_deleted(queue: QueueName, failed: &[BatchResultErrorEntry]) -> Result<(), ServiceError> {
    let Some(first) = failed.first() else { return Ok(()) };
    let (count, queue, code) = (failed.len(), queue.name(), first.code());
    Err(unavailable(format!("{count} dead letters of {queue} were not deleted: {code}")))
}

fn letter(message: Message) -> DeadLetter {
    let system = message.attributes.unwrap_or_default();
    let sent_at = system.get(&MessageSystemAttributeName::SentTimestamp);
    let sent_at = sent_at.and_then(|sent_at| sent_at.parse().ok());
    let mut attributes = message.message_attributes.unwrap_or_default();
    DeadLetter {
        id: message.message_id.unwrap_or_default(),
        sent_at: Timestamp::from_millis(sent_at.unwrap_or(0)),
        body: message.body.unwrap_or_default(),
        reason: attributes.remove(REASON).and_then(|reason| reason.string_value),
        handle: message.receipt_handle.unwrap_or_default(),
        group: system.get(&MessageSystemAttributeName::MessageGroupId).cloned(),
        attributes,
    }
}

fn visible_again(index: usize, letter: &DeadLetter) -> ChangeMessageVisibilityBatchRequestEntry {
    ChangeMessageVisibilityBatchRequestEntry::builder()
        .id(index.to_string())
        .receipt_handle(&letter.handle)
        .visibility_timeout(0)
        .build()
        .expect("id and handle are set")
}

fn entry(url: &str, index: usize, letter: &DeadLetter) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&letter.body)
        .set_message_attributes(Some(letter.attributes.clone()))
        .set_message_group_id(letter.group.clone())
        .set_message_deduplication_id(is_fifo(url).then(|| letter.id.clone()))
        .build()
        .expect("id and body are set")
}

fn not_used(queue: QueueName) -> ServiceError {
    ServiceError::internal(format!("RESOURCES lacks the queue {}", queue.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_delete_in_a_successful_batch_is_an_error() {
        let queue = QueueName::new("emails");
        assert!(all_deleted(queue, &[]).is_ok());
        let failed = BatchResultErrorEntry::builder().id("0").code("InternalError");
        let failed = failed.sender_fault(false).build().unwrap();
        assert!(all_deleted(queue, &[failed]).is_err());
    }

    #[test]
    fn a_redriven_message_has_its_group_and_on_a_fifo_queue_a_deduplication_id() {
        let system =
            HashMap::from([(MessageSystemAttributeName::MessageGroupId, "ann".to_owned())]);
        let message = Message::builder().message_id("m1").body("{}");
        let taken = letter(message.set_attributes(Some(system)).build());
        for (url, id) in
            [("https://sqs/1/approvals.fifo", Some("m1")), ("https://sqs/1/mails", None)]
        {
            let entry = entry(url, 0, &taken);
            assert_eq!(entry.message_group_id(), Some("ann"), "{url}");
            assert_eq!(entry.message_deduplication_id(), id, "{url}");
        }
    }
}
