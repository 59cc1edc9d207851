//! The proof that an e-mail address is its user's own.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::effects::EventData;
use lifecycle::{Moment, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::UserId;

/// A verification that was asked for. Of its token only the hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// SHA-256 of the token, in base64url.
    pub token_hash: String,
    /// The token is good until then.
    pub expires_at: Timestamp,
}

impl Verification {
    /// For how long a token is good: 24 hours.
    const TTL_S: i64 = 24 * 60 * 60;

    /// Asks a user for the verification of their address: what is kept, and what is mailed.
    pub fn request(moment: &Moment, user_id: UserId) -> (Self, EmailVerificationRequested) {
        let token = URL_SAFE_NO_PAD.encode(moment.secret("verification"));
        let kept =
            Self { token_hash: hash(&token), expires_at: moment.now().plus_seconds(Self::TTL_S) };
        (kept, EmailVerificationRequested { user_id, token })
    }

    /// Whether this is the token, and still good.
    pub fn accepts(&self, token: &str, now: Timestamp) -> bool {
        now < self.expires_at && hash(token) == self.token_hash
    }
}

/// A user is to be mailed a token that proves their address.
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

/// The token has 256 random bits, so that a plain hash is as good as a slow one; and comparing
/// hashes tells nothing of the token by its time.
fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_24_hours_and_no_other_is() {
        let moment = Moment::new(Timestamp::from_millis(0), [1; 32]);
        let (kept, mailed) = Verification::request(&moment, moment.id("user").into());
        let at = |seconds| Timestamp::from_millis(0).plus_seconds(seconds);
        assert!(kept.accepts(&mailed.token, at(24 * 60 * 60 - 1)));
        assert!(!kept.accepts(&mailed.token, at(24 * 60 * 60)));
        assert!(!kept.accepts("another", at(0)));
    }

    #[test]
    fn neither_what_is_kept_nor_what_is_logged_holds_the_token() {
        let moment = Moment::new(Timestamp::from_millis(0), [1; 32]);
        let (kept, mailed) = Verification::request(&moment, moment.id("user").into());
        assert!(!serde_json::to_string(&kept).unwrap().contains(&mailed.token));
        assert!(!format!("{mailed:?}").contains(&mailed.token));
    }
}
