//! The sweeper of audit records: on a schedule, it closes the records of calls whose function ended
//! before the call did.

use lifecycle::Consumer;
use lifecycle::ports::Transaction;
use lifecycle::prelude::*;
use lifecycle::upstream_call::PendingCall;

use crate::{Range, Table};

/// Serves the schedule that closes the audit records of calls to upstreams whose function ended
/// before the call did and that have been pending for a minute, the oldest first.
pub fn sweep_calls<R: PendingCall>() -> ExitCode {
    crate::consume(|aws| SweepCalls::<R> { records: aws.table() })
}

struct SweepCalls<R> {
    records: Table<R>,
}

/// A record that is pending for longer is abandoned: no function runs for a minute.
const PENDING_S_MAX: i64 = 60;
/// The maximum number of records in one run: as many as one commit can hold. The next run begins
/// with the rest.
const RECORDS_MAX: usize = Transaction::WRITES_MAX;

impl<R: PendingCall> Consumer for SweepCalls<R> {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));

    /// A repeated run does no harm: only a pending record is closed.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources =
        &[Resource::Table(R::TABLE, &[PutItem]), Resource::Index(R::TABLE, R::BY_PENDING)];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: a run carries no data
    type Command = ScheduledRun;

    // 6. Retrieval: the records that are pending for too long, the oldest first. Their number is
    // logged here, because a decision has no effect except its result.
    type Facts = Vec<R>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Self::Facts> {
        let latest = permit.moment().now().plus_seconds(-PENDING_S_MAX);
        let abandoned = Range::sharded(R::BY_PENDING).up_to(latest);
        let found = self.records.first_of(permit, &abandoned, RECORDS_MAX).await?;
        if !found.is_empty() {
            tracing::warn!(records = found.len(), "closing the audit records of abandoned calls");
        }
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    // 7. and 8. Each record is closed separately, unless the call has ended meanwhile
    fn decide(_: &Moment, _: &ScheduledRun, abandoned: Vec<R>) -> Result<Effects, DomainError> {
        let closed = abandoned.into_iter().map(R::abandoned);
        let parts = closed.map(|write| Effects::none().write(write));
        Ok(parts.fold(Effects::none(), Effects::part))
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::Upstream;
    use lifecycle::examples::{moment, scheduled_run};
    use lifecycle::record::{IndexName, Key, Record, TableName};
    use lifecycle::upstream_call::{CallEnd, CallRecord, CallStart};
    use serde::{Deserialize, Serialize};

    use super::*;

    const CALLS: TableName = TableName::new("calls");
    const BY_BEGIN: IndexName = IndexName::new("by_begin");

    #[derive(Serialize, Deserialize)]
    struct Call {
        id: String,
    }

    impl Record for Call {
        const TABLE: TableName = CALLS;

        fn key(&self) -> Key {
            Key::new(&self.id)
        }
    }

    impl CallRecord for Call {
        fn of_start(start: &CallStart<'_>) -> Self {
            Self { id: start.request_id.clone() }
        }

        fn with_end(self, _: &CallEnd<'_>) -> Self {
            self
        }

        fn alerts(_: &Moment, _: Upstream, _: &CallEnd<'_>) -> Vec<Message> {
            Vec::new()
        }
    }

    impl PendingCall for Call {
        const BY_PENDING: IndexName = BY_BEGIN;

        fn abandoned(self) -> Write {
            Write::put(&self)
        }
    }

    #[test]
    fn each_pending_record_is_closed_separately() {
        let pending = ["1", "2"].map(|id| Call { id: id.to_owned() });
        let effects =
            SweepCalls::<Call>::decide(&moment(), &scheduled_run(), pending.into()).unwrap();
        let closed = effects.parts().iter().map(|part| part.writes()[0].key.pk.as_str());
        assert_eq!(closed.collect::<Vec<_>>(), ["1", "2"]);
        assert!(effects.writes().is_empty());
    }

    #[test]
    fn the_table_and_the_index_of_the_records_are_declared() {
        let declared = SweepCalls::<Call>::RESOURCES;
        assert_eq!(declared[0], Resource::Table(CALLS, &[PutItem]));
        assert_eq!(declared[1], Resource::Index(CALLS, BY_BEGIN));
    }
}
