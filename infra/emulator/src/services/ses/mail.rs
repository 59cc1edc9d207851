//! A mail, and the request that sends it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A mail as it was passed to SES.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The id that SES returned.
    pub message_id: String,
    /// The time of sending.
    pub sent_at: Timestamp,
    /// The sender.
    pub from: String,
    /// All recipients, carbon copies included.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub text: Option<String>,
    /// Its HTML.
    pub html: Option<String>,
}

/// The part of SES's request format that is kept.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmail {
    from_email_address: String,
    pub(super) configuration_set_name: Option<String>,
    destination: Destination,
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    bcc: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Text,
    body: MailBody,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MailBody {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
}

impl From<SendEmail> for Mail {
    fn from(request: SendEmail) -> Self {
        let Destination { to, cc, bcc } = request.destination;
        let Simple { subject, body } = request.content.simple;
        Self {
            message_id: Uuid::new_v4().to_string(),
            sent_at: Timestamp::now(),
            from: request.from_email_address,
            to: [to, cc, bcc].concat(),
            subject: subject.data,
            text: body.text.map(|text| text.data),
            html: body.html.map(|html| html.data),
        }
    }
}
