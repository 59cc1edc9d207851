//! Tokens that admit their holder: shown once, and stored as a hash.
//!
//! ```
//! use lifecycle::token::{self, KeptToken};
//! # use lifecycle::{Moment, Timestamp};
//! # let moment = Moment::new(Timestamp::from_millis(0), [7; 32]);
//! let invitation = token::fresh(&moment, "invitation");
//! let kept = KeptToken::of(&invitation, moment.now(), 3600);
//! assert!(kept.accepts(&invitation, moment.now().plus_seconds(3599)));
//! assert!(!kept.accepts("another", moment.now()));
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::newtypes::bounded;
use crate::{Moment, Timestamp};

/// A fresh token, of 43 characters that can stand in a URL. Two tokens of one moment need different
/// labels.
pub fn fresh(moment: &Moment, label: &str) -> String {
    URL_SAFE_NO_PAD.encode(moment.secret(label))
}

/// A token that a client enters. Only its length is checked here; the rules refuse a wrong one.
#[derive(Clone)]
pub struct EnteredToken(String);

impl EnteredToken {
    const LENGTH_MAX: usize = 128;

    /// The token in plain text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EnteredToken {
    type Error = String;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        bounded(&raw, 0, Self::LENGTH_MAX)?;
        Ok(Self(raw))
    }
}

impl fmt::Debug for EnteredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnteredToken(…)")
    }
}

crate::checked!(EnteredToken, String, {
    "type": "string", "maxLength": Self::LENGTH_MAX
});

/// The stored form of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptToken {
    /// SHA-256 of the token, in base64url.
    pub token_hash: String,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl KeptToken {
    /// The stored form of a token that is valid for `ttl_s` seconds from now on.
    pub fn of(token: &str, now: Timestamp, ttl_s: i64) -> Self {
        Self { token_hash: hash(token), expires_at: now.plus_seconds(ttl_s) }
    }

    /// Whether this is the token, and still valid.
    pub fn accepts(&self, token: &str, now: Timestamp) -> bool {
        now < self.expires_at && hash(token) == self.token_hash
    }
}

/// The token has 256 random bits, so a fast hash is as safe as a slow one. The time of comparing
/// hashes reveals nothing about the token.
fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::moment;

    #[test]
    fn two_tokens_of_one_moment_differ_by_their_labels() {
        let [proof, reset] = ["proof", "reset"].map(|label| fresh(&moment(), label));
        assert_ne!(proof, reset);
        for token in [proof, reset] {
            assert_eq!(token.len(), 43);
            assert_eq!(EnteredToken::try_from(token.clone()).unwrap().reveal(), token);
        }
    }

    #[test]
    fn a_token_is_valid_until_it_expires_and_another_one_never() {
        let token = fresh(&moment(), "proof");
        let kept = KeptToken::of(&token, moment().now(), 60);
        let at = |seconds| moment().now().plus_seconds(seconds);
        assert!(kept.accepts(&token, at(59)));
        assert!(!kept.accepts(&token, at(60)));
        for another in ["", "another", kept.token_hash.as_str(), &token[1..]] {
            assert!(!kept.accepts(another, at(0)), "{another}");
        }
    }

    #[test]
    fn an_entered_token_has_at_most_128_characters_and_is_not_shown() {
        for (length, taken) in [(0, true), (128, true), (129, false)] {
            assert_eq!(EnteredToken::try_from("t".repeat(length)).is_ok(), taken, "{length}");
        }
        let token = EnteredToken::try_from("secret".to_owned()).unwrap();
        assert_eq!(format!("{token:?}"), "EnteredToken(…)");
    }

    #[test]
    fn the_stored_form_does_not_hold_the_token() {
        let token = fresh(&moment(), "proof");
        let kept = KeptToken::of(&token, moment().now(), 60);
        assert!(!serde_json::to_string(&kept).unwrap().contains(&token));
    }
}
