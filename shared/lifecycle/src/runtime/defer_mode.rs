//! When deferred work is done.

use super::deferred::DeferredWork;
use super::extension::{Holder, Left};

/// How deferred work finishes before Lambda freezes the process.
#[derive(Debug, Clone)]
pub(crate) enum DeferMode {
    /// An internal extension keeps the execution environment running: it requests the next event
    /// only after the work, and Lambda freezes nothing before.
    InExtension(Holder),
    /// The process serves concurrent requests and is not frozen between them.
    Spawned,
    /// There is no extension: the function never leaves work until after the response, or the
    /// platform has no extensions. Work is done before the response, within a short time.
    BeforeResponse,
}

impl DeferMode {
    /// Called before the response is sent. Writes the log lines, so that no later end of the process
    /// can lose them; returns the work that is left, if there is any.
    pub(crate) async fn before_answer(
        &self,
        deferred: Option<DeferredWork>,
    ) -> Option<DeferredWork> {
        let mut deferred = deferred?;
        deferred.write_lines();
        if deferred.count() == 0 {
            return None;
        }
        if matches!(self, Self::BeforeResponse) {
            deferred.perform_before_response().await;
            return None;
        }
        Some(deferred)
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
