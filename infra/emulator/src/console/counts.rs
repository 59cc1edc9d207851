//! The numbers of all functions and queues, for the clients that follow the changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::functions::Functions;
use crate::services::{QueueCount, Stores};

/// The time for which counts are new: a half of the pause between two looks at them.
const NEW: Duration = Duration::from_millis(500);

/// `event: counts`: the numbers of all functions and queues, by logical id.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    functions: BTreeMap<String, FunctionCount>,
    queues: BTreeMap<String, QueueCount>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionCount {
    invocations: u64,
    cold_starts: u64,
    errors: u64,
    throttles: u64,
}

/// The counts that were read last, shared by all clients. The queues are counted at most twice a
/// second, and only while a client listens.
#[derive(Default)]
pub(crate) struct LatestCounts(Mutex<Option<(Instant, Arc<Counts>)>>);

impl LatestCounts {
    /// The counts of now, or the ones that another client has just read.
    pub(super) async fn get(&self, stores: &Stores, functions: &Functions) -> Arc<Counts> {
        let mut latest = self.0.lock().await;
        if let Some((at, counts)) = &*latest
            && at.elapsed() < NEW
        {
            return Arc::clone(counts);
        }
        let counts = Arc::new(Counts::of(stores, functions).await);
        *latest = Some((Instant::now(), Arc::clone(&counts)));
        counts
    }
}

impl Counts {
    async fn of(stores: &Stores, functions: &Functions) -> Self {
        let functions = functions.counts().into_iter().map(|(id, counts)| {
            let count = FunctionCount {
                invocations: counts.invocations,
                cold_starts: counts.cold_starts,
                errors: counts.errors,
                throttles: counts.throttles,
            };
            (id, count)
        });
        let functions = functions.collect();
        // Without its queues, the event still has the functions.
        let queues = stores.queue_counts().await.unwrap_or_default();
        Self { functions, queues }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control;

    #[tokio::test]
    async fn clients_share_counts_that_were_just_read() {
        let template = include_str!("../services/tests/template.yaml");
        let control = control::tests::control(template, "http://127.0.0.1:3000").await;

        let first = control.counts.get(&control.stores, &control.functions).await;
        let second = control.counts.get(&control.stores, &control.functions).await;

        assert!(Arc::ptr_eq(&first, &second));
        assert!(first.queues.contains_key("EmailsQueue"));
    }
}
