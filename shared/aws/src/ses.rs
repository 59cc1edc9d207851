//! Mail through SES.

use std::error::Error;
use std::iter::successors;

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use lifecycle::ServiceError;
use lifecycle::effects::Mail;

use crate::Aws;
use crate::errors::fault;

/// The header with a mail's id. SES takes no idempotency token, so a mail may arrive twice. The
/// header lets its recipient detect that.
const ID_HEADER: &str = "X-Mail-Id";

impl Aws {
    pub(crate) async fn send_mail(&self, mail: &Mail) -> Result<(), ServiceError> {
        let from = self.configuration().mail_from.as_deref();
        let from = from.ok_or_else(|| ServiceError::internal("RESOURCES lacks mail"))?;
        let set = self.configuration().mail_configuration_set.as_deref();
        let content = content(mail).map_err(ServiceError::internal)?;
        self.ses()
            .send_email()
            .from_email_address(from)
            .set_configuration_set_name(set.map(str::to_owned))
            .destination(Destination::builder().to_addresses(&mail.to).build())
            .content(content)
            .send()
            .await
            .map_err(|error| without_addresses(fault("SendEmail", "mail", error)))?;
        Ok(())
    }
}

fn content(mail: &Mail) -> Result<EmailContent, aws_sdk_sesv2::error::BuildError> {
    let text = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let id = MessageHeader::builder().name(ID_HEADER).value(&mail.id).build()?;
    let message = Message::builder()
        .subject(text(&mail.subject)?)
        .body(Body::builder().text(text(&mail.text)?).build())
        .headers(id)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

/// The fault with one cause, in which no address is left. SES names the addresses that it refuses,
/// and the log must not contain them.
fn without_addresses(fault: ServiceError) -> ServiceError {
    match fault {
        ServiceError::Internal(source) => ServiceError::internal(causes(&*source)),
        ServiceError::Unavailable { retry_after_s, source } => {
            ServiceError::Unavailable { retry_after_s, source: causes(&*source).into() }
        }
        other => other,
    }
}

/// The texts of an error and of its causes, without addresses.
fn causes(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |&error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    hide_addresses(&causes.join(": "))
}

/// The text with each word that has an `@` replaced. An apostrophe or a backtick ends no word, because
/// an address may contain one. A double quote does: errors of the SDK quote their messages.
fn hide_addresses(text: &str) -> String {
    let ends_word = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '<' | '>' | '"');
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(ends_word) {
        let word = piece.trim_end_matches(ends_word);
        shown.push_str(if word.contains('@') { "(address)" } else { word });
        shown.push_str(&piece[word.len()..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_without_the_addresses_in_it() {
        let denied = "not authorized to perform `ses:SendEmail' on resource \
                      `arn:aws:ses:eu-west-1:123456789012:identity/example.com'";
        for (text, shown) in [
            (
                "Email address is not verified. The following identities failed the check in \
                 region EU-WEST-1: a@b.example, Ann <ann.o'neil+news@c.example>",
                "Email address is not verified. The following identities failed the check in \
                 region EU-WEST-1: (address), Ann <(address)>",
            ),
            (denied, denied),
            (
                "arn:aws:ses:eu-west-1:123456789012:identity/ann@example.com is denied",
                "arn:aws:ses:eu-west-1:123456789012:(address) is denied",
            ),
            ("{ message: \"ann@example.com\" }", "{ message: \"(address)\" }"),
            ("ann@example.com", "(address)"),
            ("é@ü.example;\u{2028}ann", "(address);\u{2028}ann"),
            ("", ""),
        ] {
            assert_eq!(hide_addresses(text), shown);
        }
    }
}
