//! Audit records, written while a request is served.

use std::marker::PhantomData;
use std::time::Duration;

use lifecycle::effects::Write;
use lifecycle::ports::CommitError;
use lifecycle::record::Record;
use lifecycle::telemetry::observe_error;
use lifecycle::{Permit, ServiceError};
use tokio::time::timeout;

use crate::Aws;

/// Longest time that a record may delay its request.
const PATIENCE: Duration = Duration::from_secs(1);
/// The error type of a record that was not written; an alarm reads it.
const JOURNAL_UNAVAILABLE: &str = "JOURNAL_UNAVAILABLE";

/// An audit log of records of one type.
///
/// It is best effort: if a record cannot be written, the request continues, and the failure is
/// counted as `JOURNAL_UNAVAILABLE`.
pub struct AuditLog<R> {
    aws: Aws,
    record: PhantomData<fn() -> R>,
}

impl Aws {
    /// The audit log of a record type, in its table.
    ///
    /// # Panics
    ///
    /// As [`Aws::table`].
    pub fn audit_log<R: Record>(&self) -> AuditLog<R> {
        let _ = self.table::<R>();
        AuditLog { aws: self.clone(), record: PhantomData }
    }
}

impl<R: Record> AuditLog<R> {
    /// Writes a record. It replaces an earlier record of the same key.
    pub async fn append<C>(&self, _: &Permit<C>, record: &R) {
        self.write(Write::put(record)).await;
    }

    /// Writes a record, unless one of the same key is stored. A write that was given up may still
    /// arrive, and must not replace the record that was appended after it.
    pub(crate) async fn begin<C>(&self, _: &Permit<C>, record: &R) {
        self.write(Write::create(record)).await;
    }

    async fn write(&self, write: Write) {
        match timeout(PATIENCE, self.aws.write(write)).await {
            Ok(Ok(()) | Err(CommitError::Conditions(_))) => {}
            Ok(Err(CommitError::ServiceError(fault))) => Self::missed(&fault),
            Ok(Err(error)) => Self::missed(&ServiceError::internal(format!("{error:?}"))),
            Err(_) => Self::missed(&ServiceError::internal("the write timed out")),
        }
    }

    fn missed(fault: &ServiceError) {
        observe_error(JOURNAL_UNAVAILABLE);
        let error: &dyn std::error::Error = fault;
        tracing::warn!(table = R::TABLE.name(), error, "audit record not written");
    }
}
