//! `POST /verification-emails`: asks for another mail that proves an address.
//!
//! The answer is the same whether or not there is an account that waits for one. An address that
//! nobody has proven gets five mails a day, those of sign-ups and of resets included.

use std::process::ExitCode;

use adapters::{Attempts, MailCaps};
use domain::events::ANONYMOUS;
use domain::people::{Email, VerificationAsked};
use domain::tables::EMAILS;
use http::StatusCode;
use lifecycle::caller::NoRole;
use lifecycle::effects::{Effects, Event, Message};
use lifecycle::input::Json;
use lifecycle::limit::{LIMITS, Limit, MINUTE};
use lifecycle::uses::{Use, Verb};
use lifecycle::{
    Access, Anyone, Conditions, Endpoint, Fault, Moment, Permit, Rejection, Reply, Route, Verdict,
    Violations,
};
use schemars::JsonSchema;
use serde::Serialize;

fn main() -> ExitCode {
    adapters::serve(|aws| PostVerificationEmail {
        attempts: Attempts::new(aws.clone(), "verification-email", MAILS_MAX, MINUTE),
        mails: MailCaps::new(aws.clone()),
    })
}

struct PostVerificationEmail {
    attempts: Attempts,
    mails: MailCaps,
}

/// How many mails may be asked for to one address within a minute, from all sources.
const MAILS_MAX: u32 = 5;

impl Endpoint for PostVerificationEmail {
    // 1. Routing
    const ROUTE: Route = Route::post("/verification-emails");

    // 2. Authentication: whoever needs the mail cannot sign in yet
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const LIMIT: Limit = Limit::exact(30, MINUTE);
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const USES: &'static [Use] = &[Use::Table(LIMITS, &[Verb::UpdateItem]), Use::Queue(EMAILS)];

    // 4. Deserialisation
    type Input = Json<Asking>;

    // 5. Syntax validation
    type Command = Asking;

    fn parse(Json(asking): Json<Asking>) -> Result<Asking, Violations> {
        Ok(asking)
    }

    // 6. Retrieval: nothing but counts: whether a mail may be sent. `send_email` looks up whether
    // there is an account, so that neither the answer nor its time can tell.
    type Facts = bool;

    async fn retrieve(&self, permit: &Permit<Anyone>, asking: &Asking) -> Result<bool, Fault> {
        let address = asking.email.folded();
        self.attempts.count(permit, &address).await?;
        self.mails.to_unproven(permit, &address).await
    }

    // 3 again. Authorization: everybody may ask
    fn allow(_: &Anyone, _: &Asking, _: &bool) -> Verdict {
        Verdict::Allow
    }

    const CONDITIONS: Conditions<bool> = Conditions::Untagged;

    // 7. Business rules
    type Outcome = Asked;

    fn decide(
        moment: &Moment,
        _: &Anyone,
        asking: &Asking,
        mail: bool,
    ) -> Result<Asked, Rejection> {
        Ok(Asked { asked: VerificationAsked::new(moment, asking.email.clone()), mail })
    }

    // 8. Side effects: the message is a tertiary one, as the first mail is. One that is lost can be
    // asked for again, as the client would have to do if it were refused.
    fn effects(Asked { asked, mail }: &Asked) -> Effects {
        if !mail {
            return Effects::none();
        }
        let asked = Event::about(asked.email.folded(), asked);
        Effects::none().message(Message::new(EMAILS, asked).of_group(ANONYMOUS))
    }

    // 9. Response: what was sent, and nothing that is known
    const STATUS: StatusCode = StatusCode::ACCEPTED;
    type View = AskedView;

    fn reply(Asked { asked, .. }: Asked) -> Reply<AskedView> {
        Reply::accepted(AskedView { email: asked.email })
    }
}

struct Asked {
    asked: VerificationAsked,
    /// Whether the address may be written to once more.
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
    /// Where a mail goes, if there is an account with this address that waits for one.
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
        let [message] = effects.messages() else { panic!("one message: {effects:?}") };
        let Content::New(event) = &message.content else { panic!("a new one: {message:?}") };
        assert_eq!((message.queue, &event.data["token"]), (EMAILS, &json!(asked.asked.token)));
        assert!(effects.writes().is_empty() && effects.events().is_empty());
    }

    #[test]
    fn beyond_the_cap_the_answer_is_the_same_and_no_message_is_sent() {
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
