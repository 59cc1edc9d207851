//! SES events of mails to its mailbox simulator, and the queues that receive them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::identities::bare;
use super::mail::Mail;
use crate::services::physical_names::Names;
use sam_template::{
    ACCOUNT_ID, EventDestination, EventRule, MailEventType, Pattern, REGION, Template, Unresolved,
};

/// The domain of the mailbox simulator. Its addresses need not be verified.
const SIMULATOR: &str = "@simulator.amazonses.com";

/// Bounces of mail to a nonexistent mailbox, and of mail that SES suppresses.
const BOUNCE: Feedback =
    Feedback::Bounce { sub_type: "General", code: "smtp; 550 5.1.1 user unknown" };
const SUPPRESSED: Feedback = Feedback::Bounce {
    sub_type: "Suppressed",
    code: "Amazon SES has suppressed sending to this address because it has a recent history of bouncing",
};

/// Event destinations and event rules.
pub(crate) struct FeedbackRoutes {
    destinations: Vec<EventDestination>,
    rules: Vec<Rule>,
}

/// A rule of the default event bus.
struct Rule {
    pattern: Pattern,
    queues: Vec<String>,
}

/// The result of a mail to the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feedback {
    /// It bounces permanently.
    Bounce { sub_type: &'static str, code: &'static str },
    /// It is delivered, and marked as spam.
    Complaint,
}

impl FeedbackRoutes {
    /// Reads event destinations and event rules.
    ///
    /// # Errors
    /// If a pattern refers to a resource that the platform does not have.
    pub(crate) fn new(template: &Template, names: &Names) -> Result<Self, Unresolved> {
        let rule = |rule: &EventRule| {
            let pattern = rule.pattern_with(|reference| names.look_up(reference))?;
            Ok(Rule { pattern, queues: rule.queues.clone() })
        };
        let rules = template.event_rules.iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Self { destinations: template.event_destinations.clone(), rules })
    }

    /// The events of a mail that was sent with a configuration set.
    pub(super) fn events(&self, mail: &Mail, set: &str, names: &Names) -> Vec<Value> {
        let Some(id) = names.configuration_set_called(set) else { return Vec::new() };
        let is_told = |feedback: &Feedback| {
            let mut told = self.destinations.iter().filter(|it| it.configuration_set == id);
            told.any(|destination| destination.event_types.contains(&feedback.event_type()))
        };
        let feedback = mail.to.iter().filter_map(|to| Some((to, Feedback::of(to)?)));
        let told = feedback.filter(|(_, feedback)| is_told(feedback));
        told.map(|(to, feedback)| feedback.event(mail, to, set)).collect()
    }

    /// The logical ids of the queues that receive an event.
    pub(crate) fn queues<'a>(&'a self, event: &'a Value) -> impl Iterator<Item = &'a str> {
        let rules = self.rules.iter().filter(move |rule| rule.pattern.fits(event));
        rules.flat_map(|rule| rule.queues.iter().map(String::as_str))
    }
}

/// The outcome of a mail to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum MailOutcome {
    /// It was delivered.
    Delivered,
    /// It bounced.
    Bounced,
    /// The recipient has marked it as spam.
    Complained,
}

impl MailOutcome {
    /// The outcome of a mail to this address. Only the addresses of the mailbox simulator have others
    /// than a delivery.
    pub fn of(address: &str) -> Self {
        match Feedback::of(bare(address)) {
            None => Self::Delivered,
            Some(Feedback::Bounce { .. }) => Self::Bounced,
            Some(Feedback::Complaint) => Self::Complained,
        }
    }
}

/// Whether an address belongs to the mailbox simulator.
pub(super) fn is_simulated(address: &str) -> bool {
    address.to_lowercase().ends_with(SIMULATOR)
}

impl Feedback {
    /// The result of a mail to this address. The label after `+` is ignored.
    fn of(address: &str) -> Option<Self> {
        let address = address.to_lowercase();
        let mailbox = address.strip_suffix(SIMULATOR)?;
        match mailbox.split_once('+').map_or(mailbox, |(mailbox, _)| mailbox) {
            "bounce" => Some(BOUNCE),
            "suppressionlist" => Some(SUPPRESSED),
            "complaint" => Some(Self::Complaint),
            _ => None,
        }
    }

    fn event_type(self) -> MailEventType {
        match self {
            Self::Bounce { .. } => MailEventType::Bounce,
            Self::Complaint => MailEventType::Complaint,
        }
    }

    /// The event as `EventBridge` delivers it.
    fn event(self, mail: &Mail, recipient: &str, set: &str) -> Value {
        let now = Timestamp::now();
        let at = format!("{now:.3}");
        let feedback_id = Uuid::new_v4();
        let (detail_type, event_type, member, content) = match self {
            Self::Bounce { sub_type, code } => {
                let bounced = json!({
                    "bounceType": "Permanent", "bounceSubType": sub_type,
                    "bouncedRecipients": [{
                        "emailAddress": recipient, "action": "failed", "status": "5.1.1",
                        "diagnosticCode": code,
                    }],
                    "timestamp": at, "feedbackId": feedback_id, "reportingMTA": "dns; local",
                });
                ("Email Bounced", "Bounce", "bounce", bounced)
            }
            Self::Complaint => {
                let complained = json!({
                    "complainedRecipients": [{ "emailAddress": recipient }],
                    "complaintSubType": null, "complaintFeedbackType": "abuse",
                    "userAgent": "Amazon SES Mailbox Simulator",
                    "timestamp": at, "arrivalDate": at, "feedbackId": feedback_id,
                });
                ("Email Complaint Received", "Complaint", "complaint", complained)
            }
        };
        let Mail { message_id, sent_at, from, to, subject, .. } = mail;
        let mut detail = json!({
            "eventType": event_type,
            "mail": {
                "timestamp": format!("{sent_at:.3}"), "source": from, "sendingAccountId": ACCOUNT_ID,
                "messageId": message_id, "destination": to, "headersTruncated": false,
                "commonHeaders": { "from": [from], "to": to, "messageId": message_id, "subject": subject },
                "tags": { "ses:configuration-set": [set] },
            },
        });
        detail[member] = content;
        json!({
            "version": "0", "id": Uuid::new_v4(), "detail-type": detail_type, "source": "aws.ses",
            "account": ACCOUNT_ID, "time": format!("{now:.0}"), "region": REGION,
            "resources": [format!("arn:aws:ses:{REGION}:{ACCOUNT_ID}:configuration-set/{set}")],
            "detail": detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulator_address_bounces_complains_or_accepts() {
        for (address, feedback) in [
            ("bounce@simulator.amazonses.com", Some(BOUNCE)),
            ("Bounce+1@Simulator.AmazonSES.com", Some(BOUNCE)),
            ("suppressionlist@simulator.amazonses.com", Some(SUPPRESSED)),
            ("complaint+a+b@simulator.amazonses.com", Some(Feedback::Complaint)),
            ("success@simulator.amazonses.com", None),
            ("bounce@example.com", None),
        ] {
            assert_eq!(Feedback::of(address), feedback, "{address}");
        }
    }
}
