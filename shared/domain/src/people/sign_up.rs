//! Sign-ups, and the ownership of e-mail addresses.

use lifecycle::effects::{self, Condition, Effects, Write};
use lifecycle::record::Record;
use lifecycle::{DomainError, FieldErrors, Moment};

use super::{EmailVerificationRequested, User, UserDraft, UserId};
use crate::error_codes;

/// A well-formed sign-up.
#[derive(Debug, Clone)]
pub struct SignUp(UserDraft);

impl SignUp {
    /// The new user, as the client submitted it.
    pub fn draft(&self) -> &UserDraft {
        &self.0
    }
}

impl TryFrom<UserDraft> for SignUp {
    type Error = FieldErrors;

    fn try_from(draft: UserDraft) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::none();
        // Ids of users of outside issuers are reserved.
        if draft.user_id.is_some_and(UserId::is_external) {
            errors.add("/userId", "must not be a UUID of version 8");
        }
        if draft.password.is_made_of(&draft.email, &draft.name) {
            errors.add("/password", "must not be made of the address or the name");
        }
        errors.or(Self(draft))
    }
}

/// The holder of an e-mail address: the user of its claim, who may no longer exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user that the claim names.
    pub user_id: UserId,
    /// The user as they are stored.
    pub user: Option<User>,
}

impl Holder {
    /// Whether the user has verified the address.
    fn owns_it(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.email_verified)
    }
}

/// A new user, the verification of their address, and its unverified holder before.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedUp {
    /// The new user.
    pub user: User,
    /// The request for the verification mail.
    pub verification: EmailVerificationRequested,
    replaced: Option<Holder>,
}

impl SignedUp {
    /// Signs a user up. An unverified account with the same address is replaced: otherwise a
    /// stranger could keep the address from its owner.
    ///
    /// # Errors
    ///
    /// `EMAIL_TAKEN` if another user has verified the address.
    pub fn new(
        moment: &Moment,
        sign_up: &SignUp,
        password_hash: String,
        holder: Option<Holder>,
    ) -> Result<Self, DomainError> {
        if holder.as_ref().is_some_and(Holder::owns_it) {
            return Err(error_codes::EMAIL_TAKEN.at("/email", "is in use"));
        }
        let (mut user, verification) = User::sign_up(moment, sign_up.draft(), password_hash);
        if let Some(before) = holder.as_ref().and_then(|holder| before(holder, &user)) {
            user.version = before.version + 1;
        }
        Ok(Self { user, verification, replaced: holder })
    }

    /// Writes the user and the claim, and deletes the replaced account. If the address has another
    /// holder since it was read, or is verified now, the facts are read again.
    pub fn writes(&self) -> Effects {
        let Self { user, replaced, .. } = self;
        let claim = user.email_claim();
        let id_taken = error_codes::ID_TAKEN.at("/userId", "is in use");
        let create = Write::create(user).or_reject(id_taken);
        let Some(holder) = replaced else {
            return Effects::none().write(Write::create(&claim)).write(create);
        };
        let effects = Effects::none().write(Write::put(&claim).when(held_by(holder.user_id)));
        match (&holder.user, before(holder, user)) {
            (_, Some(before)) => effects.write(Write::replace(user, before.version)),
            (None, None) => effects.write(create),
            (Some(other), None) => {
                let same = Condition::Equals("version", effects::number(other.version));
                let gone = Condition::Any(vec![Condition::Absent, same]);
                effects.write(create).write(Write::delete::<User>(other.key()).when(gone))
            }
        }
    }
}

impl User {
    /// Replaces a verified user and their claim to the address, so that neither expires. If the
    /// address has another holder since it was read, the facts are read again.
    pub fn store_verified(&self) -> Effects {
        Effects::none()
            .write(Write::replace(self, self.version - 1))
            .write(Write::put(&self.email_claim()).when(held_by(self.user_id)))
    }
}

/// The condition that a claim still has this holder.
fn held_by(user_id: UserId) -> Condition {
    Condition::Equals("userId", effects::text(user_id.to_string()))
}

/// The replaced account, if the new one has its id.
fn before<'a>(holder: &'a Holder, user: &User) -> Option<&'a User> {
    holder.user.as_ref().filter(|before| before.user_id == user.user_id)
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{OnConditionFailed, WriteAction};
    use serde_json::{Value, json};

    use super::*;
    use crate::examples::{ann, moment, read};

    #[test]
    fn an_id_reserved_for_users_of_outside_issuers_is_a_field_error() {
        let outsiders = json!({ "userId": "0194f7a0-0000-8000-8000-000000000001" });
        assert!(SignUp::try_from(draft(outsiders)).is_err());
        let own = json!({ "userId": "0194f7a0-0000-7000-8000-000000000001" });
        assert!(SignUp::try_from(draft(own)).is_ok());
    }

    #[test]
    fn a_password_made_of_the_address_or_the_name_is_a_field_error() {
        for (password, taken) in
            [("Ann@Example.com", false), ("Annabel-Lee-1849", false), ("Poe-wrote-that", true)]
        {
            let draft = draft(json!({ "password": password, "name": "Annabel Lee" }));
            assert_eq!(SignUp::try_from(draft).is_ok(), taken, "{password}");
        }
    }

    #[test]
    fn all_violations_are_reported_at_once() {
        let id = "0194f7a0-0000-8000-8000-000000000001";
        let draft = draft(json!({ "userId": id, "password": "Ann@Example.com" }));
        let errors = SignUp::try_from(draft).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["/userId", "/password"]);
    }

    #[test]
    fn a_free_address_is_claimed_with_the_user() {
        let writes = sign_up(json!({}), None).unwrap().writes();
        assert_eq!(told(&writes), ["put stale", "put ID_TAKEN"]);
        assert_eq!(writes.writes()[0].condition, Some(Condition::Absent));
    }

    #[test]
    fn an_unverified_account_is_deleted_by_a_sign_up_with_its_address() {
        let signed_up = sign_up(json!({}), Some(holder_of(ann()))).unwrap();
        let writes = signed_up.writes();
        assert_eq!(told(&writes), ["put stale", "put ID_TAKEN", "delete stale"]);
        assert_eq!(writes.writes()[2].key, ann().key());
        assert_ne!(signed_up.user.user_id, ann().user_id);
    }

    #[test]
    fn a_claim_without_a_user_passes_to_the_next_sign_up() {
        let holder = Holder { user_id: ann().user_id, user: None };
        let writes = sign_up(json!({}), Some(holder)).unwrap().writes();
        assert_eq!(told(&writes), ["put stale", "put ID_TAKEN"]);
    }

    #[test]
    fn an_account_replaced_under_its_own_id_has_the_next_version() {
        let draft = json!({ "userId": ann().user_id });
        let signed_up = sign_up(draft, Some(holder_of(ann()))).unwrap();
        assert_eq!(signed_up.user.version, ann().version + 1);
        assert_eq!(told(&signed_up.writes()), ["put stale", "put stale"]);
    }

    #[test]
    fn a_verified_user_replaces_the_version_before_and_keeps_the_claim() {
        let user = User { version: 3, ..ann() };
        let writes = user.store_verified();
        assert_eq!(told(&writes), ["put stale", "put stale"]);
        let conditions: Vec<_> = writes.writes().iter().map(|it| it.condition.clone()).collect();
        let before = Condition::Equals("version", effects::number(2));
        assert_eq!(conditions, [Some(before), Some(held_by(user.user_id))]);
    }

    #[test]
    fn a_verified_address_is_email_taken_with_its_field() {
        let owner = User { email_verified: true, ..ann() };
        let refused = sign_up(json!({}), Some(holder_of(owner))).unwrap_err();
        assert_eq!((refused.code, refused.details[0].field.as_str()), ("EMAIL_TAKEN", "/email"));
    }

    fn holder_of(user: User) -> Holder {
        Holder { user_id: user.user_id, user: Some(user) }
    }

    fn sign_up(more: Value, holder: Option<Holder>) -> Result<SignedUp, DomainError> {
        let sign_up = SignUp::try_from(draft(more)).unwrap();
        SignedUp::new(&moment(), &sign_up, "hash".to_owned(), holder)
    }

    fn draft(more: Value) -> UserDraft {
        let mut draft = json!({
            "email": "ann@example.com", "password": "correct-horse-battery", "name": "Other",
            "userId": moment().id("other"),
        });
        draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(draft)
    }

    fn told(effects: &Effects) -> Vec<String> {
        let told = effects.writes().iter().map(|write| {
            let action = if matches!(write.action, WriteAction::Delete) { "delete" } else { "put" };
            match &write.on_condition_failed {
                OnConditionFailed::Retry => format!("{action} stale"),
                OnConditionFailed::Reject(no) => format!("{action} {}", no.code),
            }
        });
        told.collect()
    }
}
