//! Consumer of the queue `loan_events`: sends a mail about each loan that is made or overdue.

use std::env;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use loans_plain::{Failure, Loan, Tables, key, sdk_config};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

const EVENT_REMEMBERED: SignedDuration = SignedDuration::from_hours(14 * 24);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = sdk_config().await;
    let remind =
        &Remind { tables: Tables::new(&config), mail: aws_sdk_sesv2::Client::new(&config) };
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let mut response = SqsBatchResponse::default();
        for message in event.payload.records {
            if let Err(failure) = remind.process(&message).await {
                tracing::error!(?failure, "a message failed");
                response.add_failure(message.message_id.unwrap_or_default());
            }
        }
        Ok::<_, Error>(response)
    }))
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    event_id: String,
    event_type: String,
    data: LoanEvent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoanEvent {
    loan_id: Uuid,
}

struct Remind {
    tables: Tables,
    mail: aws_sdk_sesv2::Client,
}

impl Remind {
    /// Sends the mail of one message, unless it was sent for the same event.
    async fn process(&self, message: &SqsMessage) -> Result<(), Failure> {
        let envelope: Envelope = serde_json::from_str(message.body.as_deref().unwrap_or_default())?;
        let subject = match envelope.event_type.as_str() {
            "LoanMade" => "Your loan",
            "LoanOverdue" => "Your loan is overdue",
            _ => return Err(Failure::invalid()),
        };
        let inbox = format!("inbox#loan_events#{}", envelope.event_id);
        let (known, loan) = tokio::try_join!(
            self.tables.get::<Value>("LEDGER_TABLE", &inbox),
            self.tables.get::<Loan>("LOANS_TABLE", envelope.data.loan_id),
        )?;
        if known.is_some() {
            return Ok(());
        }
        if let Some(loan) = loan.filter(|loan| loan.status != "RETURNED") {
            let text = format!("Please return \"{}\" by {}.\n", loan.title, loan.due_at);
            self.send(&loan.email, subject, &text).await?;
        }
        self.remember(&inbox).await
    }

    async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), Failure> {
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let body = Body::builder().text(content(text)?).build();
        let message = Message::builder().subject(content(subject)?).body(body).build();
        self.mail
            .send_email()
            .from_email_address(env::var("MAIL_FROM")?)
            .configuration_set_name(env::var("MAIL_CONFIGURATION_SET")?)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await?;
        Ok(())
    }

    async fn remember(&self, inbox: &str) -> Result<(), Failure> {
        let expires_at = Timestamp::now().checked_add(EVENT_REMEMBERED)?.as_second();
        let table = Tables::name("LEDGER_TABLE")?;
        let put = self.tables.0.put_item().table_name(table).set_item(Some(key(inbox)));
        put.item("expiresAt", AttributeValue::N(expires_at.to_string())).send().await?;
        Ok(())
    }
}
