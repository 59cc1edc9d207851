//! The events that cause a mail.

use lifecycle::effects::EventData;
use lifecycle::envelope::Envelope;
use lifecycle::{FieldErrors, Timestamp};
use serde_json::Value;

use crate::orders::OrderCreated;
use crate::people::{EmailVerificationRequested, PasswordResetAsked, User, VerificationAsked};

/// A mail to an account that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailDue {
    /// The id of the event that causes it.
    pub event_id: String,
    /// When it was caused.
    pub caused_at: Timestamp,
    /// The reason for it.
    pub topic: MailTopic,
}

/// The reason for a mail: an event's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailTopic {
    /// A user has signed up.
    Verification(EmailVerificationRequested),
    /// A client has requested another verification mail.
    VerificationAgain(VerificationAsked),
    /// A client has requested a mail for setting a new password.
    PasswordReset(PasswordResetAsked),
    /// A customer has placed an order.
    Order(Box<OrderCreated>),
}

impl MailDue {
    /// Whether a mail goes to this account that anyone can cause: there is a daily limit on those.
    pub fn is_limited(&self, user: &User, now: Timestamp) -> bool {
        match &self.topic {
            MailTopic::Verification(requested) => user.waits_for(&requested.token, now),
            MailTopic::VerificationAgain(asked) => {
                user.clone().asked_again(asked, self.caused_at, now).is_some()
            }
            MailTopic::PasswordReset(asked) => {
                user.clone().reset_asked(asked, self.caused_at, now).is_some()
            }
            MailTopic::Order(_) => false,
        }
    }
}

impl MailTopic {
    /// Whether it is about this account. A client asks for a mail by an address, which may have passed
    /// to another account.
    pub fn concerns(&self, user: &User) -> bool {
        match self {
            Self::VerificationAgain(asked) => user.has(&asked.email),
            Self::PasswordReset(asked) => user.has(&asked.email),
            Self::Verification(requested) => user.user_id == requested.user_id,
            Self::Order(order) => user.user_id == order.user_id,
        }
    }
}

/// An event type without a mail is a field error.
impl TryFrom<Envelope<Value>> for MailDue {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Value>) -> Result<Self, FieldErrors> {
        let (event_id, caused_at) = (envelope.event_id.clone(), envelope.occurred_at);
        let topic = match envelope.event_type.as_str() {
            EmailVerificationRequested::TYPE => MailTopic::Verification(envelope.read()?),
            VerificationAsked::TYPE => MailTopic::VerificationAgain(envelope.read()?),
            PasswordResetAsked::TYPE => MailTopic::PasswordReset(envelope.read()?),
            OrderCreated::TYPE => MailTopic::Order(Box::new(envelope.read()?)),
            _ => return Err(envelope.unknown_type()),
        };
        Ok(Self { event_id, caused_at, topic })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::examples::{ann, envelope, pending_order, read};

    #[test]
    fn each_event_with_a_mail_is_read_with_its_id() {
        let email = "ann@example.com";
        for (event_type, data) in [
            (EmailVerificationRequested::TYPE, json!({ "userId": ann().user_id, "token": "t" })),
            (VerificationAsked::TYPE, json!({ "email": email, "token": "t" })),
            (PasswordResetAsked::TYPE, json!({ "email": email, "token": "t", "toUnproven": true })),
            (OrderCreated::TYPE, json!(pending_order().created())),
        ] {
            let envelope = envelope(event_type, data);
            let event_id = envelope.event_id.clone();
            let due = MailDue::try_from(envelope).unwrap();
            let topic = match due.topic {
                MailTopic::Verification(_) => EmailVerificationRequested::TYPE,
                MailTopic::VerificationAgain(_) => VerificationAsked::TYPE,
                MailTopic::PasswordReset(_) => PasswordResetAsked::TYPE,
                MailTopic::Order(_) => OrderCreated::TYPE,
            };
            assert_eq!((due.event_id, topic), (event_id, event_type));
        }
    }

    #[test]
    fn a_mail_concerns_the_account_with_the_address_or_the_id() {
        let other = User { email: read(json!("bob@example.com")), ..ann() };
        for (event_type, data, is_of_other) in [
            (VerificationAsked::TYPE, json!({ "email": "ANN@example.com", "token": "t" }), false),
            (
                PasswordResetAsked::TYPE,
                json!({ "email": "ANN@example.com", "token": "t", "toUnproven": true }),
                false,
            ),
            (OrderCreated::TYPE, json!(pending_order().created()), true),
        ] {
            let topic = MailDue::try_from(envelope(event_type, data)).unwrap().topic;
            assert!(topic.concerns(&ann()), "{event_type}");
            assert_eq!(topic.concerns(&other), is_of_other, "{event_type}");
        }
    }

    #[test]
    fn unknown_events_and_unreadable_data_are_field_errors() {
        for (event_type, data) in [
            ("OrderShipped", json!(pending_order().created())),
            (OrderCreated::TYPE, json!({})),
            (EmailVerificationRequested::TYPE, json!({ "userId": "ann", "token": "t" })),
            (VerificationAsked::TYPE, json!({ "email": 1, "token": "t" })),
            (PasswordResetAsked::TYPE, json!({ "email": "ann@example.com", "token": "t" })),
        ] {
            assert!(MailDue::try_from(envelope(event_type, data)).is_err(), "{event_type}");
        }
    }
}
