//! Users.

use lifecycle::record::{Key, Record, TableName};
use lifecycle::{Claims, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Email, EmailClaim, EmailVerificationRequested, Password, PasswordReset, PasswordResetAsked,
    PersonName, Role, Tier, UserId, Verification, VerificationAsked,
};
use crate::resources::USERS;

/// A user as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Their id.
    pub user_id: UserId,
    /// Their e-mail address.
    pub email: Email,
    /// Argon2id, as a PHC string. It never leaves the store.
    pub password_hash: String,
    /// The name by which they want to be called.
    pub name: PersonName,
    /// Whether the e-mail address is verified.
    pub email_verified: bool,
    /// The pending verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// The pending password reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_reset: Option<PasswordReset>,
    /// Their roles.
    pub roles: Vec<Role>,
    /// Their tier as a customer.
    pub tier: Tier,
    /// Increases with every change.
    pub version: u64,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When TTL may delete the account, in seconds since 1970; only while it is unverified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl User {
    /// How long an account may stay unverified: 24 hours, as long as the token of its first mail is
    /// valid.
    const UNPROVEN_TTL_S: i64 = 24 * 60 * 60;

    /// A new unverified standard customer, and the request for the verification mail.
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

    /// Whether this is the user's address. A claim to an address may outlive its user, and another
    /// account may have taken the user's id.
    pub fn has(&self, email: &Email) -> bool {
        self.email.folded() == email.folded()
    }

    /// Whether the account exists: it is verified, or can still be. TTL deletes expired accounts
    /// some time later.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.email_verified || now < self.proven_until()
    }

    /// The end of the time to verify the address. The previous version stored none.
    pub fn proven_until(&self) -> Timestamp {
        match self.expires_at {
            Some(seconds) => Timestamp::from_millis(seconds.saturating_mul(1000)),
            None => self.created_at.plus_seconds(Self::UNPROVEN_TTL_S),
        }
    }

    /// Whether this is the token of the user's verification mail, and still valid.
    pub fn waits_for(&self, token: &str, now: Timestamp) -> bool {
        let verification = self.verification.as_ref();
        self.is_there(now) && verification.is_some_and(|kept| kept.accepts(token, now))
    }

    /// The user with a verified address, if this is the token of the verification mail.
    pub fn verified(self, token: &str, now: Timestamp) -> Option<Self> {
        self.waits_for(token, now).then(|| self.proven())
    }

    /// The user with this token in place of an earlier one, and the request for its mail. `None` if
    /// the address is verified already, a later token has come first, or the token or the account has
    /// expired.
    pub fn asked_again(
        self,
        asked: &VerificationAsked,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Option<(Self, EmailVerificationRequested)> {
        let VerificationAsked { token, .. } = asked;
        let verification = Verification::by(token, asked_at);
        let is_late = self.verification.as_ref().is_some_and(|it| it.is_later_than(&verification))
            || !verification.accepts(token, now);
        if self.email_verified || is_late || !self.is_there(now) {
            return None;
        }
        let requested = EmailVerificationRequested { user_id: self.user_id, token: token.clone() };
        let verification = Some(verification);
        Some((Self { verification, version: self.version + 1, ..self }, requested))
    }

    /// The user with this reset token in place of an earlier one. `None` if no mail may go to the
    /// address, a later token has come first, or the token or the account has expired.
    pub fn reset_asked(
        self,
        asked: &PasswordResetAsked,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let may_be_mailed = self.email_verified || asked.to_unproven;
        let reset = PasswordReset::by(&asked.token, asked_at);
        let is_late = self.password_reset.as_ref().is_some_and(|it| it.is_later_than(&reset))
            || !reset.accepts(&asked.token, now);
        if !may_be_mailed || is_late || !self.is_there(now) {
            return None;
        }
        Some(Self { password_reset: Some(reset), version: self.version + 1, ..self })
    }

    /// Whether this is the token of the user's reset mail, and still valid.
    pub fn may_reset(&self, token: &str, now: Timestamp) -> bool {
        let reset = self.password_reset.as_ref();
        self.is_there(now) && reset.is_some_and(|kept| kept.accepts(token, now))
    }

    /// The user with a new password. The token shows that its sender has read the mail. The address
    /// is therefore verified too, and all other tokens become invalid.
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

    /// The claims of the user's access token. [`SignedIn`](super::SignedIn) reads them.
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
    const TABLE: TableName = USERS;

    fn key(&self) -> Key {
        Self::key_of(self.user_id)
    }
}

/// A new user, as a client submits it.
#[derive(Debug, Clone, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserDraft {
    /// The id, if the client chooses it: a UUID of any version but 8.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// Their e-mail address.
    pub email: Email,
    /// Their password.
    pub password: Password,
    /// The name by which they want to be called.
    pub name: PersonName,
}

/// A user as they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// Their id.
    pub user_id: UserId,
    /// Their e-mail address.
    pub email: Email,
    /// The name by which they want to be called.
    pub name: PersonName,
    /// Whether the e-mail address is verified.
    pub email_verified: bool,
    /// Their roles.
    pub roles: Vec<Role>,
    /// Their tier as a customer.
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
    fn a_newly_requested_token_ends_the_previous_one() {
        let (user, first) = ann();
        let moment = moment(2);
        let asked = VerificationAsked::new(&moment, user.email.clone());
        let (user, second) = user.asked_again(&asked, moment.now(), moment.now()).unwrap();
        assert_eq!(user.clone().verified(&first.token, moment.now()), None);
        let verified = user.verified(&second.token, moment.now()).unwrap();
        assert_eq!((verified.email_verified, verified.version), (true, 3));
        assert_eq!(verified.asked_again(&asked, moment.now(), moment.now()), None);
    }

    #[test]
    fn a_token_that_was_requested_earlier_does_not_replace_a_later_one() {
        let (user, _) = ann();
        let now = moment(9).now();
        let [early, late] = [2, 3].map(|second| {
            let moment = moment(second);
            let again = VerificationAsked::new(&moment, user.email.clone());
            (moment.now(), again, PasswordResetAsked::new(&moment, user.email.clone()))
        });
        let (asked, _) = user.asked_again(&late.1, late.0, now).unwrap();
        assert_eq!(asked.clone().asked_again(&early.1, early.0, now), None);
        assert!(asked.clone().asked_again(&late.1, late.0, now).is_some(), "a repeated message");
        let reset = asked.reset_asked(&late.2, late.0, now).unwrap();
        assert_eq!(reset.clone().reset_asked(&early.2, early.0, now), None);
        assert!(reset.reset_asked(&late.2, late.0, now).is_some(), "a repeated message");
    }

    #[test]
    fn a_token_that_has_expired_before_its_mail_is_neither_stored_nor_mailed() {
        let (user, _) = ann();
        let asked_at = moment(2).now();
        let user = User { expires_at: Some(asked_at.plus_seconds(99_999).as_seconds()), ..user };
        let reset = PasswordResetAsked::new(&moment(2), user.email.clone());
        let again = VerificationAsked::new(&moment(2), user.email.clone());
        // How many are still valid: a verification is longer than a reset.
        for (later_s, valid) in [(3_599, 2), (3_600, 1), (86_399, 1), (86_400, 0)] {
            let now = asked_at.plus_seconds(later_s);
            let reset = user.clone().reset_asked(&reset, asked_at, now);
            let again = user.clone().asked_again(&again, asked_at, now);
            let stored = (reset.is_some(), again.is_some());
            assert_eq!(stored, (valid == 2, valid >= 1), "{later_s} s later");
        }
    }

    #[test]
    fn an_address_is_compared_without_case() {
        let (user, _) = ann();
        for (address, is_of_ann) in [("ANN@example.com", true), ("bob@example.com", false)] {
            let address: Email = address.to_owned().try_into().unwrap();
            assert_eq!(user.has(&address), is_of_ann, "{address}");
        }
    }

    #[test]
    fn an_unverified_account_expires_after_24_hours() {
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
        let (again, _) = user.clone().asked_again(&asked, at(day - 1), at(day - 1)).unwrap();
        assert!(!again.waits_for(&asked.token, at(day)), "asking again does not prolong it");
        assert_eq!(user.clone().asked_again(&asked, at(day), at(day)), None);
        let proven = user.verified(&first.token, moment(1).now()).unwrap();
        assert!(proven.is_there(proven.created_at.plus_seconds(day * 1_000)));
        assert_eq!((proven.expires_at, proven.email_claim().expires_at), (None, None));
    }

    #[test]
    fn a_new_password_verifies_the_address_and_ends_every_token() {
        let (user, first) = ann();
        let asked = PasswordResetAsked::new(&moment(2), user.email.clone());
        let now = moment(2).now();
        let user = user.reset_asked(&asked, now, now).unwrap();
        assert_eq!(user.version, 2);
        assert!(user.may_reset(&asked.token, now) && !user.may_reset(&first.token, now));
        assert!(user.waits_for(&first.token, now) && !user.waits_for(&asked.token, now));
        let user = user.with_password("new".to_owned());
        assert_eq!((user.email_verified, user.password_hash.as_str()), (true, "new"));
        assert!(!user.may_reset(&asked.token, now) && !user.waits_for(&first.token, now));
    }

    #[test]
    fn an_unverified_address_gets_a_reset_only_if_the_request_allows_it() {
        let (user, first) = ann();
        let asked = PasswordResetAsked::new(&moment(2), user.email.clone());
        let asked = PasswordResetAsked { to_unproven: false, ..asked };
        let now = moment(2).now();
        assert_eq!(user.clone().reset_asked(&asked, now, now), None);
        let proven = user.verified(&first.token, now).unwrap();
        assert!(proven.reset_asked(&asked, now, now).is_some());
    }

    #[test]
    fn a_stored_user_is_read_unchanged() {
        let (user, _) = ann();
        let item: serde_dynamo::Item = serde_dynamo::to_item(&user).unwrap();
        assert_eq!(serde_dynamo::from_item::<_, User>(item).unwrap(), user);
    }

    #[test]
    fn the_claims_of_a_token_identify_the_user() {
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
