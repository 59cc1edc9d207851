//! A stand-in for Amazon SES. Sent mails end in a mailbox that tests and the control address read.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::feedback::{FeedbackRoutes, is_simulated};
use super::identities::{Identities, bare};
use super::mail::{Mail, SendEmail};
use crate::services::error::DataError;
use crate::services::lines::{DataFailure, LineFile, State};
use crate::services::physical_names::Names;
use sam_template::REGION;

/// The maximum number of kept mails; the oldest are dropped.
const MAILS_MAX: usize = 1_000;

/// The maximum number of a mail's recipients, as on SES.
const RECIPIENTS_MAX: usize = 50;

/// The file in a data directory.
const FILE_NAME: &str = "mails.jsonl";

/// The sent mails, oldest first. They may also be kept in a file.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    mails: Mails,
    file: Option<LineFile<Mails>>,
}

#[derive(Debug, Default)]
struct Mails(VecDeque<Mail>);

/// A change of the mailbox.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Sent(Mail),
    Emptied,
}

impl State for Mails {
    type Line = Line;

    fn add(&mut self, line: Line) {
        match line {
            Line::Sent(mail) => {
                if self.0.len() == MAILS_MAX {
                    self.0.pop_front();
                }
                self.0.push_back(mail);
            }
            Line::Emptied => self.0.clear(),
        }
    }

    fn lines(&self) -> Vec<Line> {
        self.0.iter().cloned().map(Line::Sent).collect()
    }
}

impl Kept {
    /// Applies a change after it has been kept.
    fn add(&mut self, line: Line) -> Result<(), DataError> {
        if let Some(file) = &mut self.file {
            file.append(std::slice::from_ref(&line))?;
        }
        self.mails.add(line);
        Ok(())
    }
}

impl Mailbox {
    /// Opens the mailbox: empty, or with the mails that earlier runs have kept in a directory.
    ///
    /// # Errors
    /// If the directory or its file cannot be used.
    pub(crate) fn open(directory: Option<&Path>, failure: &DataFailure) -> io::Result<Self> {
        let Some(directory) = directory else { return Ok(Self::default()) };
        let (file, mails) = LineFile::open(directory, FILE_NAME, failure)?;
        Ok(Self(Mutex::new(Kept { mails, file: Some(file) })))
    }

    /// The mails to this address, or all of them, oldest first.
    pub fn mails(&self, to: Option<&str>) -> Vec<Mail> {
        let kept = self.lock();
        let is_meant = |mail: &&Mail| to.is_none_or(|to| mail.to.iter().any(|known| known == to));
        kept.mails.0.iter().filter(is_meant).cloned().collect()
    }

    /// The number of mails.
    pub fn count(&self) -> usize {
        self.lock().mails.0.len()
    }

    /// Deletes all mails.
    pub fn empty(&self) {
        // The platform ends after an error of the file.
        let _ = self.lock().add(Line::Emptied);
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
        if mail.to.len() > RECIPIENTS_MAX {
            return refused(&format!("Recipient count exceeds {RECIPIENTS_MAX}."));
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
        if let Err(unkept) = self.lock().add(Line::Sent(mail)) {
            let answer = error(500, "InternalServiceErrorException", &unkept.to_string());
            return (answer, Vec::new());
        }
        (json_response(200, None, &answer), told)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
