//! `POST /sessions`: a user signs in.
//!
//! An attacker who guesses passwords cannot lock the user out: failures are limited for each source
//! address. Where many sources try one account, it stays open to the sources from which the user
//! has signed in before.

use aws::tokens::{LIFETIME_S, Signer, SigningKeys};
use aws::{Aws, Guesses, Passwords, SIGNING_KEYS, Table};
use domain::error_codes;
use domain::people::{
    Credentials, Email, EmailClaim, KnownSources, Session, SessionView, SignIn, User,
};
use domain::resources::USERS;
use lifecycle::limit::LIMITS;
use lifecycle::prelude::*;
use lifecycle::record::Key;
use lifecycle::{Endpoint, ServiceError};

pub(crate) fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> PostSession {
    PostSession {
        guesses: Guesses::new(aws.clone()),
        claims: aws.table(),
        users: aws.table(),
        sources: aws.table(),
        passwords: Passwords::new(),
        signing_keys: aws.signing_keys(),
    }
}

struct PostSession {
    guesses: Guesses,
    claims: Table<EmailClaim>,
    users: Table<User>,
    sources: Table<KnownSources>,
    passwords: Passwords,
    signing_keys: SigningKeys,
}

impl Endpoint for PostSession {
    // 1. Routing
    const ROUTE: Route = Route::post("/sessions");

    // 2. Authentication: none; a client without a token signs in here
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const LIMIT: Limit = Limit::exact(30, MINUTE);
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[
        Resource::Table(USERS, &[GetItem, PutItem]),
        Resource::Table(LIMITS, &[UpdateItem]),
        Resource::Secret(SIGNING_KEYS),
    ];

    // 4. Deserialisation
    type Input = Json<Credentials>;

    // 5. Syntax validation
    type Command = Credentials;

    // 6. Retrieval. An unknown address costs as many reads and password verifications as a known
    // one; the fixed response time of a failure hides any remaining difference. Each attempt counts
    // as a failure until it succeeds. Otherwise concurrent requests could verify more passwords
    // than the limit allows.
    type Facts = (SignIn, Signer);

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        Credentials { email, password }: &Credentials,
    ) -> Retrieved<(SignIn, Signer)> {
        let (address, source) = (email.folded(), permit.source());
        let guess = self.guesses.acquire(permit, &address).await?;
        let known = KnownSources::key_of(email);
        let (signer, user, sources) = futures::try_join!(
            self.signing_keys.signer(permit),
            self.find(permit, email),
            // A hint: an unreadable record counts as missing, and is overwritten.
            self.sources.get_readable(permit, &known),
        )?;
        let now = permit.moment().now();
        let guess = match &sources {
            Some(sources) if sources.has(source, now) => guess,
            _ => self.guesses.acquire_in_total(permit, &address, guess).await?,
        };
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let verified = self.passwords.verify(&password.spellings(), hash).await?;
        if verified {
            guess.release().await;
        } else {
            guess.delay_response().await;
        }
        let user = user.filter(|_| verified);
        Ok((SignIn { user, sources, source: source.to_owned() }, signer))
    }

    // 3b. Authorization: stage 7 judges the password, since a wrong one is 401 and not 404
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<Self::Facts> = Conditions::Untagged;

    // 7. Business rules
    type Outcome = (Session, Signer);
    const ERRORS: &'static [ErrorCode] =
        &[error_codes::CREDENTIALS_WRONG, error_codes::EMAIL_NOT_VERIFIED];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        _: &Credentials,
        (sign_in, signer): (SignIn, Signer),
    ) -> Result<(Session, Signer), DomainError> {
        Ok((sign_in.session(moment.now())?, signer))
    }

    // 8. Side effects: the token is the session; a new source is stored, once a day
    fn effects((session, _): &(Session, Signer)) -> Effects {
        Effects::none().writes_of(session.sources.as_ref().map(Write::put))
    }

    // 9. Response
    type Reply = reply::Ok<SessionView>;

    fn reply((session, signer): (Session, Signer)) -> reply::Ok<SessionView> {
        let token = signer.sign(&session.user.claims(), session.from, LIFETIME_S);
        reply::Ok::of(SessionView::bearer(token, LIFETIME_S))
    }
}

impl PostSession {
    async fn find(
        &self,
        permit: &Permit<Anyone>,
        email: &Email,
    ) -> Result<Option<User>, ServiceError> {
        let claim = self.claims.get(permit, &EmailClaim::key_of(email)).await?;
        let key = claim.map_or_else(|| Key::new("nobody"), |claim| User::key_of(claim.user_id));
        let user = self.users.get(permit, &key).await?;
        Ok(user.filter(|user| user.has(email)))
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use aws::tokens::generate;
    use domain::examples::{ann, moment, read};
    use lifecycle::testing::{Memory, Request};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_is_a_token_for_fifteen_minutes() {
        let (session, signer) = sign_in(None);
        let token = signer.sign(&session.user.claims(), session.from, LIFETIME_S);
        assert_eq!((token.split('.').count(), LIFETIME_S), (3, 900));
    }

    #[test]
    fn a_new_source_is_stored_with_the_sign_in_and_a_known_one_is_not() {
        let first = sign_in(None);
        assert_eq!(PostSession::effects(&first).writes().len(), 1);
        let second = sign_in(first.0.sources);
        assert!(PostSession::effects(&second).writes().is_empty());
    }

    #[tokio::test]
    async fn a_claim_that_outlived_its_user_signs_no_other_account_in() {
        let password = "correct-horse-battery";
        let password_hash = Passwords::new().hash(password).await.unwrap();
        let email = read(json!("bob@example.com"));
        // He has Ann's id.
        let bob = User { email, password_hash, email_verified: true, ..ann() };
        let memory = Memory::new();
        memory.put(&ann().email_claim());
        memory.put(&bob.email_claim());
        memory.put(&bob);
        let post_session = InMemory::new(&memory).endpoint(build);
        for (email, status) in [("bob@example.com", 200), ("ann@example.com", 401)] {
            let credentials = json!({ "email": email, "password": password });
            let answer = post_session.ask(&Request::new().json(&credentials)).await;
            assert_eq!(answer.status, status, "{email}: {}", answer.body);
        }
    }

    fn sign_in(sources: Option<KnownSources>) -> (Session, Signer) {
        let keys = generate().unwrap();
        let signer = Signer::from_secret(&keys.signing.to_string(), "issuer", "audience").unwrap();
        let credentials = read(json!({ "email": "ann@example.com", "password": "a password" }));
        let user = Some(User { email_verified: true, ..ann() });
        let sign_in = SignIn { user, sources, source: "192.0.2.1".to_owned() };
        PostSession::decide(&moment(), &Anyone, &credentials, (sign_in, signer)).unwrap()
    }
}
