//! The verification that an e-mail address belongs to its user.

use std::fmt;

use lifecycle::effects::EventData;
use lifecycle::token::{self, KeptToken};
use lifecycle::{Moment, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Email, UserId};

/// A verification that was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification(KeptToken);

impl Verification {
    /// How long a token is valid: 24 hours.
    const TTL_S: i64 = 24 * 60 * 60;

    /// A verification with a fresh token: its stored form, and the request for the mail.
    pub fn request(moment: &Moment, user_id: UserId) -> (Self, EmailVerificationRequested) {
        let token = fresh_token(moment);
        (Self::by(&token, moment.now()), EmailVerificationRequested { user_id, token })
    }

    /// The stored form of a token that was requested at this time, and is valid from then on.
    pub fn by(token: &str, asked_at: Timestamp) -> Self {
        Self(KeptToken::of(token, asked_at, Self::TTL_S))
    }

    /// Whether it was requested later than another one.
    pub(super) fn is_later_than(&self, other: &Self) -> bool {
        self.0.expires_at > other.0.expires_at
    }

    /// Whether this is the token, and still valid.
    pub fn accepts(&self, token: &str, now: Timestamp) -> bool {
        self.0.accepts(token, now)
    }
}

/// A user gets a mail with a token for verifying their address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailVerificationRequested {
    /// The user.
    pub user_id: UserId,
    /// The token, in plain text.
    pub token: String,
}

impl EventData for EmailVerificationRequested {
    const TYPE: &'static str = "EmailVerificationRequested";
}

impl fmt::Debug for EmailVerificationRequested {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(Self::TYPE).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// A client requests another mail for verifying an address. Only the consumer looks up whether the
/// address has an account.
///
/// The endpoint makes the token, and not the consumer that mails it. A repeated message therefore
/// mails the same token again, and both mails are valid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationAsked {
    /// The address, as it was typed.
    pub email: Email,
    /// The token, in plain text.
    pub token: String,
}

impl VerificationAsked {
    /// A request with a fresh token.
    pub fn new(moment: &Moment, email: Email) -> Self {
        Self { email, token: fresh_token(moment) }
    }
}

impl EventData for VerificationAsked {
    const TYPE: &'static str = "VerificationAsked";
}

impl fmt::Debug for VerificationAsked {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(Self::TYPE).field("email", &self.email).finish_non_exhaustive()
    }
}

fn fresh_token(moment: &Moment) -> String {
    token::fresh(moment, "verification")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_for_24_hours_and_another_one_never() {
        let moment = Moment::new(Timestamp::from_millis(0), [1; 32]);
        let (kept, mailed) = Verification::request(&moment, moment.id("user").into());
        let at = |seconds| Timestamp::from_millis(0).plus_seconds(seconds);
        assert!(kept.accepts(&mailed.token, at(24 * 60 * 60 - 1)));
        assert!(!kept.accepts(&mailed.token, at(24 * 60 * 60)));
        assert!(!kept.accepts("another", at(0)));
    }

    #[test]
    fn the_stored_form_and_the_log_do_not_hold_the_token() {
        let moment = Moment::new(Timestamp::from_millis(0), [1; 32]);
        let (kept, mailed) = Verification::request(&moment, moment.id("user").into());
        assert!(!serde_json::to_string(&kept).unwrap().contains(&mailed.token));
        let shown = format!("{mailed:?}");
        assert!(shown.contains("user_id") && !shown.contains(&mailed.token), "{shown}");
        let asked =
            VerificationAsked::new(&moment, "ann@example.com".to_owned().try_into().unwrap());
        let shown = format!("{asked:?}");
        assert!(shown.contains("ann@example.com") && !shown.contains(&asked.token), "{shown}");
    }
}
