//! Records of what has happened, written while a request is served.

use std::marker::PhantomData;
use std::time::Duration;

use lifecycle::effects::Write;
use lifecycle::platform::CommitError;
use lifecycle::record::Record;
use lifecycle::telemetry::observe_error;
use lifecycle::{Fault, Permit};
use tokio::time::timeout;

use crate::Aws;

/// A log does not hold requests up for longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A log of records of one type.
///
/// It is a log and no more: a request whose record cannot be written goes on, and that is counted
/// as `JOURNAL_UNAVAILABLE`.
pub struct Journal<R> {
    aws: Aws,
    record: PhantomData<fn() -> R>,
}

impl Aws {
    /// The log of a record type, in its table.
    ///
    /// # Panics
    ///
    /// As [`Aws::table`].
    pub fn journal<R: Record>(&self) -> Journal<R> {
        let _ = self.table::<R>();
        Journal { aws: self.clone(), record: PhantomData }
    }
}

impl<R: Record> Journal<R> {
    /// Writes a record, in place of an earlier one of its key.
    pub async fn note<C>(&self, _: &Permit<C>, record: &R) {
        match timeout(PATIENCE, self.aws.write(Write::put(record))).await {
            Ok(Ok(())) => {}
            Ok(Err(CommitError::Fault(fault))) => Self::missed(&fault),
            Ok(Err(error)) => Self::missed(&Fault::internal(format!("{error:?}"))),
            Err(_) => Self::missed(&Fault::internal("it took too long")),
        }
    }

    fn missed(fault: &Fault) {
        observe_error("JOURNAL_UNAVAILABLE");
        let error: &dyn std::error::Error = fault;
        tracing::warn!(table = R::TABLE.name(), error, "a record is missing in the log");
    }
}
