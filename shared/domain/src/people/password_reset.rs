//! A new password for somebody who has forgotten theirs.

use std::fmt;

use lifecycle::effects::EventData;
use lifecycle::{Moment, Timestamp};
use serde::{Deserialize, Serialize};

use super::Email;
use crate::token::{self, KeptToken};

/// A reset of a password that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordReset(KeptToken);

impl PasswordReset {
    /// For how long a token is good: an hour.
    const TTL_S: i64 = 60 * 60;

    /// What is kept of a token that is good from now on.
    pub fn by(token: &str, now: Timestamp) -> Self {
        Self(KeptToken::of(token, now, Self::TTL_S))
    }

    /// Whether this is the token, and still good.
    pub fn accepts(&self, token: &str, now: Timestamp) -> bool {
        self.0.accepts(token, now)
    }
}

/// A client asks for a mail by which a password can be set. Whether there is an account with the
/// address, only the consumer looks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordResetAsked {
    /// The address, as it was typed.
    pub email: Email,
    /// The token, in plain text.
    pub token: String,
    /// Whether a mail may go to the address although nobody has proven it: it gets few a day.
    pub to_unproven: bool,
}

impl PasswordResetAsked {
    /// Asks for a fresh token.
    pub fn new(moment: &Moment, email: Email, to_unproven: bool) -> Self {
        Self { email, token: token::fresh(moment, "password reset"), to_unproven }
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
    fn a_token_is_good_for_an_hour_and_is_never_shown() {
        let email = Email::try_from("ann@example.com".to_owned()).unwrap();
        let asked = PasswordResetAsked::new(&moment(), email, true);
        let kept = PasswordReset::by(&asked.token, moment().now());
        assert!(kept.accepts(&asked.token, moment().now().plus_seconds(3_599)));
        assert!(!kept.accepts(&asked.token, moment().now().plus_seconds(3_600)));
        assert!(!format!("{asked:?}").contains(&asked.token));
    }
}
