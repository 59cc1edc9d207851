//! Password resets.

use std::fmt;

use lifecycle::effects::EventData;
use lifecycle::token::{self, KeptToken};
use lifecycle::{Moment, Timestamp};
use serde::{Deserialize, Serialize};

use super::Email;

/// A password reset that was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordReset(KeptToken);

impl PasswordReset {
    /// How long a token is valid: an hour.
    const TTL_S: i64 = 60 * 60;

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

/// A client requests a mail for setting a new password. Only the consumer looks up whether the
/// address has an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordResetAsked {
    /// The address, as it was typed.
    pub email: Email,
    /// The token, in plain text.
    pub token: String,
    /// Whether a mail may go to an unverified address. The previous version of the endpoint counted
    /// these mails; now the consumer counts them, and the endpoint always allows them.
    pub to_unproven: bool,
}

impl PasswordResetAsked {
    /// A request with a fresh token.
    pub fn new(moment: &Moment, email: Email) -> Self {
        Self { email, token: token::fresh(moment, "password reset"), to_unproven: true }
    }
}

impl EventData for PasswordResetAsked {
    const TYPE: &'static str = "PasswordResetAsked";
}

impl fmt::Debug for PasswordResetAsked {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(Self::TYPE).field("email", &self.email).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::moment;

    #[test]
    fn a_token_is_valid_for_an_hour_and_not_shown_in_debug_output() {
        let email = Email::try_from("ann@example.com".to_owned()).unwrap();
        let asked = PasswordResetAsked::new(&moment(), email);
        let kept = PasswordReset::by(&asked.token, moment().now());
        assert!(kept.accepts(&asked.token, moment().now().plus_seconds(3_599)));
        assert!(!kept.accepts(&asked.token, moment().now().plus_seconds(3_600)));
        let shown = format!("{asked:?}");
        assert!(shown.contains("ann@example.com") && !shown.contains(&asked.token), "{shown}");
    }
}
