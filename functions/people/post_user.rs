//! `POST /users`: somebody signs up.

use std::process::ExitCode;

use adapters::Passwords;
use domain::people::{EmailVerificationRequested, User, UserDraft, UserId, UserView};
use domain::refusals;
use domain::tables::{EMAILS, USERS};
use http::StatusCode;
use lifecycle::caller::NoRole;
use lifecycle::effects::{Effects, Event, Message, Write};
use lifecycle::idempotency::Idempotency;
use lifecycle::input::Json;
use lifecycle::limit::{Limit, MINUTE};
use lifecycle::uses::{Use, Verb};
use lifecycle::{
    Access, Anyone, Endpoint, Fault, Moment, Permit, Refusal, Rejection, Reply, Route, Verdict,
    Violations,
};

fn main() -> ExitCode {
    adapters::serve(|_| PostUser { passwords: Passwords::new() })
}

struct PostUser {
    passwords: Passwords,
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
    const USES: &'static [Use] = &[Use::Table(USERS, &[Verb::PutItem]), Use::Queue(EMAILS)];

    // 4. Deserialisation
    type Input = Json<UserDraft>;

    // 5. Syntax validation. Nobody signs up as somebody whom an outside issuer knows.
    type Command = UserDraft;

    fn parse(Json(draft): Json<UserDraft>) -> Result<UserDraft, Violations> {
        if draft.user_id.is_some_and(UserId::is_an_outsiders) {
            return Err(Violations::one("/userId", "must not be a UUID of version 8"));
        }
        Ok(draft)
    }

    // 6. Retrieval: the hash of the password, which is slow and needs randomness. Whether the
    // address is free need not be read: it is a condition of the commit.
    type Facts = PasswordHash;

    async fn retrieve(&self, _: &Permit<Anyone>, draft: &UserDraft) -> Result<PasswordHash, Fault> {
        self.passwords.hash(draft.password.reveal()).await.map(PasswordHash)
    }

    // 3 again. Authorization: everybody may sign up
    fn allow(_: &Anyone, _: &UserDraft, _: &PasswordHash) -> Verdict {
        Verdict::Allow
    }

    // 7. Business rules
    type Outcome = SignedUp;
    const REFUSALS: &'static [Refusal] = &[refusals::EMAIL_TAKEN, refusals::ID_TAKEN];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        draft: &UserDraft,
        PasswordHash(hash): PasswordHash,
    ) -> Result<SignedUp, Rejection> {
        let (user, verification) = User::sign_up(moment, draft, hash);
        Ok(SignedUp { user, verification })
    }

    // 8. Side effects: a mail that is lost can be asked for again, so it is a tertiary one
    fn effects(SignedUp { user, verification }: &SignedUp) -> Effects {
        let email_taken = refusals::EMAIL_TAKEN.at("/email", "is in use");
        let id_taken = refusals::ID_TAKEN.at("/userId", "is in use");
        Effects::none()
            .write(Write::create(&user.email_claim()).otherwise(email_taken))
            .write(Write::create(user).otherwise(id_taken))
            .message(Message::new(EMAILS, Event::about(user.user_id, verification)))
    }

    // 9. Response
    const STATUS: StatusCode = StatusCode::CREATED;
    type View = UserView;

    fn reply(outcome: SignedUp) -> Reply<UserView> {
        let path = format!("/users/{}", outcome.user.user_id);
        Reply::created(outcome.user.into()).location(&path)
    }
}

/// Argon2id, as a PHC string.
struct PasswordHash(String);

/// A new user, and the verification of their address.
struct SignedUp {
    user: User,
    verification: EmailVerificationRequested,
}

#[cfg(test)]
mod tests {
    use domain::examples::{moment, read};
    use lifecycle::effects::Otherwise;

    use super::*;

    #[test]
    fn a_new_user_is_an_unverified_standard_customer_with_the_hash_of_their_password() {
        let user = signed_up().user;
        assert_eq!(user.password_hash, "hash");
        let shown = serde_json::to_value(UserView::from(user)).unwrap();
        assert_eq!(shown["roles"], serde_json::json!(["CUSTOMER"]));
        assert_eq!(shown["tier"], "STANDARD");
        assert_eq!(shown["emailVerified"], false);
    }

    #[test]
    fn address_and_id_are_claimed_in_one_commit_and_each_says_which_was_taken() {
        let effects = PostUser::effects(&signed_up());
        let refusals: Vec<_> = effects.writes().iter().map(|write| &write.otherwise).collect();
        let [Otherwise::Reject(email), Otherwise::Reject(id)] = refusals[..] else {
            panic!("{refusals:?}")
        };
        assert_eq!((email.code, id.code), ("EMAIL_TAKEN", "ID_TAKEN"));
    }

    #[test]
    fn nobody_chooses_the_id_of_somebody_of_an_outside_issuer() {
        let draft = |user_id: &str| {
            read(serde_json::json!({
                "userId": user_id, "email": "ann@example.com", "name": "Ann",
                "password": "correct-horse-battery",
            }))
        };
        let outsiders = draft("0194f7a0-0000-8000-8000-000000000001");
        assert!(PostUser::parse(Json(outsiders)).is_err());
        let own = draft("0194f7a0-0000-7000-8000-000000000001");
        assert!(PostUser::parse(Json(own)).is_ok());
    }

    #[test]
    fn the_verification_mail_is_not_part_of_the_commit() {
        let effects = PostUser::effects(&signed_up());
        assert!(effects.events().is_empty());
        assert_eq!(effects.messages().len(), 1);
        assert_eq!(effects.messages()[0].queue, EMAILS);
    }

    fn signed_up() -> SignedUp {
        let draft = read(serde_json::json!({
            "email": "ann@example.com", "password": "correct-horse-battery", "name": "Ann"
        }));
        let draft = PostUser::parse(Json(draft)).unwrap();
        PostUser::decide(&moment(), &Anyone, &draft, PasswordHash("hash".to_owned())).unwrap()
    }
}
