//! `POST /verification-emails`: somebody asks for the mail again that proves their address.

use std::process::ExitCode;

use adapters::Attempts;
use domain::people::{Email, VerificationAsked};
use domain::tables::EMAILS;
use http::StatusCode;
use lifecycle::caller::NoRole;
use lifecycle::effects::{Effects, Event, Message};
use lifecycle::input::Json;
use lifecycle::limit::{LIMITS, MINUTE};
use lifecycle::uses::{Use, Verb};
use lifecycle::{
    Access, Anyone, Endpoint, Fault, Moment, Permit, Rejection, Reply, Route, Verdict, Violations,
};
use schemars::JsonSchema;
use serde::Serialize;

fn main() -> ExitCode {
    adapters::serve(|aws| PostVerificationEmail {
        attempts: Attempts::new(aws.clone(), "verification-email", MAILS_MAX, MINUTE),
    })
}

struct PostVerificationEmail {
    attempts: Attempts,
}

/// How many mails may be asked for to one address within a minute, whoever asks.
const MAILS_MAX: u32 = 5;

impl Endpoint for PostVerificationEmail {
    // 1. Routing
    const ROUTE: Route = Route::post("/verification-emails");

    // 2. Authentication: whoever needs the mail cannot sign in yet
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const BODY_BYTES_MAX: usize = 4 * 1024;
    const USES: &'static [Use] = &[Use::Table(LIMITS, &[Verb::UpdateItem]), Use::Queue(EMAILS)];

    // 4. Deserialisation
    type Input = Json<Asking>;

    // 5. Syntax validation
    type Command = Asking;

    fn parse(Json(asking): Json<Asking>) -> Result<Asking, Violations> {
        Ok(asking)
    }

    // 6. Retrieval: nothing but the count. Whose address it is, if anybody's, `send_email` looks
    // up, so that neither the answer nor its time can tell.
    type Facts = ();

    async fn retrieve(&self, permit: &Permit<Anyone>, asking: &Asking) -> Result<(), Fault> {
        self.attempts.count(permit, &asking.email.folded()).await?;
        Ok(())
    }

    // 3 again. Authorization: everybody may ask
    fn allow(_: &Anyone, _: &Asking, (): &()) -> Verdict {
        Verdict::Allow
    }

    // 7. Business rules
    type Outcome = VerificationAsked;

    fn decide(
        moment: &Moment,
        _: &Anyone,
        asking: &Asking,
        (): (),
    ) -> Result<VerificationAsked, Rejection> {
        Ok(VerificationAsked::new(moment, asking.email.clone()))
    }

    // 8. Side effects: the message is a tertiary one, as the first mail is. One that is lost can be
    // asked for again, and whoever asks would have to do just that if it were refused.
    fn effects(asked: &VerificationAsked) -> Effects {
        let asked = Event::about(asked.email.folded(), asked);
        Effects::none().message(Message::new(EMAILS, asked))
    }

    // 9. Response: what was sent, and nothing that is known
    const STATUS: StatusCode = StatusCode::ACCEPTED;
    type View = AskedView;

    fn reply(asked: VerificationAsked) -> Reply<AskedView> {
        Reply::accepted(AskedView { email: asked.email })
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
struct Asking {
    email: Email,
}

#[derive(Serialize, JsonSchema)]
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
        let asking = read(json!({ "email": "Ann@example.com" }));
        let asked = PostVerificationEmail::decide(&moment(), &Anyone, &asking, ()).unwrap();
        let effects = PostVerificationEmail::effects(&asked);
        let [message] = effects.messages() else { panic!("one message: {effects:?}") };
        let Content::New(event) = &message.content else { panic!("a new one: {message:?}") };
        assert_eq!((message.queue, &event.data["token"]), (EMAILS, &json!(asked.token)));
        assert!(effects.writes().is_empty() && effects.events().is_empty());
    }
}
