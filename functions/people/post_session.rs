//! `POST /sessions`: a user signs in.
//!
//! An attacker who guesses passwords cannot lock the user out: failures are limited for each source
//! address. Where many sources try one account, it stays open to the sources from which the user
//! has signed in before.

use aws::tokens::{LIFETIME_S, Signer, SigningKeys};
use aws::{Guesses, Passwords, SIGNING_KEYS, Table};
use domain::error_codes;
use domain::people::{Email, EmailClaim, EnteredPassword, KnownSources, SessionView, User};
use domain::resources::USERS;
use lifecycle::limit::LIMITS;
use lifecycle::prelude::*;
use lifecycle::record::Key;
use lifecycle::{Endpoint, ServiceError, Timestamp};
use schemars::JsonSchema;

fn main() -> ExitCode {
    aws::serve(|aws| PostSession {
        guesses: Guesses::new(aws.clone()),
        claims: aws.table(),
        users: aws.table(),
        sources: aws.table(),
        passwords: Passwords::new(),
        signing_keys: aws.signing_keys(),
    })
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
    type Facts = SignIn;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        Credentials { email, password }: &Credentials,
    ) -> Retrieved<SignIn> {
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
        let source = source.to_owned();
        Ok(SignIn { user: user.filter(|_| verified), signer, sources, source })
    }

    // 3b. Authorization: stage 7 judges the password, since a wrong one is 401 and not 404
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<SignIn> = Conditions::Untagged;

    // 7. Business rules
    type Outcome = Session;
    const ERRORS: &'static [ErrorCode] =
        &[error_codes::CREDENTIALS_WRONG, error_codes::EMAIL_NOT_VERIFIED];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        _: &Credentials,
        SignIn { user, signer, sources, source }: SignIn,
    ) -> Result<Session, DomainError> {
        let now = moment.now();
        let user = user.filter(|user| user.is_there(now)).ok_or(error_codes::CREDENTIALS_WRONG)?;
        if !user.email_verified {
            return Err(error_codes::EMAIL_NOT_VERIFIED.into());
        }
        let sources = KnownSources::after(sources, &user.email, &source, now);
        Ok(Session { user, signer, from: now, sources })
    }

    // 8. Side effects: the token is the session; a new source is stored, once a day
    fn effects(session: &Session) -> Effects {
        Effects::none().writes_of(session.sources.as_ref().map(Write::put))
    }

    // 9. Response
    type Reply = reply::Ok<SessionView>;

    fn reply(Session { user, signer, from, .. }: Session) -> reply::Ok<SessionView> {
        reply::Ok::of(SessionView {
            access_token: signer.sign(&user.claims(), from, LIFETIME_S),
            token_type: "Bearer".to_owned(),
            expires_in: LIFETIME_S,
        })
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
        self.users.get(permit, &key).await
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    email: Email,
    password: EnteredPassword,
}

/// The user if the password is right, the signer of the session's token, the known sources of the
/// user, and the source of this request.
struct SignIn {
    user: Option<User>,
    signer: Signer,
    sources: Option<KnownSources>,
    source: String,
}

struct Session {
    user: User,
    signer: Signer,
    from: Timestamp,
    /// The sources to store, if they have changed.
    sources: Option<KnownSources>,
}

#[cfg(test)]
mod tests {
    use aws::tokens::generate;
    use domain::examples::{ann, moment, read};

    use super::*;

    #[test]
    fn an_unknown_address_and_a_wrong_password_are_the_same_401() {
        let Err(rejection) = decide(None) else { panic!("the sign-in must fail") };
        assert_eq!(rejection, error_codes::CREDENTIALS_WRONG.into());
    }

    #[test]
    fn an_unverified_account_is_403_with_the_right_password() {
        let Err(rejection) = decide(Some(ann())) else { panic!("Ann is not verified") };
        assert_eq!(rejection, error_codes::EMAIL_NOT_VERIFIED.into());
    }

    #[test]
    fn a_session_is_a_token_for_fifteen_minutes() {
        let verified = User { email_verified: true, ..ann() };
        let Ok(session) = decide(Some(verified)) else { panic!("Ann signs in") };
        let Session { user, signer, from, .. } = session;
        let token = signer.sign(&user.claims(), from, LIFETIME_S);
        assert_eq!((token.split('.').count(), LIFETIME_S), (3, 900));
    }

    #[test]
    fn a_new_source_is_stored_with_the_sign_in_and_a_known_one_is_not() {
        let verified = User { email_verified: true, ..ann() };
        let Ok(session) = decide(Some(verified.clone())) else { panic!("Ann signs in") };
        assert_eq!(PostSession::effects(&session).writes().len(), 1);
        let Ok(session) = decide_knowing(Some(verified), session.sources) else { panic!() };
        assert!(PostSession::effects(&session).writes().is_empty());
    }

    #[test]
    fn an_expired_unverified_account_is_401_like_an_unknown_one() {
        let ended = User { expires_at: Some(moment().now().as_seconds()), ..ann() };
        let Err(rejection) = decide(Some(ended)) else { panic!("the sign-in must fail") };
        assert_eq!(rejection, error_codes::CREDENTIALS_WRONG.into());
    }

    #[test]
    fn a_short_password_is_accepted_and_not_shown_in_debug_output() {
        let credentials: Credentials =
            read(serde_json::json!({ "email": "ann@example.com", "password": "short" }));
        assert!(!format!("{credentials:?}").contains("short"));
    }

    fn decide(user: Option<User>) -> Result<Session, DomainError> {
        decide_knowing(user, None)
    }

    fn decide_knowing(
        user: Option<User>,
        sources: Option<KnownSources>,
    ) -> Result<Session, DomainError> {
        let keys = generate().unwrap();
        let signer = Signer::from_secret(&keys.signing.to_string(), "issuer", "audience").unwrap();
        let credentials =
            read(serde_json::json!({ "email": "ann@example.com", "password": "a password" }));
        let source = "192.0.2.1".to_owned();
        let sign_in = SignIn { user, signer, sources, source };
        PostSession::decide(&moment(), &Anyone, &credentials, sign_in)
    }
}
