//! `/activity/mails`: the sent mails.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::console::reading::query;
use crate::control::{Control, ControlError};
use crate::services::{Mail, MailOutcome};

/// The mails by default, and at most: as many as the mailbox keeps.
const MAILS: usize = 100;
const MAILS_MAX: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MailsQuery {
    /// A recipient.
    to: Option<String>,
    limit: Option<usize>,
}

/// A mail without secrets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MailView {
    message_id: String,
    sent_at: Timestamp,
    from: String,
    recipients: Vec<RecipientView>,
    subject: String,
    text: Option<String>,
    html: Option<String>,
    /// The id of the request that sent it.
    sent_by: Option<String>,
    /// The id whose journey it is part of.
    journey: Option<String>,
}

/// A recipient, and the outcome of the mail.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RecipientView {
    address: String,
    state: MailOutcome,
}

/// `GET /activity/mails?to=&limit=`: the mails, newest first.
pub(super) async fn list(
    State(control): State<Control>,
    asked: Result<Query<MailsQuery>, QueryRejection>,
) -> Result<Json<Value>, ControlError> {
    let Query(asked) = asked.map_err(query)?;
    let mails = control.stores.mailbox().mails(asked.to.as_deref());
    let total = mails.len();
    let newest = mails.into_iter().rev().take(asked.limit.unwrap_or(MAILS).clamp(1, MAILS_MAX));
    let shown: Vec<MailView> = newest.map(|mail| MailView::of(mail, &control)).collect();
    Ok(Json(json!({"mails": shown, "total": total})))
}

impl MailView {
    fn of(mail: Mail, control: &Control) -> Self {
        let redaction = control.functions.activity().redaction();
        let origin = control.functions.activity().message(&mail.message_id);
        let text = |text: String| redaction.text(&text);
        let recipient = |address: String| {
            let state = MailOutcome::of(&address);
            RecipientView { address, state }
        };
        Self {
            message_id: mail.message_id,
            sent_at: mail.sent_at,
            from: mail.from,
            recipients: mail.to.into_iter().map(recipient).collect(),
            subject: text(mail.subject),
            text: mail.text.map(text),
            html: mail.html.map(text),
            journey: origin.as_ref().map(|origin| origin.journey.clone()),
            sent_by: origin.and_then(|origin| origin.request),
        }
    }
}
