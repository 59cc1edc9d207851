//! Retry back-off for the failed records of a queue.

use tokio::time::timeout_at;

use super::records::Raw;
use crate::consumer::Source;
use crate::error::{RequestError, ServiceError};
use crate::ports::{Queues, VisibilityChange};
use crate::{Backoff, Deadline};

/// Changes the visibility timeout of the failed records of each group. The time depends on the
/// record that failed; the records after it get the same time, so that they keep their order. If it
/// has failed for the last time, the time is short: it is to become a dead letter.
///
/// If the change fails, the queue's own visibility timeout applies. It may take a moment longer than the
/// deadline: the record may have failed because time ran out.
pub(super) async fn back_off(
    queues: &dyn Queues,
    source: Source,
    backoff: Backoff,
    failed: &[Vec<Raw>],
    deadline: Deadline,
) {
    let hidden: Vec<VisibilityChange> =
        failed.iter().flat_map(|group| hidden(backoff, group)).collect();
    let Source::Queue(queue) = source else { return };
    if hidden.is_empty() {
        return;
    }
    let hiding =
        timeout_at(deadline.with_grace().instant(), queues.change_visibility(queue, &hidden)).await;
    if let Err(fault) = hiding.unwrap_or(Err(ServiceError::TimedOut)) {
        tracing::warn!(error = %RequestError::ServiceError(fault), "visibility timeout not changed; failed records return without back-off");
    }
}

fn hidden(backoff: Backoff, group: &[Raw]) -> impl Iterator<Item = VisibilityChange> {
    let wait = backoff.wait_after(group.first().map_or(1, |failed| failed.deliveries));
    let receipts = group.iter().filter_map(|raw| raw.receipt.clone());
    receipts.map(move |receipt| VisibilityChange { receipt, wait })
}
