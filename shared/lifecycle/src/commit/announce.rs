//! Announcements: messages that leave after a commit, queue after queue.

use crate::effects::QueueName;
use crate::error::ServiceError;
use crate::ports::{Adapter, Outgoing, RefusedMessage};

/// The error of a message that was not sent because a queue before its own did not take all of its
/// messages.
#[derive(Debug, thiserror::Error)]
#[error("not sent: queue {0} comes first and has failed")]
struct HeldBack(&'static str);

/// Sends messages queue after queue, in the order in which the queues are first named. Returns the
/// index and the error of each message that was not sent.
///
/// A failed queue holds back the queues after it. A message that its queue refuses because of its
/// content holds back nothing: a retry would not change that.
pub(crate) async fn send_in_order(
    adapter: &dyn Adapter,
    messages: &[Outgoing],
) -> Vec<(usize, ServiceError)> {
    let mut queues: Vec<QueueName> = Vec::new();
    for message in messages {
        if !queues.contains(&message.queue) {
            queues.push(message.queue);
        }
    }
    let (mut failed, mut holds_back) = (Vec::new(), None::<QueueName>);
    for queue in queues {
        let of_queue = messages.iter().enumerate().filter(|(_, message)| message.queue == queue);
        let (places, of_queue): (Vec<usize>, Vec<Outgoing>) =
            of_queue.map(|(index, message)| (index, message.clone())).unzip();
        if let Some(before) = holds_back {
            let held_back = |index| (index, ServiceError::internal(HeldBack(before.name())));
            failed.extend(places.into_iter().map(held_back));
            continue;
        }
        for (place, fault) in adapter.send(&of_queue).await {
            if !RefusedMessage::is(&fault) {
                holds_back = Some(queue);
            }
            failed.extend(places.get(place).map(|index| (*index, fault)));
        }
    }
    failed
}
