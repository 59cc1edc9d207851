//! Reports of Amazon SES about a mail, as `EventBridge` delivers them.

use lifecycle::Timestamp;
use lifecycle::consumer::RecordInput;
use lifecycle::error::FieldErrors;
use serde::Deserialize;

use super::{Email, Undeliverable, UndeliverableReason};

/// An event of the types `Email Bounced` and `Email Complaint Received`.
#[derive(Debug, Clone, Deserialize)]
pub struct MailEvent {
    id: String,
    detail: Detail,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_type: String,
    mail: SentMail,
    #[serde(default)]
    bounce: Option<Bounce>,
    #[serde(default)]
    complaint: Option<Complaint>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentMail {
    message_id: String,
    destination: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    bounce_sub_type: String,
    timestamp: Timestamp,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    complaint_feedback_type: Option<String>,
    #[serde(default)]
    complaint_sub_type: Option<String>,
    timestamp: Timestamp,
}

/// The report of an event about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailReport {
    /// The address that the mail was sent to.
    pub email: Email,
    /// Why it is undeliverable; `None` if the event is no reason to stop sending mail.
    pub undeliverable: Option<Undeliverable>,
}

/// Reads the report of an event. An event that is not about a mail of this system is an error.
impl TryFrom<MailEvent> for MailReport {
    type Error = FieldErrors;

    /// A permanent bounce is a reason to stop. A transient one is not: a mailbox was full, or a
    /// server was unavailable; an undetermined one may be the same. A complaint is a reason, unless
    /// it states that the mail is no spam.
    ///
    /// The address is the one that the mail was sent to. A bounce names the address at which the
    /// mail ended, which differs if mail is forwarded, and a complaint may name none.
    ///
    /// # Errors
    ///
    /// If the event has another type or another shape, or its mail has several addresses: ours have
    /// one.
    fn try_from(event: MailEvent) -> Result<Self, FieldErrors> {
        let Detail { event_type, mail, bounce, complaint } = event.detail;
        let undeliverable = match (event_type.as_str(), bounce, complaint) {
            ("Bounce", Some(bounce), _) => bounce.undeliverable(mail.message_id)?,
            ("Bounce", None, _) => return Err(FieldErrors::one("/detail/bounce", "is missing")),
            ("Complaint", _, Some(complaint)) => complaint.undeliverable(mail.message_id),
            ("Complaint", _, None) => {
                return Err(FieldErrors::one("/detail/complaint", "is missing"));
            }
            _ => {
                let reason = format!("`{event_type}` is unknown");
                return Err(FieldErrors::one("/detail/eventType", reason));
            }
        };
        let Ok([address]) = <[String; 1]>::try_from(mail.destination) else {
            return Err(FieldErrors::one("/detail/mail/destination", "must be one address"));
        };
        let email = Email::try_from(address)
            .map_err(|reason| FieldErrors::one("/detail/mail/destination/0", reason))?;
        Ok(Self { email, undeliverable })
    }
}

impl RecordInput for MailEvent {
    fn event_id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

impl Bounce {
    fn undeliverable(self, message_id: String) -> Result<Option<Undeliverable>, FieldErrors> {
        let Self { bounce_type, bounce_sub_type: kind, timestamp: at } = self;
        match bounce_type.as_str() {
            "Permanent" => {
                let reason = UndeliverableReason::Bounce;
                Ok(Some(Undeliverable { reason, kind, at, message_id }))
            }
            "Transient" | "Undetermined" => Ok(None),
            _ => {
                let reason = format!("`{bounce_type}` is unknown");
                Err(FieldErrors::one("/detail/bounce/bounceType", reason))
            }
        }
    }
}

impl Complaint {
    fn undeliverable(self, message_id: String) -> Option<Undeliverable> {
        let Self { complaint_feedback_type, complaint_sub_type, timestamp: at } = self;
        // With this word (RFC 5965) a recipient takes a mail out of the spam folder.
        if complaint_feedback_type.as_deref() == Some("not-spam") {
            return None;
        }
        let kind = complaint_feedback_type.or(complaint_sub_type);
        let kind = kind.unwrap_or_else(|| "unknown".to_owned());
        Some(Undeliverable { reason: UndeliverableReason::Complaint, kind, at, message_id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_permanent_bounces_and_complaints_are_reasons_to_stop() {
        use UndeliverableReason::{Bounce, Complaint};
        let suppressed = json!({ "complaintSubType": "OnAccountSuppressionList" });
        for (detail, reason, kind) in [
            (bounce("Permanent", "General"), Some(Bounce), "General"),
            (bounce("Permanent", "Suppressed"), Some(Bounce), "Suppressed"),
            (bounce("Transient", "MailboxFull"), None, ""),
            (bounce("Undetermined", "Undetermined"), None, ""),
            (complaint(json!({ "complaintFeedbackType": "abuse" })), Some(Complaint), "abuse"),
            (complaint(json!({ "complaintFeedbackType": "not-spam" })), None, ""),
            (complaint(suppressed), Some(Complaint), "OnAccountSuppressionList"),
            (complaint(json!({ "complaintSubType": null })), Some(Complaint), "unknown"),
        ] {
            let report = MailReport::try_from(event(detail.clone())).unwrap();
            assert_eq!(report.email.as_str(), "Ann@example.com");
            let told = report.undeliverable.map(|it| (it.reason, it.kind, it.message_id));
            let expected = reason.map(|it| (it, kind.to_owned(), "message-1".to_owned()));
            assert_eq!(told, expected, "{detail}");
        }
    }

    #[test]
    fn a_repeated_event_is_recognised_by_its_id() {
        assert_eq!(event(bounce("Permanent", "General")).event_id(), Some("event-1"));
    }

    #[test]
    fn an_event_of_another_shape_is_a_field_error_that_names_its_place() {
        let changed = |pointer: &str, value: Value| {
            let mut detail = bounce("Permanent", "General");
            *detail.pointer_mut(pointer).unwrap() = value;
            detail
        };
        for (detail, field) in [
            (changed("/eventType", json!("Delivery")), "/detail/eventType"),
            (changed("/eventType", json!("Complaint")), "/detail/complaint"),
            (changed("/bounce", Value::Null), "/detail/bounce"),
            (changed("/bounce/bounceType", json!("Soft")), "/detail/bounce/bounceType"),
            (changed("/mail/destination", json!([])), "/detail/mail/destination"),
            (
                changed("/mail/destination", json!(["a@example.com", "b@example.com"])),
                "/detail/mail/destination",
            ),
            (changed("/mail/destination/0", json!("ann")), "/detail/mail/destination/0"),
        ] {
            let field_errors = format!("{:?}", MailReport::try_from(event(detail)).unwrap_err());
            assert!(field_errors.contains(&format!("{field:?}")), "{field}: {field_errors}");
        }
    }

    fn bounce(kind: &str, sub_kind: &str) -> Value {
        let mut detail = detail("Bounce");
        detail["bounce"] = json!({
            "bounceType": kind, "bounceSubType": sub_kind, "timestamp": "2026-11-26T12:00:00.5Z",
            "bouncedRecipients": [{ "emailAddress": "forwarded@example.org" }],
        });
        detail
    }

    fn complaint(complaint: Value) -> Value {
        let mut detail = detail("Complaint");
        detail["complaint"] = complaint;
        detail["complaint"]["timestamp"] = json!("2026-11-26T12:00:00.000Z");
        detail
    }

    fn detail(event_type: &str) -> Value {
        let mail = json!({ "messageId": "message-1", "destination": ["Ann@example.com"] });
        json!({ "eventType": event_type, "mail": mail })
    }

    fn event(detail: Value) -> MailEvent {
        serde_json::from_value(json!({ "id": "event-1", "detail": detail })).unwrap()
    }
}
