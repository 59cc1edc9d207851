//! Consumer of the queue `emails`: sends mails about sign-ups, password resets and orders.

use aws::Table;
use domain::mails::MailText;
use domain::orders::OrderCreated;
use domain::people::{
    Email, EmailClaim, EmailVerificationRequested, MailAddress, PasswordResetAsked, User,
    VerificationAsked,
};
use domain::resources::{EMAILS, MAIL_ADDRESSES, USERS};
use domain::{error_codes, mails};
use lifecycle::effects::{EventData, Mail};
use lifecycle::prelude::*;
use lifecycle::record::Key;
use lifecycle::{Consumer, ServiceError};
use serde_json::Value;

fn main() -> ExitCode {
    aws::consume(|aws| SendEmail {
        claims: aws.table(),
        users: aws.table(),
        addresses: aws.table(),
    })
}

struct SendEmail {
    claims: Table<EmailClaim>,
    users: Table<User>,
    addresses: Table<MailAddress>,
}

impl Consumer for SendEmail {
    const SOURCE: Source = Source::Queue(EMAILS);

    const RESOURCES: Resources = &[
        Resource::Table(USERS, &[GetItem, PutItem]),
        Resource::Table(MAIL_ADDRESSES, &[GetItem]),
        Resource::Mail,
    ];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation
    type Command = Notice;

    // 6. Retrieval: the account. Mail goes to its stored address, not to the typed one
    type Facts = Option<Recipient>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        notice: &Notice,
    ) -> Retrieved<Option<Recipient>> {
        let Some(key) = self.account(permit, &notice.topic).await? else { return Ok(None) };
        let Some(user) = self.users.get(permit, &key).await? else { return Ok(None) };
        let address = self.addresses.get(permit, &MailAddress::key_of(&user.email)).await?;
        let deliverable = address.is_none_or(|address| !address.is_undeliverable());
        Ok(Some(Recipient { user, deliverable }))
    }

    // 7. and 8. The mail to the account. Without an account, or without a need, no mail is sent. A
    // mail leaves before its commit: its token becomes valid a moment later, and a repeated message
    // sends the same token. After a permanent bounce or a complaint no mail is sent; no client
    // learns of it.
    fn decide(
        moment: &Moment,
        notice: &Notice,
        recipient: Option<Recipient>,
    ) -> Result<Effects, DomainError> {
        let Some(Recipient { user, deliverable }) = recipient else {
            return Ok(Effects::none());
        };
        if !deliverable {
            return Err(error_codes::ADDRESS_UNDELIVERABLE.into());
        }
        let mail = |to: &User, MailText { subject, body }: MailText| {
            let (id, to) = (notice.event_id.clone(), to.email.to_string());
            Effects::none().mail(Mail { id, to, subject: subject.to_owned(), text: body })
        };
        Ok(match &notice.topic {
            Topic::Verification(requested) if user.waits_for(&requested.token, moment.now()) => {
                mail(&user, mails::verification(&user, requested))
            }
            Topic::VerificationAgain(asked) => match user.asked_again(asked, moment.now()) {
                Some((user, requested)) => mail(&user, mails::verification(&user, &requested))
                    .write(Write::replace(&user, user.version - 1)),
                None => Effects::none(),
            },
            Topic::PasswordReset(asked) => match user.reset_asked(asked, moment.now()) {
                Some(user) => mail(&user, mails::password_reset(&user, asked))
                    .write(Write::replace(&user, user.version - 1)),
                None => Effects::none(),
            },
            Topic::Order(order) if user.email_verified => {
                mail(&user, mails::order_received(&user, order))
            }
            Topic::Verification(_) | Topic::Order(_) => Effects::none(),
        })
    }
}

impl SendEmail {
    async fn account(
        &self,
        permit: &Permit<DeliveredMessage>,
        topic: &Topic,
    ) -> Result<Option<Key>, ServiceError> {
        Ok(match topic {
            Topic::Verification(requested) => Some(User::key_of(requested.user_id)),
            Topic::VerificationAgain(asked) => self.holder(permit, &asked.email).await?,
            Topic::PasswordReset(asked) => self.holder(permit, &asked.email).await?,
            Topic::Order(order) => Some(User::key_of(order.user_id)),
        })
    }

    async fn holder(
        &self,
        permit: &Permit<DeliveredMessage>,
        email: &Email,
    ) -> Result<Option<Key>, ServiceError> {
        let claim = self.claims.get(permit, &EmailClaim::key_of(email)).await?;
        Ok(claim.map(|claim| User::key_of(claim.user_id)))
    }
}

/// An account, and whether its address takes mail.
struct Recipient {
    user: User,
    deliverable: bool,
}

/// The reason for a mail to an account.
#[derive(Debug)]
struct Notice {
    event_id: String,
    topic: Topic,
}

#[derive(Debug)]
enum Topic {
    Verification(EmailVerificationRequested),
    VerificationAgain(VerificationAsked),
    PasswordReset(PasswordResetAsked),
    Order(Box<OrderCreated>),
}

/// An event type without a mail is poison.
impl TryFrom<Envelope<Value>> for Notice {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Value>) -> Result<Self, FieldErrors> {
        let event_id = envelope.event_id.clone();
        let topic = match envelope.event_type.as_str() {
            EmailVerificationRequested::TYPE => Topic::Verification(envelope.read()?),
            VerificationAsked::TYPE => Topic::VerificationAgain(envelope.read()?),
            PasswordResetAsked::TYPE => Topic::PasswordReset(envelope.read()?),
            OrderCreated::TYPE => Topic::Order(Box::new(envelope.read()?)),
            _ => return Err(envelope.unknown_type()),
        };
        Ok(Self { event_id, topic })
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, ann_with_token, envelope, lamp, moment};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_verification_mail_has_the_token_and_no_text_of_the_client() {
        let (ann, token) = ann_with_token();
        let lured = User { name: "WIN 500 EUR".to_owned().try_into().unwrap(), ..ann.clone() };
        let requested = json!({ "userId": ann.user_id, "token": token });
        let effects = effects_for(EmailVerificationRequested::TYPE, requested, lured);
        let [mail] = effects.mails() else { panic!("{effects:?}") };
        assert_eq!((mail.id.as_str(), mail.to.as_str()), ("event-1", "ann@example.com"));
        assert!(mail.text.contains(&token) && !mail.text.contains("WIN"), "{}", mail.text);
    }

    #[test]
    fn a_token_that_no_account_waits_for_is_not_mailed() {
        let requested = json!({ "userId": ann().user_id, "token": "of the account before" });
        let effects = effects_for(EmailVerificationRequested::TYPE, requested, ann());
        assert!(effects.mails().is_empty(), "{effects:?}");
    }

    #[test]
    fn a_reset_is_mailed_to_verified_addresses_and_within_a_cap_to_others() {
        let verified = User { email_verified: true, ..ann() };
        for (user, to_unproven, mails) in
            [(verified.clone(), false, 1), (ann(), true, 1), (ann(), false, 0)]
        {
            let asked = json!({
                "email": "ANN@example.com", "token": "fresh", "toUnproven": to_unproven,
            });
            let effects = effects_for(PasswordResetAsked::TYPE, asked, user);
            assert_eq!((effects.mails().len(), effects.writes().len()), (mails, mails));
            for mail in effects.mails() {
                assert!(mail.text.contains("fresh") && !mail.text.contains("Ann"), "{}", mail.text);
            }
        }
    }

    #[test]
    fn a_requested_token_is_stored_and_mailed() {
        let effects = effects_of_asking(Some(ann()));
        assert!(effects.mails()[0].text.contains("fresh"), "{:?}", effects.mails());
        assert_eq!(effects.writes().len(), 1);
    }

    #[test]
    fn a_verified_or_unknown_address_gets_no_verification_mail() {
        let verified = User { email_verified: true, ..ann() };
        for recipient in [Some(verified), None] {
            let effects = effects_of_asking(recipient);
            assert!(effects.mails().is_empty() && effects.writes().is_empty(), "{effects:?}");
        }
    }

    fn effects_of_asking(recipient: Option<User>) -> Effects {
        let asked = json!({ "email": "ANN@example.com", "token": "fresh" });
        let notice = Notice::try_from(envelope(VerificationAsked::TYPE, asked)).unwrap();
        let recipient = recipient.map(|user| Recipient { user, deliverable: true });
        SendEmail::decide(&moment(), &notice, recipient).unwrap()
    }

    #[test]
    fn an_undeliverable_address_gets_no_mail_and_nothing_changes() {
        let (ann, token) = ann_with_token();
        let verified = User { email_verified: true, ..ann.clone() };
        for (event_type, data, user) in [
            (
                EmailVerificationRequested::TYPE,
                json!({ "userId": ann.user_id, "token": token }),
                &ann,
            ),
            (VerificationAsked::TYPE, json!({ "email": ann.email, "token": "fresh" }), &ann),
            (
                PasswordResetAsked::TYPE,
                json!({ "email": ann.email, "token": "fresh", "toUnproven": true }),
                &verified,
            ),
            (OrderCreated::TYPE, order(), &verified),
        ] {
            let notice = Notice::try_from(envelope(event_type, data)).unwrap();
            let recipient = |deliverable| Some(Recipient { user: user.clone(), deliverable });
            let refused = SendEmail::decide(&moment(), &notice, recipient(false)).unwrap_err();
            assert_eq!(refused.code, "ADDRESS_UNDELIVERABLE", "{event_type}");
            let effects = SendEmail::decide(&moment(), &notice, recipient(true)).unwrap();
            assert_eq!(effects.mails().len(), 1, "{event_type}");
        }
    }

    #[test]
    fn an_order_is_confirmed_line_by_line() {
        let mail = mail_about(OrderCreated::TYPE, order());
        assert!(mail.text.contains("2 x Lamp: 3.60 EUR"), "{}", mail.text);
        assert!(mail.text.contains("Total: 8.50 EUR"), "{}", mail.text);
    }

    #[test]
    fn an_order_is_confirmed_only_to_a_verified_address() {
        let unproven = Recipient { user: ann(), deliverable: true };
        for recipient in [None, Some(unproven)] {
            let notice = Notice::try_from(envelope(OrderCreated::TYPE, order())).unwrap();
            assert!(SendEmail::decide(&moment(), &notice, recipient).unwrap().mails().is_empty());
        }
    }

    #[test]
    fn unknown_events_and_unreadable_data_are_poison() {
        for (event_type, data) in [
            ("OrderShipped", order()),
            (OrderCreated::TYPE, json!({})),
            (EmailVerificationRequested::TYPE, json!({ "userId": "ann", "token": "t" })),
            (VerificationAsked::TYPE, json!({ "email": 1, "token": "t" })),
            (PasswordResetAsked::TYPE, json!({ "email": "ann@example.com", "token": "t" })),
        ] {
            assert!(Notice::try_from(envelope(event_type, data)).is_err(), "{event_type}");
        }
    }

    fn mail_about(event_type: &str, data: Value) -> Mail {
        let verified = User { email_verified: true, ..ann() };
        effects_for(event_type, data, verified).mails()[0].clone()
    }

    fn effects_for(event_type: &str, data: Value, recipient: User) -> Effects {
        let notice = Notice::try_from(envelope(event_type, data)).unwrap();
        let recipient = Recipient { user: recipient, deliverable: true };
        SendEmail::decide(&moment(), &notice, Some(recipient)).unwrap()
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
