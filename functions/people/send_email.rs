//! Consumer of the queue `emails`: sends mails about sign-ups, password resets and orders.

use aws::{Aws, MailCaps, Table};
use domain::error_codes;
use domain::mails::{self, MailDue, MailText, MailTopic};
use domain::people::{Email, EmailClaim, MailAddress, User};
use domain::resources::{EMAILS, MAIL_ADDRESSES, USERS};
use lifecycle::effects::Mail;
use lifecycle::limit::LIMITS;
use lifecycle::prelude::*;
use lifecycle::record::Key;
use lifecycle::{Consumer, ServiceError};
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(build)
}

fn build(aws: &Aws) -> SendEmail {
    SendEmail {
        claims: aws.table(),
        users: aws.table(),
        addresses: aws.table(),
        mails: MailCaps::new(aws.clone()),
    }
}

struct SendEmail {
    claims: Table<EmailClaim>,
    users: Table<User>,
    addresses: Table<MailAddress>,
    mails: MailCaps,
}

impl Consumer for SendEmail {
    const SOURCE: Source = Source::Queue(EMAILS);

    const RESOURCES: Resources = &[
        Resource::Table(USERS, &[GetItem, PutItem]),
        Resource::Table(MAIL_ADDRESSES, &[GetItem]),
        Resource::Table(LIMITS, &[UpdateItem]),
        Resource::Mail,
    ];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation
    type Command = MailDue;

    // 6. Retrieval: the account, and whether it may get one more mail. Mail goes to its stored address,
    // not to the typed one
    type Facts = Option<Recipient>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        due: &MailDue,
    ) -> Retrieved<Option<Recipient>> {
        let Some(key) = self.account(permit, &due.topic).await? else { return Ok(None) };
        let user = self.user(permit, &due.topic, &key).await?;
        let Some(user) = user.filter(|user| due.topic.concerns(user)) else { return Ok(None) };
        let marked = MailAddress::key_of(&user.email);
        let address = self.addresses.get_eventually_consistent(permit, &marked).await?;
        let deliverable = address.is_none_or(|address| !address.is_undeliverable());
        let now = permit.moment().now();
        let within_cap = if deliverable && due.is_limited(&user, now) {
            self.mails.sent(permit, &user.email.folded(), user.email_verified).await?
        } else {
            true
        };
        Ok(Some(Recipient { user, deliverable, within_cap }))
    }

    // 7. and 8. The mail to the account. Without an account, or without a need, no mail is sent. A
    // mail leaves before its commit: its token becomes valid a moment later, and a repeated message
    // sends the same token. After a permanent bounce or a complaint no mail is sent; no client
    // learns of it.
    fn decide(
        moment: &Moment,
        due: &MailDue,
        recipient: Option<Recipient>,
    ) -> Result<Effects, DomainError> {
        let Some(Recipient { user, deliverable, within_cap }) = recipient else {
            return Ok(Effects::none());
        };
        if !deliverable {
            return Err(error_codes::ADDRESS_UNDELIVERABLE.into());
        }
        if !within_cap {
            return Err(error_codes::ADDRESS_MAILED_ENOUGH.into());
        }
        let mail = |to: &User, MailText { subject, body }: MailText| {
            let (id, to) = (due.event_id.clone(), to.email.to_string());
            Effects::none().mail(Mail { id, to, subject: subject.to_owned(), text: body })
        };
        Ok(match &due.topic {
            MailTopic::Verification(requested)
                if user.waits_for(&requested.token, moment.now()) =>
            {
                mail(&user, mails::verification(&user, requested))
            }
            MailTopic::VerificationAgain(asked) => {
                match user.asked_again(asked, due.caused_at, moment.now()) {
                    Some((user, requested)) => mail(&user, mails::verification(&user, &requested))
                        .write(Write::replace(&user, user.version - 1)),
                    None => Effects::none(),
                }
            }
            MailTopic::PasswordReset(asked) => {
                match user.reset_asked(asked, due.caused_at, moment.now()) {
                    Some(user) => mail(&user, mails::password_reset(&user, asked))
                        .write(Write::replace(&user, user.version - 1)),
                    None => Effects::none(),
                }
            }
            MailTopic::Order(order) if user.email_verified => {
                mail(&user, mails::order_received(&user, order))
            }
            MailTopic::Verification(_) | MailTopic::Order(_) => Effects::none(),
        })
    }
}

impl SendEmail {
    /// The account as it is now. For a mail about an order it may be a moment old, unless its
    /// address was unproven then.
    async fn user(
        &self,
        permit: &Permit<DeliveredMessage>,
        topic: &MailTopic,
        key: &Key,
    ) -> Result<Option<User>, ServiceError> {
        if matches!(topic, MailTopic::Order(_)) {
            let user = self.users.get_eventually_consistent(permit, key).await?;
            if user.as_ref().is_some_and(|user| user.email_verified) {
                return Ok(user);
            }
        }
        self.users.get(permit, key).await
    }

    async fn account(
        &self,
        permit: &Permit<DeliveredMessage>,
        topic: &MailTopic,
    ) -> Result<Option<Key>, ServiceError> {
        Ok(match topic {
            MailTopic::Verification(requested) => Some(User::key_of(requested.user_id)),
            MailTopic::VerificationAgain(asked) => self.holder(permit, &asked.email).await?,
            MailTopic::PasswordReset(asked) => self.holder(permit, &asked.email).await?,
            MailTopic::Order(order) => Some(User::key_of(order.user_id)),
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

/// An account, whether its address takes mail, and whether it may get one more today.
struct Recipient {
    user: User,
    deliverable: bool,
    within_cap: bool,
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::examples::{ann, ann_with_token, envelope, moment, pending_order, read};
    use domain::orders::OrderCreated;
    use domain::people::{EmailVerificationRequested, PasswordResetAsked, VerificationAsked};
    use lifecycle::effects::EventData;
    use lifecycle::testing::{self, Memory};
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
        let due = MailDue::try_from(envelope(VerificationAsked::TYPE, asked)).unwrap();
        let recipient =
            recipient.map(|user| Recipient { user, deliverable: true, within_cap: true });
        SendEmail::decide(&moment(), &due, recipient).unwrap()
    }

    #[test]
    fn an_undeliverable_address_or_one_beyond_its_cap_gets_no_mail_and_nothing_changes() {
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
            let due = MailDue::try_from(envelope(event_type, data)).unwrap();
            let recipient = |deliverable, within_cap| {
                Some(Recipient { user: user.clone(), deliverable, within_cap })
            };
            for (recipient, code) in [
                (recipient(false, true), "ADDRESS_UNDELIVERABLE"),
                (recipient(true, false), "ADDRESS_MAILED_ENOUGH"),
            ] {
                let refused = SendEmail::decide(&moment(), &due, recipient).unwrap_err();
                assert_eq!(refused.code, code, "{event_type}");
            }
            let effects = SendEmail::decide(&moment(), &due, recipient(true, true)).unwrap();
            assert_eq!(effects.mails().len(), 1, "{event_type}");
        }
    }

    #[tokio::test]
    async fn a_claim_that_outlived_its_user_sends_no_mail_to_another_account() {
        // He has Ann's id.
        let bob = User { email: read(json!("bob@example.com")), ..ann() };
        for (email, mails) in [(ann().email, 0), (bob.email.clone(), 2)] {
            let memory = Memory::new();
            memory.put(&ann().email_claim());
            memory.put(&bob.email_claim());
            memory.put(&bob);
            let again = VerificationAsked::new(&moment(), email.clone());
            let reset = PasswordResetAsked::new(&moment(), email.clone());
            let send_email = InMemory::new(&memory).consumer(build);
            for message in [
                testing::envelope("event-1", "1", &again),
                testing::envelope("event-2", "1", &reset),
            ] {
                assert!(send_email.messages(&[message]).await.failed.is_empty(), "{email}");
            }
            assert_eq!(memory.mails().len(), mails, "{email}");
            let stored = memory.get::<User>(&User::key_of(bob.user_id)).unwrap();
            assert_eq!(stored == bob, mails == 0, "{email}");
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
        let unproven = Recipient { user: ann(), deliverable: true, within_cap: true };
        for recipient in [None, Some(unproven)] {
            let due = MailDue::try_from(envelope(OrderCreated::TYPE, order())).unwrap();
            assert!(SendEmail::decide(&moment(), &due, recipient).unwrap().mails().is_empty());
        }
    }

    fn mail_about(event_type: &str, data: Value) -> Mail {
        let verified = User { email_verified: true, ..ann() };
        effects_for(event_type, data, verified).mails()[0].clone()
    }

    fn effects_for(event_type: &str, data: Value, recipient: User) -> Effects {
        let due = MailDue::try_from(envelope(event_type, data)).unwrap();
        let recipient = Recipient { user: recipient, deliverable: true, within_cap: true };
        SendEmail::decide(&moment(), &due, Some(recipient)).unwrap()
    }

    fn order() -> Value {
        json!(pending_order().created())
    }
}
