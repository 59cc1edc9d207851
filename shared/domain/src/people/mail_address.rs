//! Whether mail may be sent to an address.

use lifecycle::Timestamp;
use lifecycle::effects::Write;
use lifecycle::newtypes::wire_enum;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::Email;
use crate::resources::MAIL_ADDRESSES;

/// An address for which the mail service has reported a bounce or a complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailAddress {
    /// The address, in the form by which addresses are compared.
    pub email: String,
    /// Why no mail is sent to it; `None` after an operator has cleared it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undeliverable: Option<Undeliverable>,
    /// When an operator has last cleared it. Earlier reports have no effect any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Timestamp>,
    /// Increases with every change.
    pub version: u64,
}

/// The report that made an address undeliverable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undeliverable {
    /// Bounce or complaint.
    pub reason: UndeliverableReason,
    /// The mail service's name for the kind: `General` or `abuse`.
    pub kind: String,
    /// When it happened, by the mail service's clock.
    pub at: Timestamp,
    /// The mail service's id of the mail.
    pub message_id: String,
}

wire_enum! {
    /// Why an address is undeliverable.
    UndeliverableReason {
        /// The receiving server has rejected a mail permanently.
        Bounce = "BOUNCE",
        /// The recipient has marked a mail as spam.
        Complaint = "COMPLAINT",
    }
}

impl MailAddress {
    /// The key of an address.
    pub fn key_of(email: &Email) -> Key {
        Key::new(email.folded())
    }

    /// Whether no mail may be sent to it.
    pub fn is_undeliverable(&self) -> bool {
        self.undeliverable.is_some()
    }

    /// The write that marks an address. `None` if it is marked already, or an operator has cleared
    /// it since: a repeated or late report has no effect.
    pub fn mark(stored: Option<Self>, email: &Email, report: &Undeliverable) -> Option<Write> {
        let undeliverable = Some(report.clone());
        let Some(stored) = stored else {
            let marked =
                Self { email: email.folded(), undeliverable, cleared_at: None, version: 1 };
            return Some(Write::create(&marked));
        };
        if stored.is_undeliverable() || stored.cleared_at.is_some_and(|at| report.at <= at) {
            return None;
        }
        let version = stored.version;
        Some(Write::replace(&Self { undeliverable, version: version + 1, ..stored }, version))
    }

    /// The write that allows mail to the address again; `None` if it is deliverable.
    pub fn clear(self, now: Timestamp) -> Option<Write> {
        let version = self.version;
        let cleared =
            Self { undeliverable: None, cleared_at: Some(now), version: version + 1, ..self };
        self.undeliverable.map(|_| Write::replace(&cleared, version))
    }
}

impl Record for MailAddress {
    const TABLE: TableName = MAIL_ADDRESSES;
    const KEY_IS_PERSONAL: bool = true;

    fn key(&self) -> Key {
        Key::new(&self.email)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::WriteAction;

    use super::*;
    use crate::examples::moment;

    #[test]
    fn an_address_is_marked_by_its_first_report_and_by_no_other() {
        let marked = stored(MailAddress::mark(None, &email(), &bounce(0)));
        assert_eq!(marked.key(), MailAddress::key_of(&email()));
        assert_eq!((marked.undeliverable.as_ref(), marked.version), (Some(&bounce(0)), 1));
        assert!(MailAddress::mark(Some(marked.clone()), &email(), &bounce(0)).is_none());
        assert!(MailAddress::mark(Some(marked), &email(), &bounce(1)).is_none());
    }

    #[test]
    fn a_cleared_address_is_marked_again_only_by_later_reports() {
        let marked = stored(MailAddress::mark(None, &email(), &bounce(0)));
        let cleared = stored(marked.clear(moment().now().plus_seconds(60)));
        assert!(!cleared.is_undeliverable());
        assert!(cleared.clone().clear(moment().now()).is_none());
        for (seconds, marks) in [(0, false), (60, false), (61, true)] {
            let write = MailAddress::mark(Some(cleared.clone()), &email(), &bounce(seconds));
            assert_eq!(write.is_some(), marks, "{seconds}");
        }
        let again = stored(MailAddress::mark(Some(cleared), &email(), &bounce(61)));
        assert!(again.is_undeliverable() && again.version == 3);
    }

    fn stored(write: Option<Write>) -> MailAddress {
        let Some(WriteAction::Put(item)) = write.map(|write| write.action) else {
            panic!("not a put")
        };
        MailAddress::of_item(item).unwrap()
    }

    fn bounce(seconds: i64) -> Undeliverable {
        Undeliverable {
            reason: UndeliverableReason::Bounce,
            kind: "General".to_owned(),
            at: moment().now().plus_seconds(seconds),
            message_id: "message-1".to_owned(),
        }
    }

    fn email() -> Email {
        "Ann@example.com".to_owned().try_into().unwrap()
    }
}
