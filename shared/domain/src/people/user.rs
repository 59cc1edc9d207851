//! Users.

use lifecycle::record::{Key, Record, Table};
use lifecycle::{Claims, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Email, EmailClaim, EmailVerificationRequested, Password, PasswordReset, PasswordResetAsked,
    Role, Tier, Verification, VerificationAsked,
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
    /// The reset of the password that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_reset: Option<PasswordReset>,
    /// What they may do.
    pub roles: Vec<Role>,
    /// How they are treated as customers.
    pub tier: Tier,
    /// Counts up with every change.
    pub version: u64,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When the store may forget an account that was not proven, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl User {
    /// For how long an account waits for the proof of its address: 24 hours, as long as the token of
    /// its first mail.
    const UNPROVEN_TTL_S: i64 = 24 * 60 * 60;

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
            password_reset: None,
            roles: vec![Role::Customer],
            tier: Tier::Standard,
            version: 1,
            created_at: moment.now(),
            expires_at: Some(moment.now().plus_seconds(Self::UNPROVEN_TTL_S).as_seconds()),
        };
        (user, requested)
    }

    /// Whether there is such an account: it is proven, or may still be. The store forgets the others
    /// some time later.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.email_verified || now < self.proven_until()
    }

    /// Until when the address can be proven. The version before this one noted no end.
    pub fn proven_until(&self) -> Timestamp {
        match self.expires_at {
            Some(seconds) => Timestamp::from_millis(seconds.saturating_mul(1000)),
            None => self.created_at.plus_seconds(Self::UNPROVEN_TTL_S),
        }
    }

    /// Whether this is the token that the user was mailed to prove their address.
    pub fn waits_for(&self, token: &str, now: Timestamp) -> bool {
        let verification = self.verification.as_ref();
        self.is_there(now) && verification.is_some_and(|kept| kept.accepts(token, now))
    }

    /// The user with their address verified, if this is the token that they were mailed.
    pub fn verified(self, token: &str, now: Timestamp) -> Option<Self> {
        self.waits_for(token, now).then(|| self.proven())
    }

    /// The user waiting for this token and for no earlier one, and the mail that they are to get;
    /// nothing for somebody who has verified their address.
    pub fn asked_again(
        self,
        asked: &VerificationAsked,
        now: Timestamp,
    ) -> Option<(Self, EmailVerificationRequested)> {
        if self.email_verified || !self.is_there(now) {
            return None;
        }
        let VerificationAsked { token, .. } = asked;
        let requested = EmailVerificationRequested { user_id: self.user_id, token: token.clone() };
        let verification = Some(Verification::by(token, now));
        Some((Self { verification, version: self.version + 1, ..self }, requested))
    }

    /// The user waiting for a new password by this token and by no earlier one; nothing where the
    /// address may not be written to.
    pub fn reset_asked(self, asked: &PasswordResetAsked, now: Timestamp) -> Option<Self> {
        let may_be_mailed = self.email_verified || asked.to_unproven;
        if !may_be_mailed || !self.is_there(now) {
            return None;
        }
        let password_reset = Some(PasswordReset::by(&asked.token, now));
        Some(Self { password_reset, version: self.version + 1, ..self })
    }

    /// Whether this is the token that the user was mailed to set a new password.
    pub fn may_reset(&self, token: &str, now: Timestamp) -> bool {
        let reset = self.password_reset.as_ref();
        self.is_there(now) && reset.is_some_and(|kept| kept.accepts(token, now))
    }

    /// The user with a new password. Whoever brings the token has read the mail: the address is
    /// proven too, and no other token is good any more.
    #[must_use]
    pub fn with_password(self, password_hash: String) -> Self {
        Self { password_hash, ..self.proven() }
    }

    fn proven(self) -> Self {
        Self {
            email_verified: true,
            verification: None,
            password_reset: None,
            expires_at: None,
            version: self.version + 1,
            ..self
        }
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
        EmailClaim { email: self.email.clone(), user_id: self.user_id, expires_at: self.expires_at }
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
        let moment = moment(2);
        let asked = VerificationAsked::new(&moment, user.email.clone());
        let (user, second) = user.asked_again(&asked, moment.now()).unwrap();
        assert_eq!(user.clone().verified(&first.token, moment.now()), None);
        let verified = user.verified(&second.token, moment.now()).unwrap();
        assert_eq!((verified.email_verified, verified.version), (true, 3));
        assert_eq!(verified.asked_again(&asked, moment.now()), None);
    }

    #[test]
    fn an_account_that_nobody_proves_ends_after_24_hours() {
        let (user, first) = ann();
        let at = |seconds| user.created_at.plus_seconds(seconds);
        let day = 24 * 60 * 60;
        assert_eq!(user.expires_at, Some(at(day).as_seconds()));
        let of_the_version_before = User { expires_at: None, ..user.clone() };
        for user in [&user, &of_the_version_before] {
            assert!(user.is_there(at(day - 1)) && !user.is_there(at(day)));
            assert!(!user.waits_for(&first.token, at(day)));
        }
        let asked = VerificationAsked::new(&moment(2), user.email.clone());
        let (again, _) = user.clone().asked_again(&asked, at(day - 1)).unwrap();
        assert!(!again.waits_for(&asked.token, at(day)), "asking again does not prolong it");
        assert_eq!(user.clone().asked_again(&asked, at(day)), None);
        let proven = user.verified(&first.token, moment(1).now()).unwrap();
        assert!(proven.is_there(proven.created_at.plus_seconds(day * 1_000)));
        assert_eq!((proven.expires_at, proven.email_claim().expires_at), (None, None));
    }

    #[test]
    fn a_new_password_proves_the_address_and_spends_every_token() {
        let (user, first) = ann();
        let asked = PasswordResetAsked::new(&moment(2), user.email.clone(), true);
        let now = moment(2).now();
        let user = user.reset_asked(&asked, now).unwrap();
        assert!(user.may_reset(&asked.token, now) && !user.may_reset(&first.token, now));
        assert!(user.waits_for(&first.token, now) && !user.waits_for(&asked.token, now));
        let user = user.with_password("new".to_owned());
        assert_eq!((user.email_verified, user.password_hash.as_str()), (true, "new"));
        assert!(!user.may_reset(&asked.token, now) && !user.waits_for(&first.token, now));
    }

    #[test]
    fn an_unproven_address_is_mailed_a_reset_only_while_it_may_be_written_to() {
        let (user, first) = ann();
        let asked = PasswordResetAsked::new(&moment(2), user.email.clone(), false);
        assert_eq!(user.clone().reset_asked(&asked, moment(2).now()), None);
        let proven = user.verified(&first.token, moment(2).now()).unwrap();
        assert!(proven.reset_asked(&asked, moment(2).now()).is_some());
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
        User::sign_up(&moment(1), &draft, "$argon2id$…".to_owned())
    }

    fn moment(n: u8) -> Moment {
        Moment::new(Timestamp::from_millis(n.into()), [n; 32])
    }
}
