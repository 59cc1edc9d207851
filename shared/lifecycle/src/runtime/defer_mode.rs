//! When deferred work is done.

use std::time::Duration;

use super::deferred::DeferredWork;
use super::extension::{Holder, Left};
use crate::Deadline;

/// The maximum delay of the response in [`DeferMode::BeforeResponse`].
const BEFORE_MAX: Duration = Duration::from_secs(1);

/// How deferred work finishes before Lambda freezes the process.
#[derive(Debug, Clone)]
pub(crate) enum DeferMode {
    /// An internal extension keeps the execution environment running: it requests the next event
    /// only after the work, and Lambda freezes nothing before.
    InExtension(Holder),
    /// The process serves concurrent requests and is not frozen between them, or there is never
    /// deferred work.
    Spawned,
    /// No extension could be registered: the work is done before the response, within a short time.
    BeforeResponse,
}

impl DeferMode {
    /// Called before the response is sent.
    pub(crate) async fn before_answer(
        &self,
        deferred: Option<DeferredWork>,
    ) -> Option<DeferredWork> {
        match (self, deferred) {
            (Self::BeforeResponse, Some(mut deferred)) => {
                deferred.deadline = deferred.deadline.min(Deadline::after(BEFORE_MAX));
                deferred.perform().await;
                None
            }
            (_, deferred) => deferred,
        }
    }

    /// Called when an invocation begins.
    pub(crate) fn before_invocation(&self) {
        if let Self::InExtension(holder) = self {
            holder.begin();
        }
    }

    /// Called when the response has been sent.
    pub(crate) fn after_answer(&self, request_id: String, deferred: Option<DeferredWork>) {
        let left = match self {
            // Always signal the extension, even without deferred work: it waits once per
            // invocation.
            Self::InExtension(holder) => holder.end(Left { request_id, deferred }),
            Self::Spawned | Self::BeforeResponse => deferred,
        };
        if let Some(deferred) = left {
            tokio::spawn(deferred.perform());
        }
    }
}
