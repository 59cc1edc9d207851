//! `PUT /users/{userId}/verification`: a user proves that their e-mail address is theirs.
//!
//! The proof is the token of the mail together with the password of the sign-up. If a stranger
//! signs up with an address, its owner gets the mail, but cannot activate the stranger's password
//! by mistake.

use aws::{Passwords, Table};
use domain::error_codes;
use domain::people::{EnteredPassword, User, UserId};
use domain::resources::USERS;
use lifecycle::Endpoint;
use lifecycle::limit::{AttemptLimiter, LIMITS};
use lifecycle::prelude::*;
use lifecycle::token::EnteredToken;
use schemars::JsonSchema;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PutVerification {
        attempts: AttemptLimiter::new(aws.clone(), "verification", FAILURES_MAX, MINUTE),
        passwords: Passwords::new(),
        users: aws.table(),
    })
}

struct PutVerification {
    attempts: AttemptLimiter,
    passwords: Passwords,
    users: Table<User>,
}

/// The maximum number of wrong passwords for one user in a minute.
const FAILURES_MAX: u32 = 5;

/// The proof that a user sends.
#[derive(Debug)]
struct Proof {
    user_id: UserId,
    token: EnteredToken,
    password: EnteredPassword,
}

impl Endpoint for PutVerification {
    // 1. Routing
    const ROUTE: Route = Route::put("/users/{userId}/verification");

    // 2. Authentication: only the token of the mail and the password
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access = Access::Public;

    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources =
        &[Resource::Table(USERS, &[GetItem, PutItem]), Resource::Table(LIMITS, &[UpdateItem])];

    // 4. Deserialisation
    type Input = (Path<UserId>, Json<Verification>);

    // 5. Syntax validation
    type Command = Proof;

    // 6. Retrieval. The password is verified, and the attempt counted, only for the right token. A
    // client without it can neither guess passwords nor use up the user's attempts.
    type Facts = Option<Claimed>;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        Proof { user_id, token, password }: &Proof,
    ) -> Retrieved<Option<Claimed>> {
        let user = self.users.get(permit, &User::key_of(*user_id)).await?;
        let Some(user) = user.filter(|user| user.waits_for(token.reveal(), permit.moment().now()))
        else {
            return Ok(None);
        };
        let verified = async {
            let attempt = self.attempts.acquire(permit, &user_id.to_string()).await?;
            let hash = Some(user.password_hash.as_str());
            let password_right = self.passwords.verify(&password.spellings(), hash).await?;
            if password_right {
                attempt.release().await;
            }
            Ok::<_, RetrieveError>(password_right)
        };
        let password_right = permit.once(&user.password_hash, verified).await?;
        Ok(Some(Claimed { user, password_right }))
    }

    // 3b. Authorization: stage 7 checks the proof
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<Option<Claimed>> = Conditions::Untagged;

    // 7. Business rules: an unknown user and a spent token are the same error
    type Outcome = User;
    const ERRORS: &'static [ErrorCode] =
        &[error_codes::VERIFICATION_SPENT, error_codes::PASSWORD_WRONG];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        proof: &Proof,
        claimed: Option<Claimed>,
    ) -> Result<User, DomainError> {
        let Claimed { user, password_right } = claimed.ok_or(error_codes::VERIFICATION_SPENT)?;
        if !password_right {
            return Err(
                error_codes::PASSWORD_WRONG.at("/password", "is not the one that was chosen")
            );
        }
        user.verified(proof.token.reveal(), moment.now())
            .ok_or_else(|| error_codes::VERIFICATION_SPENT.into())
    }

    // 8. Side effects: the user and the claim to the address no longer expire
    fn effects(user: &User) -> Effects {
        user.store_verified()
    }

    // 9. Response
    type Reply = reply::NoContent;

    fn reply(_: User) -> reply::NoContent {
        reply::NoContent
    }
}

impl From<(UserId, Verification)> for Proof {
    fn from((user_id, Verification { token, password }): (UserId, Verification)) -> Self {
        Self { user_id, token, password }
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[schemars(rename = "VerificationDraft")]
struct Verification {
    /// The token of the mail.
    token: EnteredToken,
    /// The password that was chosen at the sign-up.
    password: EnteredPassword,
}

/// The token's user, and whether the password is right.
struct Claimed {
    user: User,
    password_right: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::examples::{ann, ann_with_token, moment};

    #[test]
    fn the_token_of_the_mail_with_the_password_verifies_the_address_once() {
        let (ann, token) = ann_with_token();
        let proof = proof(token);
        let verified = decide(&proof, Some(ann), true).unwrap();
        assert!(verified.email_verified && verified.verification.is_none());
        let again = decide(&proof, Some(verified), true);
        assert_eq!(again.unwrap_err().code, "VERIFICATION_SPENT");
    }

    #[test]
    fn a_wrong_password_is_422_with_its_field() {
        let (ann, token) = ann_with_token();
        let refused = decide(&proof(token), Some(ann), false).unwrap_err();
        assert_eq!((refused.code, &*refused.details[0].field), ("PASSWORD_WRONG", "/password"));
    }

    #[test]
    fn a_wrong_token_and_an_unknown_user_are_the_same_410() {
        let proof = proof("another".to_owned());
        assert_eq!(
            decide(&proof, Some(ann()), true).unwrap_err(),
            decide(&proof, None, true).unwrap_err()
        );
    }

    #[test]
    fn a_verified_account_and_its_address_no_longer_expire() {
        let (ann, token) = ann_with_token();
        let verified = decide(&proof(token), Some(ann), true).unwrap();
        let effects = PutVerification::effects(&verified);
        let kept = effects.writes().iter().all(|write| {
            let lifecycle::effects::WriteAction::Put(item) = &write.action else { return false };
            !item.contains_key("expiresAt")
        });
        assert!(kept && effects.writes().len() == 2, "{effects:?}");
    }

    fn proof(token: String) -> Proof {
        let password = "correct-horse-battery".to_owned().try_into().unwrap();
        Proof { user_id: ann().user_id, token: token.try_into().unwrap(), password }
    }

    fn decide(
        proof: &Proof,
        user: Option<User>,
        password_right: bool,
    ) -> Result<User, DomainError> {
        let claimed = user.map(|user| Claimed { user, password_right });
        PutVerification::decide(&moment(), &Anyone, proof, claimed)
    }
}
