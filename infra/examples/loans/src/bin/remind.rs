//! Consumer of the queue `loan_events`: sends a mail about each loan that is made or overdue.

use aws::Table;
use lifecycle::Consumer;
use lifecycle::effects::{EventData, Mail};
use lifecycle::prelude::*;
use loans::resources::{LOAN_EVENTS, LOANS};
use loans::{Loan, LoanId, LoanMade, LoanOverdue, LoanStatus};
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| Remind { loans: aws.table() })
}

struct Remind {
    loans: Table<Loan>,
}

impl Consumer for Remind {
    const SOURCE: Source = Source::Queue(LOAN_EVENTS);

    const RESOURCES: Resources = &[Resource::Table(LOANS, &[GetItem]), Resource::Mail];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation
    type Command = Reminder;

    // 6. Retrieval
    type Facts = Option<Loan>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        reminder: &Reminder,
    ) -> Retrieved<Option<Loan>> {
        Ok(self.loans.get(permit, &Loan::key_of(reminder.loan_id)).await?)
    }

    // 7. and 8. A mail to the member, unless the book is back
    fn decide(_: &Moment, reminder: &Reminder, loan: Option<Loan>) -> Result<Effects, DomainError> {
        let lent = loan.filter(|loan| loan.status != LoanStatus::Returned);
        let Some(loan) = lent else { return Ok(Effects::none()) };
        Ok(Effects::none().mail(Mail {
            id: reminder.event_id.clone(),
            to: loan.email.to_string(),
            subject: reminder.subject.to_owned(),
            text: format!("Please return \"{}\" by {}.\n", loan.title.mailed(), loan.due_at),
        }))
    }
}

/// A mail that is due.
#[derive(Debug)]
struct Reminder {
    event_id: String,
    loan_id: LoanId,
    subject: &'static str,
}

impl TryFrom<Envelope<Value>> for Reminder {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Value>) -> Result<Self, FieldErrors> {
        let event_id = envelope.event_id.clone();
        let (loan_id, subject) = match envelope.event_type.as_str() {
            LoanMade::TYPE => (envelope.read::<LoanMade>()?.loan_id, "Your loan"),
            LoanOverdue::TYPE => (envelope.read::<LoanOverdue>()?.loan_id, "Your loan is overdue"),
            _ => return Err(envelope.unknown_type()),
        };
        Ok(Self { event_id, loan_id, subject })
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::testing::envelope;
    use loans::examples::{loan, moment};

    use super::*;

    #[test]
    fn a_member_is_reminded_of_a_loan_that_is_not_returned() {
        let made = envelope("event-1", "loan-1", &LoanMade { loan_id: loan().loan_id });
        let made = Reminder::try_from(made).unwrap();
        let effects = Remind::decide(&moment(), &made, Some(loan())).unwrap();
        let [mail] = effects.mails() else { panic!("{effects:?}") };
        assert_eq!((mail.id.as_str(), mail.to.as_str()), ("event-1", "ada@example.com"));
        assert!(mail.text.contains("\"Emma\""), "{}", mail.text);
        for over in [Some(loan().becoming(LoanStatus::Returned)), None] {
            assert!(Remind::decide(&moment(), &made, over).unwrap().is_empty());
        }
    }
}
