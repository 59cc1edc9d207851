//! Counters of the functions' calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

use super::call::Call;

/// The calls since the start.
#[derive(Debug, Default)]
pub(super) struct CallCounts {
    counts: Mutex<BTreeMap<CallKind, u64>>,
}

/// The labels of a counter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct CallKind {
    /// `dynamodb`, `sqs`, `secretsmanager` or `ses`.
    pub service: &'static str,
    /// The service's operation, `PutItem`.
    pub operation: String,
    /// The logical ids of the resources, joined by commas.
    pub resource: String,
    /// The calling function; empty for other callers.
    pub function: String,
    /// The HTTP status of the response.
    pub status: u16,
}

impl CallCounts {
    pub(super) fn count(&self, call: &Call, status: StatusCode) {
        let kind = CallKind {
            service: call.store.name(),
            operation: call.operation.clone(),
            resource: call.resources(),
            function: call
                .caller
                .as_ref()
                .map(|caller| caller.function.clone())
                .unwrap_or_default(),
            status: status.as_u16(),
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(kind).or_default() += 1;
    }

    pub(super) fn all(&self) -> Vec<(CallKind, u64)> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(kind, count)| (kind.clone(), *count)).collect()
    }
}
