//! Consumer of the queue `emails`: writes to people about what has happened.

use std::process::ExitCode;

use adapters::Table;
use domain::orders::OrderCreated;
use domain::people::{EmailVerificationRequested, User, UserId};
use domain::tables::{EMAILS, USERS};
use lifecycle::consumer::{Delivered, Source};
use lifecycle::effects::{Effects, EventData, Mail};
use lifecycle::envelope::Envelope;
use lifecycle::uses::{Use, Verb};
use lifecycle::{Consumer, Fault, Moment, Permit, Rejection, Violations};
use serde_json::Value;

fn main() -> ExitCode {
    adapters::consume(|aws| SendEmail { users: aws.table() })
}

struct SendEmail {
    users: Table<User>,
}

impl Consumer for SendEmail {
    const SOURCE: Source = Source::Queue(EMAILS);

    const USES: &'static [Use] = &[Use::Table(USERS, &[Verb::GetItem]), Use::Mail];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: an event that nobody here knows how to write about is poison
    type Command = Notice;

    fn parse(envelope: Envelope<Value>) -> Result<Notice, Violations> {
        let event_id = envelope.event_id.clone();
        let topic = match envelope.event_type.as_str() {
            EmailVerificationRequested::TYPE => Topic::Verification(envelope.read()?),
            OrderCreated::TYPE => Topic::Order(Box::new(envelope.read()?)),
            _ => return Err(envelope.unknown_type()),
        };
        Ok(Notice { event_id, topic })
    }

    // 6. Retrieval: addresses do not travel in events, so they are looked up
    type Facts = Option<User>;

    async fn retrieve(
        &self,
        permit: &Permit<Delivered>,
        notice: &Notice,
    ) -> Result<Option<User>, Fault> {
        self.users.get(permit, &User::key_of(notice.topic.user_id())).await
    }

    // 7. and 8. What is written. Somebody without an account here gets nothing.
    fn decide(_: &Moment, notice: &Notice, recipient: Option<User>) -> Result<Effects, Rejection> {
        let Some(user) = recipient else {
            return Ok(Effects::none());
        };
        let (subject, text) = match &notice.topic {
            Topic::Verification(requested) => verification(&user, requested),
            Topic::Order(order) => order_received(&user, order),
        };
        let to = user.email.to_string();
        Ok(Effects::none().mail(Mail { id: notice.event_id.clone(), to, subject, text }))
    }
}

/// What somebody is to be written about.
#[derive(Debug)]
struct Notice {
    event_id: String,
    topic: Topic,
}

#[derive(Debug)]
enum Topic {
    Verification(EmailVerificationRequested),
    Order(Box<OrderCreated>),
}

impl Topic {
    fn user_id(&self) -> UserId {
        match self {
            Self::Verification(requested) => requested.user_id,
            Self::Order(order) => order.user_id,
        }
    }
}

fn verification(user: &User, requested: &EmailVerificationRequested) -> (String, String) {
    let EmailVerificationRequested { user_id, token } = requested;
    let text = format!(
        "Hello {},\n\nplease verify your e-mail address within 24 hours:\n\n\
         PUT /users/{user_id}/verification\n{{\"token\": \"{token}\"}}\n\n\
         If you have not signed up, do nothing.\n",
        user.name
    );
    ("Verify your e-mail address".to_owned(), text)
}

fn order_received(user: &User, order: &OrderCreated) -> (String, String) {
    let lines = order.items.iter();
    let lines: Vec<_> = lines
        .map(|line| format!("{} x {}: {}", line.quantity.get(), line.name, line.total()))
        .collect();
    let text = format!(
        "Hello {},\n\nwe have received your order {}.\n\n{}\nShipping: {}\nTotal: {}\n",
        user.name,
        order.order_id,
        lines.join("\n"),
        order.shipping,
        order.total
    );
    ("We have received your order".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, envelope, lamp, moment};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_verification_carries_the_token_to_the_users_address() {
        let mail = mail_about(
            EmailVerificationRequested::TYPE,
            json!({
                "userId": ann().user_id, "token": "the-token"
            }),
        );
        assert_eq!((mail.id.as_str(), mail.to.as_str()), ("event-1", "ann@example.com"));
        assert!(mail.text.contains("the-token"), "{}", mail.text);
    }

    #[test]
    fn an_order_is_confirmed_line_by_line() {
        let mail = mail_about(OrderCreated::TYPE, order());
        assert!(mail.text.contains("2 x Lamp: 3.60 EUR"), "{}", mail.text);
        assert!(mail.text.contains("Total: 8.50 EUR"), "{}", mail.text);
    }

    #[test]
    fn nobody_is_written_to_who_has_no_account() {
        let notice = SendEmail::parse(envelope(OrderCreated::TYPE, order())).unwrap();
        assert!(SendEmail::decide(&moment(), &notice, None).unwrap().mails().is_empty());
    }

    #[test]
    fn unknown_events_and_unreadable_data_are_poison() {
        for (event_type, data) in [
            ("OrderShipped", order()),
            (OrderCreated::TYPE, json!({})),
            (EmailVerificationRequested::TYPE, json!({ "userId": "ann", "token": "t" })),
        ] {
            assert!(SendEmail::parse(envelope(event_type, data)).is_err(), "{event_type}");
        }
    }

    fn mail_about(event_type: &str, data: Value) -> Mail {
        let notice = SendEmail::parse(envelope(event_type, data)).unwrap();
        SendEmail::decide(&moment(), &notice, Some(ann())).unwrap().mails()[0].clone()
    }

    fn order() -> Value {
        let lamp = lamp();
        json!({
            "orderId": moment().id("order"), "userId": ann().user_id, "paymentMethod": "CARD",
            "addressId": moment().id("address"), "createdAt": moment().now(),
            "items": [{
                "productId": lamp.product_id, "name": lamp.name, "quantity": 2,
                "unitPrice": lamp.price, "actualPrice": lamp.actual_price(),
            }],
            "shipping": { "amount": 490, "currency": "EUR" },
            "total": { "amount": 850, "currency": "EUR" },
        })
    }
}
