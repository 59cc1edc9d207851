//! SES: a mailbox instead of the network.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::account::{ACCOUNT_ID, REGION};
use super::call::{Answer, Call};
use super::sqs::drawn_id;
use super::wire::{AwsError, parsed};
use crate::Millis;

/// The path of `SendEmail`.
pub(super) const PATH: &str = "/v2/email/outbound-emails";

/// The maximum number of recipients of a mail.
const RECIPIENTS_MAX: usize = 50;
/// The mails that the sandbox accepts in 24 hours.
const SANDBOX_DAILY: usize = 200;

/// The sent mail, and the rules by which it is accepted.
#[derive(Debug, Clone, Default)]
pub struct Ses {
    mails: Vec<Mail>,
    sandbox: Option<Sandbox>,
}

/// The rules of an account in the sandbox: senders and recipients are verified, and there are at
/// most one mail a second and 200 a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Addresses, or domains such as `example.com`.
    pub verified: BTreeSet<String>,
}

/// A mail that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The id of the message.
    pub id: String,
    /// When it was accepted.
    pub at: Millis,
    /// The sender.
    pub from: String,
    /// The recipients, also those of copies.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The configuration set.
    pub configuration_set: Option<String>,
}

impl Mail {
    /// Whether the address, without a name, is one of the recipients.
    pub fn is_to(&self, address: &str) -> bool {
        self.to.iter().any(|to| self::address(to) == address)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendEmail {
    from_email_address: String,
    destination: Destination,
    content: Content,
    configuration_set_name: Option<String>,
    #[serde(default, rename = "ReplyToAddresses")]
    _reply_to_addresses: Vec<String>,
    #[serde(default, rename = "EmailTags")]
    _email_tags: Vec<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Destination {
    #[serde(default)]
    to_addresses: Vec<String>,
    #[serde(default)]
    cc_addresses: Vec<String>,
    #[serde(default)]
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Simple {
    subject: Text,
    body: Body,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Text {
    data: String,
    #[serde(default, rename = "Charset")]
    _charset: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Header {
    name: String,
    value: String,
}

impl Ses {
    /// All mails that were accepted, in order.
    pub fn mails(&self) -> &[Mail] {
        &self.mails
    }

    /// Takes all mails out of the mailbox.
    pub fn take_mails(&mut self) -> Vec<Mail> {
        std::mem::take(&mut self.mails)
    }

    /// Sets the rules of the sandbox, or lifts them.
    pub fn set_sandbox(&mut self, sandbox: Option<Sandbox>) {
        self.sandbox = sandbox;
    }

    pub(super) fn call(&mut self, body: &[u8], call: &mut Call<'_>) -> Result<Answer, AwsError> {
        let request: SendEmail =
            parsed(body).map_err(|error| AwsError::new("BadRequestException", error.message))?;
        let from = address(&request.from_email_address).to_owned();
        let Destination { to_addresses, cc_addresses, bcc_addresses } = request.destination;
        let to: Vec<String> =
            to_addresses.into_iter().chain(cc_addresses).chain(bcc_addresses).collect();
        self.check_access(&from, &to, request.configuration_set_name.as_deref(), call)?;
        if to.is_empty() || to.len() > RECIPIENTS_MAX {
            return Err(AwsError::new(
                "BadRequestException",
                format!("Recipient count must be from 1 to {RECIPIENTS_MAX}."),
            ));
        }
        let all = std::iter::once(&request.from_email_address).chain(&to);
        if let Some(wrong) = all.into_iter().find(|it| !is_address(address(it))) {
            let message = format!("Illegal address: {wrong}");
            return Err(AwsError::new("BadRequestException", message));
        }
        if let Some(sandbox) = &self.sandbox {
            sandbox.check(&from, &to)?;
            self.check_rate(call.now)?;
        }
        let Simple { subject, body, headers } = request.content.simple;
        let id = drawn_id(call.random);
        self.mails.push(Mail {
            id: id.clone(),
            at: call.now,
            from,
            to,
            subject: subject.data,
            text: body.text.map(|text| text.data),
            html: body.html.map(|html| html.data),
            headers: headers.into_iter().map(|header| (header.name, header.value)).collect(),
            configuration_set: request.configuration_set_name,
        });
        Ok(Answer::Now(json!({ "MessageId": id })))
    }

    /// The resources of a mail are the identity of its sender and its configuration set; in the
    /// sandbox also the identities of its recipients.
    fn check_access(
        &self,
        from: &str,
        to: &[String],
        configuration_set: Option<&str>,
        call: &Call<'_>,
    ) -> Result<(), AwsError> {
        let check = |kind: &str, name: &str| {
            call.access.check_from(Some(from), "ses:SendEmail", &format!("{kind}/{name}"))
        };
        let sender = match &self.sandbox {
            Some(sandbox) => sandbox.identity(from),
            // Which of its identities the account has is not known.
            None => identities(from).find(|identity| check("identity", identity).is_ok()),
        };
        check("identity", sender.unwrap_or(from))?;
        if let Some(sandbox) = &self.sandbox {
            let mut recipients = to.iter().filter_map(|to| sandbox.identity(address(to)));
            recipients.try_for_each(|identity| check("identity", identity))?;
        }
        configuration_set.map_or(Ok(()), |set| check("configuration-set", set))
    }

    fn check_rate(&self, now: Millis) -> Result<(), AwsError> {
        let within = |window: Millis| {
            self.mails.iter().rev().take_while(|mail| now.since(mail.at) < window).count()
        };
        let message = if within(Millis::seconds(1)) > 0 {
            "Maximum sending rate exceeded."
        } else if within(Millis::hours(24)) >= SANDBOX_DAILY {
            "Daily message quota exceeded."
        } else {
            return Ok(());
        };
        Err(AwsError { status: 429, ..AwsError::new("TooManyRequestsException", message) })
    }
}

impl Sandbox {
    /// The verified identity of an address.
    fn identity<'a>(&self, address: &'a str) -> Option<&'a str> {
        identities(address).find(|identity| self.verified.contains(*identity))
    }

    fn check(&self, from: &str, to: &[String]) -> Result<(), AwsError> {
        let all = std::iter::once(from).chain(to.iter().map(|to| address(to)));
        let failed: Vec<&str> = all.filter(|address| self.identity(address).is_none()).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Email address is not verified. The following identities failed the check in region \
             {}: {} (account {ACCOUNT_ID})",
            REGION.to_uppercase(),
            failed.join(", ")
        );
        Err(AwsError::new("MessageRejected", message))
    }
}

/// The address of `Name <address>`.
fn address(text: &str) -> &str {
    match text.split_once('<') {
        Some((_, address)) => address.trim_end_matches('>'),
        None => text,
    }
}

/// The identities that may be verified for an address: itself, its domain, and the domains above.
fn identities(address: &str) -> impl Iterator<Item = &str> {
    let domain = address.split_once('@').map(|(_, domain)| domain);
    let domains = std::iter::successors(domain, |it| Some(it.split_once('.')?.1));
    std::iter::once(address).chain(domains)
}

/// Whether SES accepts the address: it has only ASCII, so another domain is in Punycode.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && text.is_ascii()
        && !text.contains(char::is_whitespace)
}
