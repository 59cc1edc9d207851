//! Consumer of the queue `emails`: writes to people about what has happened.

use std::process::ExitCode;

use adapters::Table;
use domain::orders::OrderCreated;
use domain::people::{EmailClaim, EmailVerificationRequested, User, VerificationAsked};
use domain::tables::{EMAILS, USERS};
use lifecycle::consumer::{Delivered, Source};
use lifecycle::effects::{Effects, EventData, Mail, Write};
use lifecycle::envelope::Envelope;
use lifecycle::record::Key;
use lifecycle::uses::{Use, Verb};
use lifecycle::{Consumer, Fault, Moment, Permit, Rejection, Violations};
use serde_json::Value;

fn main() -> ExitCode {
    adapters::consume(|aws| SendEmail { claims: aws.table(), users: aws.table() })
}

struct SendEmail {
    claims: Table<EmailClaim>,
    users: Table<User>,
}

impl Consumer for SendEmail {
    const SOURCE: Source = Source::Queue(EMAILS);

    const USES: &'static [Use] = &[Use::Table(USERS, &[Verb::GetItem, Verb::PutItem]), Use::Mail];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: an event that nobody here knows how to write about is poison
    type Command = Notice;

    fn parse(envelope: Envelope<Value>) -> Result<Notice, Violations> {
        let event_id = envelope.event_id.clone();
        let topic = match envelope.event_type.as_str() {
            EmailVerificationRequested::TYPE => Topic::Verification(envelope.read()?),
            VerificationAsked::TYPE => Topic::VerificationAgain(envelope.read()?),
            OrderCreated::TYPE => Topic::Order(Box::new(envelope.read()?)),
            _ => return Err(envelope.unknown_type()),
        };
        Ok(Notice { event_id, topic })
    }

    // 6. Retrieval: a mail goes to the address of an account; one that was typed only finds it
    type Facts = Option<User>;

    async fn retrieve(
        &self,
        permit: &Permit<Delivered>,
        notice: &Notice,
    ) -> Result<Option<User>, Fault> {
        match self.recipient(permit, &notice.topic).await? {
            Some(key) => self.users.get(permit, &key).await,
            None => Ok(None),
        }
    }

    // 7. and 8. What is written, and whose. Somebody without an account here gets nothing, and
    // neither does somebody who asks for what they do not need. A mail leaves before its commit: a
    // token is good a moment after it was mailed, and the same one if the message comes again.
    fn decide(
        moment: &Moment,
        notice: &Notice,
        recipient: Option<User>,
    ) -> Result<Effects, Rejection> {
        let Some(user) = recipient else {
            return Ok(Effects::none());
        };
        let mail = |to: &User, (subject, text)| {
            let (id, to) = (notice.event_id.clone(), to.email.to_string());
            Effects::none().mail(Mail { id, to, subject, text })
        };
        Ok(match &notice.topic {
            Topic::Verification(requested) => mail(&user, verification(&user, requested)),
            Topic::VerificationAgain(asked) => match user.asked_again(asked, moment.now()) {
                Some((user, requested)) => mail(&user, verification(&user, &requested))
                    .write(Write::replace(&user, user.version - 1)),
                None => Effects::none(),
            },
            Topic::Order(order) => mail(&user, order_received(&user, order)),
        })
    }
}

impl SendEmail {
    async fn recipient(
        &self,
        permit: &Permit<Delivered>,
        topic: &Topic,
    ) -> Result<Option<Key>, Fault> {
        Ok(match topic {
            Topic::Verification(requested) => Some(User::key_of(requested.user_id)),
            Topic::VerificationAgain(asked) => {
                let claim = self.claims.get(permit, &EmailClaim::key_of(&asked.email)).await?;
                claim.map(|claim| User::key_of(claim.user_id))
            }
            Topic::Order(order) => Some(User::key_of(order.user_id)),
        })
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
    VerificationAgain(VerificationAsked),
    Order(Box<OrderCreated>),
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
    fn a_token_that_is_asked_for_is_kept_before_any_other_and_mailed() {
        let effects = effects_of_asking(Some(ann()));
        assert!(effects.mails()[0].text.contains("fresh"), "{:?}", effects.mails());
        assert_eq!(effects.writes().len(), 1);
    }

    #[test]
    fn nothing_comes_of_asking_for_a_verified_address_or_an_unknown_one() {
        let verified = User { email_verified: true, ..ann() };
        for recipient in [Some(verified), None] {
            let effects = effects_of_asking(recipient);
            assert!(effects.mails().is_empty() && effects.writes().is_empty(), "{effects:?}");
        }
    }

    fn effects_of_asking(recipient: Option<User>) -> Effects {
        let asked = json!({ "email": "ANN@example.com", "token": "fresh" });
        let notice = SendEmail::parse(envelope(VerificationAsked::TYPE, asked)).unwrap();
        SendEmail::decide(&moment(), &notice, recipient).unwrap()
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
            (VerificationAsked::TYPE, json!({ "email": "ann", "token": "t" })),
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
