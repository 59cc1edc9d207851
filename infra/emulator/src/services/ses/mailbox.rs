//! A stand-in for Amazon SES. Sent mails end in a mailbox that tests and the control address read.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

use super::feedback::{FeedbackRoutes, is_simulated};
use super::identities::{Identities, bare};
use super::mail::{Mail, SendEmail};
use crate::services::physical_names::Names;
use sam_template::REGION;

/// The maximum number of kept mails; the oldest are dropped.
const MAILS_MAX: usize = 1_000;

/// Every sent mail, oldest first.
#[derive(Debug, Default)]
pub struct Mailbox {
    mails: Mutex<VecDeque<Mail>>,
}

impl Mailbox {
    /// The mails to this address, or all of them, oldest first.
    pub fn mails(&self, to: Option<&str>) -> Vec<Mail> {
        let mails = self.lock();
        let is_meant = |mail: &&Mail| to.is_none_or(|to| mail.to.iter().any(|known| known == to));
        mails.iter().filter(is_meant).cloned().collect()
    }

    /// Deletes all mails.
    pub fn empty(&self) {
        self.lock().clear();
    }

    /// `POST /v2/email/outbound-emails` with simple content: returns the response, and the events
    /// of the mail.
    pub(crate) fn send(
        &self,
        names: &Names,
        routes: &FeedbackRoutes,
        body: &Bytes,
    ) -> (Response, Vec<Value>) {
        let request: SendEmail = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return refused(&format!("only simple content is supported: {error}")),
        };
        let set = request.configuration_set_name.clone();
        let mail = Mail::from(request);
        if mail.to.is_empty() {
            return refused("the mail has no destination");
        }
        if let Some(set) = set.as_deref().filter(|it| names.configuration_set_called(it).is_none())
        {
            let message = format!("Configuration set <{set}> does not exist.");
            return (error(404, "NotFoundException", &message), Vec::new());
        }
        let unverified = unverified(names.identities(), &mail);
        if !unverified.is_empty() {
            let message = format!(
                "Email address is not verified. The following identities failed the check in \
                 region {}: {}",
                REGION.to_uppercase(),
                unverified.join(", ")
            );
            return (error(400, "MessageRejected", &message), Vec::new());
        }
        let answer = json!({"MessageId": mail.message_id});
        let told = set.map(|set| routes.events(&mail, &set, names)).unwrap_or_default();
        let mut mails = self.lock();
        if mails.len() == MAILS_MAX {
            mails.pop_front();
        }
        mails.push_back(mail);
        (json_response(200, None, &answer), told)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Mail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The unverified sender and, in the sandbox, the unverified recipients.
fn unverified<'a>(identities: &Identities, mail: &'a Mail) -> Vec<&'a str> {
    let recipients = mail.to.iter().filter(|_| identities.is_sandbox()).map(|to| bare(to));
    let recipients = recipients.filter(|to| !is_simulated(to));
    let addresses = [bare(&mail.from)].into_iter().chain(recipients);
    addresses.filter(|address| identities.of(address).is_none()).collect()
}

fn refused(message: &str) -> (Response, Vec<Value>) {
    (error(400, "BadRequestException", message), Vec::new())
}

fn error(status: u16, code: &str, message: &str) -> Response {
    json_response(status, Some(code), &json!({"message": message}))
}

fn json_response(status: u16, error: Option<&str>, body: &Value) -> Response {
    let mut response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    if let Some(error) = error {
        response = response.header("x-amzn-errortype", error);
    }
    response.body(Body::from(body.to_string())).expect("literal statuses and codes are valid")
}
