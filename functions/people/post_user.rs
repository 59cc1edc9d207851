//! `POST /users`: a user signs up.

use aws::{Aws, MailCaps, Passwords, Table};
use domain::error_codes;
use domain::events::ANONYMOUS;
use domain::people::{Email, EmailClaim, Holder, SignUp, SignedUp, User, UserDraft, UserView};
use domain::resources::{EMAILS, USERS};
use lifecycle::limit::LIMITS;
use lifecycle::prelude::*;
use lifecycle::{Endpoint, ServiceError};

pub(crate) fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> PostUser {
    PostUser {
        passwords: Passwords::new(),
        mails: MailCaps::new(aws.clone()),
        claims: aws.table(),
        users: aws.table(),
    }
}

struct PostUser {
    passwords: Passwords,
    mails: MailCaps,
    claims: Table<EmailClaim>,
    users: Table<User>,
}

impl Endpoint for PostUser {
    // 1. Routing
    const ROUTE: Route = Route::post("/users");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const LIMIT: Limit = Limit::exact(30, MINUTE);
    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const BODY_BYTES_MAX: usize = 8 * 1024;
    const RESOURCES: Resources = &[
        Resource::Table(USERS, &[GetItem, PutItem, DeleteItem]),
        Resource::Table(LIMITS, &[UpdateItem]),
        Resource::Queue(EMAILS),
    ];

    // 4. Deserialisation
    type Input = Json<UserDraft>;

    // 5. Syntax validation
    type Command = SignUp;

    // 6. Retrieval: the password's hash, the address's holder, and whether the client may cause a mail
    type Facts = Arrival;

    async fn retrieve(&self, permit: &Permit<Anyone>, sign_up: &SignUp) -> Retrieved<Arrival> {
        let draft = sign_up.draft();
        let (password_hash, holder, mail) = futures::try_join!(
            permit.once("hash", self.passwords.hash(draft.password.reveal())),
            self.holder(permit, &draft.email),
            self.mails.requested(permit),
        )?;
        Ok(Arrival { password_hash, holder, mail })
    }

    // 3b. Authorization: any client may sign up
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<Arrival> = Conditions::Creation(Some(error_codes::ID_TAKEN));

    // 7. Business rules: a sign-up replaces an unverified account with the same address
    type Outcome = Arrived;
    const ERRORS: &'static [ErrorCode] = &[error_codes::EMAIL_TAKEN, error_codes::ID_TAKEN];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        sign_up: &SignUp,
        Arrival { password_hash, holder, mail }: Arrival,
    ) -> Result<Arrived, DomainError> {
        let signed_up = SignedUp::new(moment, sign_up, password_hash, holder)?;
        Ok(Arrived { signed_up, mail })
    }

    // 8. Side effects: the mail is a tertiary effect, since a lost one can be requested again
    fn effects(Arrived { signed_up, mail }: &Arrived) -> Effects {
        let effects = signed_up.writes();
        if !mail {
            return effects;
        }
        let requested = Event::about(signed_up.user.user_id, &signed_up.verification);
        effects.message(Message::new(EMAILS, requested).of_group(ANONYMOUS))
    }

    // 9. Response
    type Reply = reply::Created<UserView>;

    fn reply(Arrived { signed_up, .. }: Arrived) -> reply::Created<UserView> {
        let path = format!("/users/{}", signed_up.user.user_id);
        reply::Created::at(path, signed_up.user.into())
    }
}

impl PostUser {
    async fn holder(
        &self,
        permit: &Permit<Anyone>,
        email: &Email,
    ) -> Result<Option<Holder>, ServiceError> {
        let Some(claim) = self.claims.get(permit, &EmailClaim::key_of(email)).await? else {
            return Ok(None);
        };
        let user = self.users.get(permit, &User::key_of(claim.user_id)).await?;
        let user = user.filter(|user| user.has(email));
        Ok(Some(Holder { user_id: claim.user_id, user }))
    }
}

/// The facts for a sign-up.
struct Arrival {
    /// Argon2id, as a PHC string.
    password_hash: String,
    holder: Option<Holder>,
    /// Whether the client may cause one more mail today.
    mail: bool,
}

struct Arrived {
    signed_up: SignedUp,
    mail: bool,
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::examples::{ann, moment, read};
    use lifecycle::record::Record;
    use lifecycle::testing::{Memory, Request};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_user_is_an_unverified_standard_customer_with_a_password_hash() {
        let user = signed_up(true, None).signed_up.user;
        assert_eq!(user.password_hash, "hash");
        let shown = serde_json::to_value(UserView::from(user)).unwrap();
        assert_eq!(shown["roles"], json!(["CUSTOMER"]));
        assert_eq!(shown["tier"], "STANDARD");
        assert_eq!(shown["emailVerified"], false);
    }

    #[test]
    fn a_sign_up_over_an_unverified_account_responds_as_with_a_free_address() {
        let holder = Holder { user_id: ann().user_id, user: Some(ann()) };
        let replies = [None, Some(holder)].map(|holder| {
            let shown = PostUser::reply(signed_up(true, holder));
            format!("{shown:?}")
        });
        assert_eq!(replies[0], replies[1]);
    }

    #[test]
    fn the_verification_mail_is_outside_the_commit_and_stops_at_the_cap() {
        let effects = PostUser::effects(&signed_up(true, None));
        assert!(effects.events().is_empty());
        assert_eq!(effects.messages().len(), 1);
        assert_eq!(effects.messages()[0].queue, EMAILS);
        assert_eq!(effects.messages()[0].group.as_deref(), Some(ANONYMOUS));
        assert!(PostUser::effects(&signed_up(false, None)).messages().is_empty());
    }

    #[tokio::test]
    async fn a_claim_that_outlived_its_user_is_about_no_other_account() {
        for email_verified in [true, false] {
            let bob = User { email: read(json!("bob@example.com")), email_verified, ..ann() };
            let memory = Memory::new();
            memory.put(&ann().email_claim());
            memory.put(&bob);
            let sign_up = json!({
                "email": "ann@example.com", "password": "correct-horse-battery", "name": "Ann",
            });

            let post_user = InMemory::new(&memory).endpoint(build);
            let answer = post_user.ask(&Request::new().json(&sign_up)).await;

            assert_eq!(answer.status, 201, "{}", answer.json());
            assert_eq!(memory.get::<User>(&bob.key()), Some(bob));
        }
    }

    fn signed_up(mail: bool, holder: Option<Holder>) -> Arrived {
        let draft: UserDraft = read(json!({
            "userId": moment().id("new"), "email": "ann@example.com",
            "password": "correct-horse-battery", "name": "Ann",
        }));
        let sign_up = SignUp::try_from(draft).unwrap();
        let arrival = Arrival { password_hash: "hash".to_owned(), holder, mail };
        PostUser::decide(&moment(), &Anyone, &sign_up, arrival).unwrap()
    }
}
