//! Sending messages to queues.

use std::sync::Arc;

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use futures::future::join_all;
use lifecycle::ServiceError;
use lifecycle::effects::QueueName;
use lifecycle::ports::{Outgoing, RefusedMessage};

use super::batches::{StoppedGroups, batches, fifo_groups, index_of};
use crate::Aws;
use crate::errors::{fault, unavailable};

/// Error codes that concern the content of a call or an entry, not the queue or our permissions.
const ABOUT_THE_MESSAGE: [&str; 4] =
    ["InvalidMessageContents", "InvalidParameterValue", "MissingParameter", "BatchRequestTooLong"];

/// Whether an error code, which may name the service first, concerns the content.
fn is_about_the_message(code: &str) -> bool {
    let code = code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code);
    ABOUT_THE_MESSAGE.contains(&code)
}

/// Entries that the queue rejected for now, each with the reason.
type Retriable = Vec<(SendMessageBatchRequestEntry, ServiceError)>;

/// The indices of failed messages, each with the reason.
type Failed = Vec<(usize, ServiceError)>;

impl Aws {
    /// Sends messages to their queues in batches. Queues are served at the same time. Batches of
    /// one queue are sent one after the other, which keeps its order.
    pub(crate) async fn send_messages(&self, messages: &[Outgoing]) -> Failed {
        let mut by_queue: Vec<(QueueName, Vec<(usize, &Outgoing)>)> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            match by_queue.iter_mut().find(|(queue, _)| *queue == message.queue) {
                Some((_, of_queue)) => of_queue.push((index, message)),
                None => by_queue.push((message.queue, vec![(index, message)])),
            }
        }
        let sent = by_queue.iter().map(|(queue, messages)| self.send_to(*queue, messages));
        join_all(sent).await.into_iter().flatten().collect()
    }

    async fn send_to(&self, queue: QueueName, messages: &[(usize, &Outgoing)]) -> Failed {
        let Some(url) = self.configuration().queue(queue) else {
            let unknown =
                ServiceError::internal(format!("RESOURCES lacks the queue {}", queue.name()));
            return all_failed(messages.iter().map(|(index, _)| *index), unknown);
        };
        let (batches, mut failed) = batches(url, messages);
        let mut stopped = StoppedGroups::default();
        for batch in batches {
            let (batch, behind) = stopped.divide(batch);
            if !behind.is_empty() {
                let overtakes = unavailable("an earlier message of the group was not sent");
                failed.extend(all_failed(behind.into_iter(), overtakes));
            }
            if batch.is_empty() {
                continue;
            }
            let groups = fifo_groups(&batch);
            let (again, mut of_batch) = self.send_batch(queue, url, batch).await;
            of_batch.extend(self.send_again(queue, url, again).await);
            // A refused message would be refused again, so nothing waits for it.
            let not_sent = of_batch.iter().filter(|(_, fault)| !RefusedMessage::is(fault));
            stopped.add(groups, &not_sent.map(|(index, _)| *index).collect::<Vec<_>>());
            failed.extend(of_batch);
        }
        failed
    }

    /// Sends the rejected entries once more. Entries rejected again have failed.
    async fn send_again(&self, queue: QueueName, url: &str, again: Retriable) -> Failed {
        if again.is_empty() {
            return Vec::new();
        }
        let entries = again.into_iter().map(|(entry, _)| entry).collect();
        let (again, mut failed) = self.send_batch(queue, url, entries).await;
        failed.extend(again.into_iter().map(|(entry, fault)| (index_of(&entry), fault)));
        failed
    }

    /// Sends one batch. A message that is itself at fault fails; other rejected messages may be
    /// sent again. If the call fails, the SDK has already retried it.
    async fn send_batch(
        &self,
        queue: QueueName,
        url: &str,
        entries: Vec<SendMessageBatchRequestEntry>,
    ) -> (Retriable, Failed) {
        let request = self.sqs().send_message_batch().queue_url(url);
        let answer = request.set_entries(Some(entries.clone())).send().await;
        let refused = match answer {
            Ok(answer) => answer.failed,
            Err(error) => {
                let code = error.code().unwrap_or_default().to_owned();
                let fault = fault("SendMessageBatch", queue.name(), error);
                let passing = matches!(fault, ServiceError::Unavailable { .. });
                if let ([entry], true) = (&*entries, is_about_the_message(&code)) {
                    let refused = RefusedMessage(format!("queue {}: {code}", queue.name()));
                    return (Vec::new(), vec![(index_of(entry), refused.into())]);
                }
                if passing || entries.len() == 1 {
                    return (Vec::new(), all_failed(entries.iter().map(index_of), fault));
                }
                tracing::warn!(queue = queue.name(), error = %fault, "batch rejected; sending its messages one by one");
                return self.send_one_by_one(queue, url, entries).await;
            }
        };
        sorted(queue, entries, &refused)
    }

    /// Sends the messages of a rejected batch one by one: a single message may be at fault.
    async fn send_one_by_one(
        &self,
        queue: QueueName,
        url: &str,
        entries: Vec<SendMessageBatchRequestEntry>,
    ) -> (Retriable, Failed) {
        let (mut again, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let (more, refused) = Box::pin(self.send_batch(queue, url, vec![entry])).await;
            again.extend(more);
            failed.extend(refused);
        }
        (again, failed)
    }
}

/// Divides rejected entries into retriable ones and ones that are at fault themselves.
///
/// The flag `SenderFault` alone does not separate them: a limited rate and a key of KMS that is
/// disabled are the caller's fault, too.
fn sorted(
    queue: QueueName,
    entries: Vec<SendMessageBatchRequestEntry>,
    refused: &[BatchResultErrorEntry],
) -> (Retriable, Failed) {
    let (mut again, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let Some(refusal) = refused.iter().find(|refusal| refusal.id == entry.id) else {
            continue;
        };
        let (name, said) = (queue.name(), refusal.message().unwrap_or_default());
        let reason = format!("queue {name} refused a message: {}: {said}", refusal.code);
        if is_about_the_message(&refusal.code) {
            failed.push((index_of(&entry), RefusedMessage(reason).into()));
        } else {
            again.push((entry, unavailable(reason)));
        }
    }
    (again, failed)
}

/// The faults of all messages of a call that failed.
pub(crate) fn all_failed(indices: impl Iterator<Item = usize>, fault: ServiceError) -> Failed {
    let passing = matches!(fault, ServiceError::Unavailable { .. });
    let fault = Arc::new(fault);
    let of_one = || CallFailed(Arc::clone(&fault));
    let fault_of_one = || {
        if passing { unavailable(of_one()) } else { ServiceError::internal(of_one()) }
    };
    indices.map(|index| (index, fault_of_one())).collect()
}

/// The fault of one message whose call failed.
#[derive(Debug, thiserror::Error)]
#[error("the call that carried the message failed")]
struct CallFailed(#[source] Arc<ServiceError>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_entries_are_sent_again_but_those_with_a_bad_content() {
        let refused = |id: &str, code: &str, sender_fault| {
            let entry = BatchResultErrorEntry::builder().id(id).code(code);
            entry.sender_fault(sender_fault).build().unwrap()
        };
        let entry = |id: usize| {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string());
            entry.message_body("{}").build().unwrap()
        };
        let refusals = [
            refused("0", "InternalError", false),
            refused("2", "AWS.SimpleQueueService.InvalidMessageContents", true),
            refused("3", "RequestThrottled", true),
            refused("4", "KMS.DisabledException", true),
        ];
        let (again, failed) =
            sorted(QueueName::new("emails"), (0..5).map(entry).collect(), &refusals);
        assert_eq!(again.iter().map(|(entry, _)| index_of(entry)).collect::<Vec<_>>(), [0, 3, 4]);
        assert!(matches!(failed.as_slice(), [(2, ServiceError::Internal(_))]));
    }
}
