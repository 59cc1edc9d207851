//! Messages queue by queue. Announcements leave after a commit, one queue after the other.

use tokio::time::{Instant, timeout_at};

use crate::effects::QueueName;
use crate::error::ServiceError;
use crate::ports::{Adapter, Outgoing, RefusedMessage};

/// The error of a message that was not sent because a queue before its own did not take all of its
/// messages.
#[derive(Debug, thiserror::Error)]
#[error("not sent: queue {0} comes first and has failed")]
struct HeldBack(&'static str);

/// The messages of one queue, in their order.
pub(crate) struct OfQueue {
    queue: QueueName,
    /// The places of the messages among those of all queues.
    pub(crate) places: Vec<usize>,
    messages: Vec<Outgoing>,
}

/// The messages of each queue, in the order in which the queues are first named.
pub(crate) fn by_queue(messages: &[Outgoing]) -> Vec<OfQueue> {
    let mut queues: Vec<OfQueue> = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let (queue, message) = (message.queue, message.clone());
        match queues.iter_mut().find(|known| known.queue == queue) {
            Some(known) => {
                known.places.push(place);
                known.messages.push(message);
            }
            None => queues.push(OfQueue { queue, places: vec![place], messages: vec![message] }),
        }
    }
    queues
}

impl OfQueue {
    /// Sends the messages until the deadline. Returns the place and the error of each message that
    /// was not sent. Without a result at the deadline, that is each of them.
    pub(crate) async fn send(
        &self,
        adapter: &dyn Adapter,
        deadline: Instant,
    ) -> Vec<(usize, ServiceError)> {
        match timeout_at(deadline, adapter.send(&self.messages)).await {
            Ok(failed) => {
                let placed =
                    |(index, fault): (usize, ServiceError)| Some((*self.places.get(index)?, fault));
                failed.into_iter().filter_map(placed).collect()
            }
            Err(_) => self.places.iter().map(|place| (*place, ServiceError::TimedOut)).collect(),
        }
    }
}

/// Sends messages queue after queue until the deadline, in the order in which the queues are first
/// named. Returns the place and the error of each message that was not sent.
///
/// A failed queue holds back the queues after it. A message that its queue refuses because of its
/// content holds back nothing: a retry would not change that.
pub(crate) async fn send_in_order(
    adapter: &dyn Adapter,
    messages: &[Outgoing],
    deadline: Instant,
) -> Vec<(usize, ServiceError)> {
    let (mut failed, mut holds_back) = (Vec::new(), None::<QueueName>);
    for of_queue in by_queue(messages) {
        if let Some(before) = holds_back {
            let held_back = |place| (place, ServiceError::internal(HeldBack(before.name())));
            failed.extend(of_queue.places.into_iter().map(held_back));
            continue;
        }
        let not_sent = of_queue.send(adapter, deadline).await;
        if not_sent.iter().any(|(_, fault)| !RefusedMessage::is(fault)) {
            holds_back = Some(of_queue.queue);
        }
        failed.extend(not_sent);
    }
    failed
}
