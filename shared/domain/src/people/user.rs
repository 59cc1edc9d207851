//! Users.

use lifecycle::record::{Key, Record, Table};
use lifecycle::{Claims, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Email, EmailClaim, EmailVerificationRequested, Password, Role, Tier, Verification,
    VerificationAsked,
};
use crate::syntax::{id, line};
use crate::tables::USERS;

/// A user as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Their id.
    pub user_id: UserId,
    /// Their address.
    pub email: Email,
    /// Argon2id, as a PHC string. It never leaves the store.
    pub password_hash: String,
    /// How they want to be called.
    pub name: PersonName,
    /// Whether the address has been proven to be theirs.
    pub email_verified: bool,
    /// The verification that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// What they may do.
    pub roles: Vec<Role>,
    /// How they are treated as customers.
    pub tier: Tier,
    /// Counts up with every change.
    pub version: u64,
    /// When they signed up.
    pub created_at: Timestamp,
}

impl User {
    /// Signs somebody up: an unverified standard customer, and the mail that they are to get.
    pub fn sign_up(
        moment: &Moment,
        draft: &UserDraft,
        password_hash: String,
    ) -> (Self, EmailVerificationRequested) {
        let user_id = draft.user_id.unwrap_or_else(|| moment.id("user").into());
        let (verification, requested) = Verification::request(moment, user_id);
        let user = Self {
            user_id,
            email: draft.email.clone(),
            password_hash,
            name: draft.name.clone(),
            email_verified: false,
            verification: Some(verification),
            roles: vec![Role::Customer],
            tier: Tier::Standard,
            version: 1,
            created_at: moment.now(),
        };
        (user, requested)
    }

    /// The user with their address verified, if this is the token that they were mailed.
    pub fn verified(mut self, token: &str, now: Timestamp) -> Option<Self> {
        let verification = self.verification.take()?;
        verification.accepts(token, now).then_some(Self {
            email_verified: true,
            version: self.version + 1,
            ..self
        })
    }

    /// The user waiting for this token and for no earlier one, and the mail that they are to get;
    /// nothing for somebody who has verified their address.
    pub fn asked_again(
        self,
        asked: &VerificationAsked,
        now: Timestamp,
    ) -> Option<(Self, EmailVerificationRequested)> {
        let VerificationAsked { token, .. } = asked;
        let requested = EmailVerificationRequested { user_id: self.user_id, token: token.clone() };
        let verification = Some(Verification::by(token, now));
        let waiting = Self { verification, version: self.version + 1, ..self };
        (!waiting.email_verified).then_some((waiting, requested))
    }

    /// The key of a user.
    pub fn key_of(user_id: UserId) -> Key {
        Key::new(user_id)
    }

    /// What an access token says of the user. [`SignedIn`](super::SignedIn) reads it.
    pub fn claims(&self) -> Claims {
        let Self { user_id, roles, tier, email_verified, .. } = self;
        Claims::from_iter([
            ("sub".to_owned(), json!(user_id)),
            ("roles".to_owned(), json!(roles)),
            ("tier".to_owned(), json!(tier)),
            ("emailVerified".to_owned(), json!(email_verified)),
        ])
    }

    /// The claim to the user's e-mail address.
    pub fn email_claim(&self) -> EmailClaim {
        EmailClaim { email: self.email.clone(), user_id: self.user_id }
    }
}

impl Record for User {
    const TABLE: Table = USERS;

    fn key(&self) -> Key {
        Self::key_of(self.user_id)
    }
}

/// A user as they describe themselves.
#[derive(Debug, Clone, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserDraft {
    /// The id, if the client chooses it.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// Their address.
    pub email: Email,
    /// The password they choose.
    pub password: Password,
    /// How they want to be called.
    pub name: PersonName,
}

/// A user as they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// Their id.
    pub user_id: UserId,
    /// Their address.
    pub email: Email,
    /// How they want to be called.
    pub name: PersonName,
    /// Whether the address has been proven to be theirs.
    pub email_verified: bool,
    /// What they may do.
    pub roles: Vec<Role>,
    /// How they are treated as customers.
    pub tier: Tier,
    /// When they signed up.
    pub created_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            user_id: user.user_id,
            email: user.email,
            name: user.name,
            email_verified: user.email_verified,
            roles: user.roles,
            tier: user.tier,
            created_at: user.created_at,
        }
    }
}

id! {
    /// The id of a user.
    UserId
}

impl UserId {
    /// Whether the id is of the kind (RFC 9562, version 8) that people of outside issuers have, so
    /// that nobody may choose it.
    pub fn is_an_outsiders(self) -> bool {
        self.0.get_version_num() == 8
    }
}

line! {
    /// How somebody wants to be called.
    PersonName: 1..=100
}

#[cfg(test)]
mod tests {
    use lifecycle::Identity;

    use super::super::SignedIn;
    use super::*;

    #[test]
    fn a_view_shows_neither_the_password_nor_the_verification() {
        let (user, _) = ann();
        let shown = serde_json::to_value(UserView::from(user)).unwrap();
        let fields: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["createdAt", "email", "emailVerified", "name", "roles", "tier", "userId"]
        );
    }

    #[test]
    fn a_token_that_was_asked_for_again_ends_the_one_before() {
        let (user, first) = ann();
        let moment = Moment::new(Timestamp::from_millis(2), [2; 32]);
        let asked = VerificationAsked::new(&moment, user.email.clone());
        let (user, second) = user.asked_again(&asked, moment.now()).unwrap();
        assert_eq!(user.clone().verified(&first.token, moment.now()), None);
        let verified = user.verified(&second.token, moment.now()).unwrap();
        assert_eq!((verified.email_verified, verified.version), (true, 3));
        assert_eq!(verified.asked_again(&asked, moment.now()), None);
    }

    #[test]
    fn a_user_survives_the_store() {
        let (user, _) = ann();
        let item: serde_dynamo::Item = serde_dynamo::to_item(&user).unwrap();
        assert_eq!(serde_dynamo::from_item::<_, User>(item).unwrap(), user);
    }

    #[test]
    fn a_token_says_who_the_user_is() {
        let (user, _) = ann();
        let mut claims = user.claims();
        claims.insert("exp".to_owned(), json!(1_000));
        let caller = SignedIn::from_claims(&claims).unwrap();
        assert_eq!((caller.user_id, caller.roles), (user.user_id, user.roles));
        assert_eq!((caller.tier, caller.email_verified), (user.tier, user.email_verified));
    }

    fn ann() -> (User, EmailVerificationRequested) {
        let draft = UserDraft {
            user_id: None,
            email: "ann@example.com".to_owned().try_into().unwrap(),
            password: "correct-horse-battery".to_owned().try_into().unwrap(),
            name: "Ann".to_owned().try_into().unwrap(),
        };
        let moment = Moment::new(Timestamp::from_millis(1), [1; 32]);
        User::sign_up(&moment, &draft, "$argon2id$…".to_owned())
    }
}
