//! On a schedule: marks the loans whose book was not returned in time.

use aws::{Range, Table};
use lifecycle::Consumer;
use lifecycle::prelude::*;
use loans::resources::{BY_DUE, LOANS};
use loans::{Loan, LoanOverdue, LoanStatus};

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| Expire { loans: aws.table() })
}

struct Expire {
    loans: Table<Loan>,
}

/// The maximum number of loans in one run. The next run begins with the rest.
const LOANS_MAX: usize = 100;

impl Consumer for Expire {
    const SOURCE: Source = Source::Schedule(Schedule::every_hours(1));

    /// A repeated run does no harm: it finds only loans that are not marked.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources =
        &[Resource::Table(LOANS, &[PutItem]), Resource::Index(LOANS, BY_DUE), Resource::Outbox];

    // 4. Deserialisation
    type Input = ScheduledRun;

    // 5. Syntax validation: a run carries no data
    type Command = ScheduledRun;

    // 6. Retrieval: the overdue loans, the longest overdue first. Unreadable ones are logged
    type Facts = Vec<Loan>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Vec<Loan>> {
        let overdue = Range::sharded(BY_DUE).up_to(permit.moment().now());
        let found = self.loans.first_of(permit, &overdue, LOANS_MAX).await?;
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    // 7. and 8. Each loan is a commit, so that one that fails does not stop the others
    fn decide(_: &Moment, _: &ScheduledRun, overdue: Vec<Loan>) -> Result<Effects, DomainError> {
        let part = |loan: Loan| {
            let event = Event::about(loan.loan_id, &LoanOverdue { loan_id: loan.loan_id });
            let write = loan.becoming(LoanStatus::Overdue).replace();
            Effects::none().write(write).event(event)
        };
        Ok(overdue.into_iter().map(part).fold(Effects::none(), Effects::part))
    }
}

#[cfg(test)]
mod tests {
    use loans::examples::{loan, moment};

    use super::*;

    #[test]
    fn each_overdue_loan_is_marked_separately_with_its_event() {
        let run = ScheduledRun { id: "run-1".to_owned(), time: moment().now() };
        let effects = Expire::decide(&moment(), &run, vec![loan(), loan()]).unwrap();
        assert!(effects.writes().is_empty());
        for part in effects.parts() {
            assert_eq!((part.writes().len(), part.events().len()), (1, 1));
            assert_eq!(part.events()[0].event_type, "LoanOverdue");
        }
        assert_eq!(effects.parts().len(), 2);
    }
}
