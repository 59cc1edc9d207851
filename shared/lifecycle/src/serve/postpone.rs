//! Records of a queue that failed: hidden for a growing time before they come again.

use std::time::Duration;

use tokio::time::timeout_at;

use super::records::Raw;
use crate::consumer::Source;
use crate::failure::{Failure, Fault};
use crate::platform::{Hidden, Platform};
use crate::{Backoff, Deadline};

/// What it may take of the margin before Lambda's own deadline: a record may have failed by
/// running out of time.
const MARGIN: Duration = Duration::from_millis(250);

/// Has the queue hide what failed of each group for as long as the backoff says of the record that
/// failed: those behind it come again together with it, so that they keep their order.
///
/// Where that fails, they are hidden for as long as the queue hides whatever is received.
pub(super) async fn postpone(
    platform: &dyn Platform,
    source: Source,
    failed: &[Vec<Raw>],
    deadline: Deadline,
) {
    let hidden: Vec<Hidden> = failed.iter().flat_map(|group| hidden(group)).collect();
    let Source::Queue(queue) = source else { return };
    if hidden.is_empty() {
        return;
    }
    let hiding = timeout_at(deadline.instant() + MARGIN, platform.hide(queue, &hidden)).await;
    if let Err(fault) = hiding.unwrap_or(Err(Fault::TimedOut)) {
        tracing::warn!(error = %Failure::Fault(fault), "failed records come again without backoff");
    }
}

fn hidden(group: &[Raw]) -> impl Iterator<Item = Hidden> {
    let wait = Backoff::wait(group.first().map_or(1, |failed| failed.deliveries));
    let receipts = group.iter().filter_map(|raw| raw.receipt.clone());
    receipts.map(move |receipt| Hidden { receipt, wait })
}
