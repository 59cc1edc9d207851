//! On a schedule: closes the audit records of calls whose function ended before the call did.

use aws::{Range, Table};
use domain::communications::UpstreamCall;
use domain::resources::{BY_PENDING, COMMUNICATIONS};
use lifecycle::Consumer;
use lifecycle::ports::Transaction;
use lifecycle::prelude::*;

fn main() -> ExitCode {
    aws::consume(|aws| SweepCommunications { communications: aws.table() })
}

struct SweepCommunications {
    communications: Table<UpstreamCall>,
}

/// A record that is pending for longer is abandoned: no function runs for a minute.
const PENDING_S_MAX: i64 = 60;
/// The maximum number of records in one run: as many as one commit can hold. The next run begins
/// with the rest.
const RECORDS_MAX: usize = Transaction::WRITES_MAX;

impl Consumer for SweepCommunications {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));

    /// A repeated run does no harm: only a pending record is closed.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources =
        &[Resource::Table(COMMUNICATIONS, &[PutItem]), Resource::Index(COMMUNICATIONS, BY_PENDING)];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: a run carries no data
    type Command = ScheduledRun;

    // 6. Retrieval: the records that are pending for too long, the oldest first. Their number is
    // logged here, because a decision has no effect except its result.
    type Facts = Vec<UpstreamCall>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Self::Facts> {
        let latest = permit.moment().now().plus_seconds(-PENDING_S_MAX);
        let abandoned = Range::sharded(BY_PENDING).up_to(latest);
        let found = self.communications.first_of(permit, &abandoned, RECORDS_MAX).await?;
        if !found.is_empty() {
            tracing::warn!(records = found.len(), "closing the audit records of abandoned calls");
        }
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    // 7. and 8. Each record is closed separately, unless the call has ended meanwhile
    fn decide(
        _: &Moment,
        _: &ScheduledRun,
        abandoned: Vec<UpstreamCall>,
    ) -> Result<Effects, DomainError> {
        let closed = abandoned.into_iter().map(UpstreamCall::abandon);
        let parts = closed.map(|write| Effects::none().write(write));
        Ok(parts.fold(Effects::none(), Effects::part))
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{communication, moment, scheduled_run};
    use lifecycle::effects::{Condition, WriteAction, text};

    use super::*;

    #[test]
    fn a_pending_record_is_closed_as_abandoned() {
        let pending = vec![communication()];
        let effects = SweepCommunications::decide(&moment(), &scheduled_run(), pending).unwrap();
        let [part] = effects.parts() else { panic!("{effects:?}") };
        let [write] = part.writes() else { panic!("{effects:?}") };
        assert_eq!(write.condition, Some(Condition::Equals("outcome", text("PENDING"))));
        let WriteAction::Put(item) = &write.action else { panic!("{write:?}") };
        assert_eq!(item.get("outcome"), Some(&text("ABANDONED")));
        assert_eq!(item.get("by_pending_pk"), None, "it leaves the index");
    }
}
