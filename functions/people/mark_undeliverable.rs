//! Consumer of the queue `mail_events`: marks addresses as undeliverable after the bounces and
//! complaints that SES reports.

use aws::Table;
use domain::people::{MailAddress, MailEvent, MailReport};
use domain::resources::{MAIL_ADDRESSES, MAIL_EVENTS};
use lifecycle::Consumer;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| MarkUndeliverable { addresses: aws.table() })
}

struct MarkUndeliverable {
    addresses: Table<MailAddress>,
}

impl Consumer for MarkUndeliverable {
    const SOURCE: Source = Source::Queue(MAIL_EVENTS);

    /// A repeated report finds the address marked, or cleared since.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources = &[Resource::Table(MAIL_ADDRESSES, &[GetItem, PutItem])];

    // 4. Deserialisation
    type Input = MailEvent;

    // 5. Syntax validation
    type Command = MailReport;

    // 6. Retrieval
    type Facts = Option<MailAddress>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        report: &MailReport,
    ) -> Retrieved<Option<MailAddress>> {
        Ok(self.addresses.get(permit, &MailAddress::key_of(&report.email)).await?)
    }

    // 7. and 8. An address is marked once, whether or not it has an account
    fn decide(
        _: &Moment,
        MailReport { email, undeliverable }: &MailReport,
        stored: Option<MailAddress>,
    ) -> Result<Effects, DomainError> {
        let report = undeliverable.as_ref();
        let marked = report.and_then(|report| MailAddress::mark(stored, email, report));
        Ok(Effects::none().writes_of(marked))
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{moment, read};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_permanent_bounce_marks_an_address_once_and_a_transient_one_never() {
        let permanent = report("Permanent");
        let effects = MarkUndeliverable::decide(&moment(), &permanent, None).unwrap();
        assert_eq!(effects.writes().len(), 1);
        let undeliverable = permanent.undeliverable.clone();
        let stored = MailAddress {
            email: permanent.email.folded(),
            undeliverable,
            cleared_at: None,
            version: 1,
        };
        for (report, stored) in [(permanent, Some(stored)), (report("Transient"), None)] {
            let effects = MarkUndeliverable::decide(&moment(), &report, stored).unwrap();
            assert!(effects.is_empty(), "{report:?}: {effects:?}");
        }
    }

    fn report(kind: &str) -> MailReport {
        let event = json!({
            "id": "event-1",
            "detail": {
                "eventType": "Bounce",
                "mail": { "messageId": "message-1", "destination": ["Ann@example.com"] },
                "bounce": {
                    "bounceType": kind, "bounceSubType": "General", "timestamp": moment().now(),
                },
            },
        });
        MailReport::try_from(read::<MailEvent>(event)).unwrap()
    }
}
