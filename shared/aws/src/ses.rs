//! Mail through SES.

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
            .map_err(|error| fault("SendEmail", "mail", error))?;
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
