//! `PUT /users/{userId}/password`: sets a new password, with the token of the mail that
//! `POST /password-resets` has sent.
//!
//! The token also verifies the e-mail address. It can be used once. Access tokens issued before
//! stay valid until they expire, within 15 minutes.

use aws::{Passwords, Table};
use domain::error_codes;
use domain::people::{Password, User, UserId};
use domain::resources::USERS;
use lifecycle::Endpoint;
use lifecycle::prelude::*;
use lifecycle::token::EnteredToken;
use schemars::JsonSchema;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PutPassword { passwords: Passwords::new(), users: aws.table() })
}

struct PutPassword {
    passwords: Passwords,
    users: Table<User>,
}

/// The new password, and the token that allows it.
#[derive(Debug)]
struct Change {
    user_id: UserId,
    token: EnteredToken,
    password: Password,
}

impl Endpoint for PutPassword {
    // 1. Routing
    const ROUTE: Route = Route::put("/users/{userId}/password");

    // 2. Authentication: only the token of the mail
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access = Access::Public;

    const LIMIT: Limit = Limit::exact(30, MINUTE);
    const BODY_BYTES_MAX: usize = 4 * 1024;
    const RESOURCES: Resources = &[Resource::Table(USERS, &[GetItem, PutItem])];

    // 4. Deserialisation
    type Input = (Path<UserId>, Json<NewPassword>);

    // 5. Syntax validation
    type Command = Change;

    // 6. Retrieval: the user and, only for the right token, the new password's hash
    type Facts = Option<Reset>;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        Change { user_id, token, password }: &Change,
    ) -> Retrieved<Option<Reset>> {
        let user = self.users.get(permit, &User::key_of(*user_id)).await?;
        let Some(user) = user.filter(|user| user.may_reset(token.reveal(), permit.moment().now()))
        else {
            return Ok(None);
        };
        let password_hash = permit.once("hash", self.passwords.hash(password.reveal())).await?;
        Ok(Some(Reset { user, password_hash }))
    }

    // 3b. Authorization: by the token, which stage 7 checks
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<Option<Reset>> = Conditions::Untagged;

    // 7. Business rules: an unknown user and a spent token are the same error
    type Outcome = User;
    const ERRORS: &'static [ErrorCode] =
        &[error_codes::PASSWORD_RESET_SPENT, error_codes::PASSWORD_GUESSABLE];

    fn decide(
        moment: &Moment,
        _: &Anyone,
        Change { token, password, .. }: &Change,
        reset: Option<Reset>,
    ) -> Result<User, DomainError> {
        let reset = reset.filter(|reset| reset.user.may_reset(token.reveal(), moment.now()));
        let Reset { user, password_hash } = reset.ok_or(error_codes::PASSWORD_RESET_SPENT)?;
        if password.is_made_of(&user.email, &user.name) {
            let sentence = "must not be made of the address or the name";
            return Err(error_codes::PASSWORD_GUESSABLE.at("/password", sentence));
        }
        Ok(user.with_password(password_hash))
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

impl From<(UserId, NewPassword)> for Change {
    fn from((user_id, NewPassword { token, password }): (UserId, NewPassword)) -> Self {
        Self { user_id, token, password }
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
struct NewPassword {
    /// The token of the mail.
    token: EnteredToken,
    /// The new password.
    password: Password,
}

/// The token's user, and the hash of the new password.
struct Reset {
    user: User,
    password_hash: String,
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, moment};
    use domain::people::PasswordResetAsked;

    use super::*;

    #[test]
    fn the_token_of_the_mail_sets_a_password_once_and_verifies_the_address() {
        let (ann, token) = asked();
        let changed = decide(&change(&token, "another-long-password"), Some(ann)).unwrap();
        assert_eq!((changed.password_hash.as_str(), changed.email_verified), ("new hash", true));
        let again = decide(&change(&token, "another-long-password"), Some(changed));
        assert_eq!(again.unwrap_err().code, "PASSWORD_RESET_SPENT");
    }

    #[test]
    fn a_wrong_token_and_an_unknown_user_are_the_same_410() {
        let change = change("another", "another-long-password");
        let refused = decide(&change, Some(asked().0)).unwrap_err();
        assert_eq!(refused, decide(&change, None).unwrap_err());
    }

    #[test]
    fn a_password_made_of_the_address_is_422_and_names_its_field() {
        let (ann, token) = asked();
        let refused = decide(&change(&token, "Ann@Example.com"), Some(ann)).unwrap_err();
        assert_eq!((refused.code, &*refused.details[0].field), ("PASSWORD_GUESSABLE", "/password"));
    }

    fn asked() -> (User, String) {
        let asked = PasswordResetAsked::new(&moment(), ann().email);
        let now = moment().now();
        (ann().reset_asked(&asked, now, now).unwrap(), asked.token)
    }

    fn change(token: &str, password: &str) -> Change {
        let password = password.to_owned().try_into().unwrap();
        Change { user_id: ann().user_id, token: token.to_owned().try_into().unwrap(), password }
    }

    fn decide(change: &Change, user: Option<User>) -> Result<User, DomainError> {
        let reset = user.map(|user| Reset { user, password_hash: "new hash".to_owned() });
        PutPassword::decide(&moment(), &Anyone, change, reset)
    }
}
