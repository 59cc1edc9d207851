//! `POST /verification-emails`: requests another mail for verifying an address.
//!
//! The response is the same whether or not an account waits for verification. `send_email` sends at
//! most five mails a day to an unverified address, including those of sign-ups and password resets.

use aws::MailCaps;
use domain::events::ANONYMOUS;
use domain::people::{Email, VerificationAsked};
use domain::resources::EMAILS;
use lifecycle::Endpoint;
use lifecycle::limit::LIMITS;
use lifecycle::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PostVerificationEmail { mails: MailCaps::new(aws.clone()) })
}

struct PostVerificationEmail {
    mails: MailCaps,
}

impl Endpoint for PostVerificationEmail {
    // 1. Routing
    const ROUTE: Route = Route::post("/verification-emails");

    // 2. Authentication: a user without a verified address cannot sign in
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const LIMIT: Limit = Limit::exact(30, MINUTE);
    const SUBJECT_LIMIT: Option<SubjectLimit<Asking>> = Some(SubjectLimit {
        name: "verification-email",
        subject: "e-mail address",
        quota: 5,
        window: MINUTE,
        of: |asking: &Asking| asking.email.folded(),
    });
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[Resource::Table(LIMITS, &[UpdateItem]), Resource::Queue(EMAILS)];

    // 4. Deserialisation
    type Input = Json<Asking>;

    // 5. Syntax validation
    type Command = Asking;

    // 6. Retrieval: only the count that limits requests for mails. `send_email` looks up the account,
    // so that neither the response nor its duration reveals whether there is one.
    type Facts = bool;

    async fn retrieve(&self, permit: &Permit<Anyone>, _: &Asking) -> Retrieved<bool> {
        Ok(self.mails.requested(permit).await?)
    }

    // 3b. Authorization: any client may ask
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<bool> = Conditions::Untagged;

    // 7. Business rules
    type Outcome = Asked;

    fn decide(
        moment: &Moment,
        _: &Anyone,
        asking: &Asking,
        mail: bool,
    ) -> Result<Asked, DomainError> {
        Ok(Asked { asked: VerificationAsked::new(moment, asking.email.clone()), mail })
    }

    // 8. Side effects: a tertiary message, like the first mail. If a mail is lost, the client has
    // to ask again, as it would have to after an error.
    fn effects(Asked { asked, mail }: &Asked) -> Effects {
        if !mail {
            return Effects::none();
        }
        let asked = Event::about(asked.email.folded(), asked);
        Effects::none().message(Message::new(EMAILS, asked).of_group(ANONYMOUS))
    }

    // 9. Response: the address that the client sent, and no stored data
    type Reply = reply::Accepted<AskedView>;

    fn reply(Asked { asked, .. }: Asked) -> reply::Accepted<AskedView> {
        reply::Accepted::of(AskedView { email: asked.email })
    }
}

struct Asked {
    asked: VerificationAsked,
    /// Whether the client may cause one more mail today.
    mail: bool,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[schemars(rename = "VerificationEmailDraft")]
struct Asking {
    email: Email,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VerificationEmailView")]
struct AskedView {
    /// The address that gets a mail, if it has an account that waits for verification.
    email: Email,
}

#[cfg(test)]
mod tests {
    use domain::examples::{moment, read};
    use lifecycle::effects::Content;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_token_goes_into_a_message_and_nowhere_else() {
        let asked = asked(true);
        let effects = PostVerificationEmail::effects(&asked);
        let [message] = effects.messages() else { panic!("not one message: {effects:?}") };
        let Content::New(event) = &message.content else { panic!("not new: {message:?}") };
        assert_eq!((message.queue, &event.data["token"]), (EMAILS, &json!(asked.asked.token)));
        assert!(effects.writes().is_empty() && effects.events().is_empty());
    }

    #[test]
    fn beyond_the_cap_the_response_is_the_same_and_no_message_is_sent() {
        assert!(PostVerificationEmail::effects(&asked(false)).messages().is_empty());
        let replies =
            [true, false].map(|mail| format!("{:?}", PostVerificationEmail::reply(asked(mail))));
        assert_eq!(replies[0], replies[1]);
    }

    fn asked(mail: bool) -> Asked {
        let asking = read(json!({ "email": "Ann@example.com" }));
        PostVerificationEmail::decide(&moment(), &Anyone, &asking, mail).unwrap()
    }
}
