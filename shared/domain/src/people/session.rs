//! Sessions: the credentials of a sign-in, its rules, and the session as clients get it.

use std::fmt;

use lifecycle::{DomainError, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Email, EnteredPassword, KnownSources, User};
use crate::error_codes;

/// The credentials of a user, as a client submits them.
#[derive(Debug, Clone, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The e-mail address of the account.
    pub email: Email,
    /// Its password.
    pub password: EnteredPassword,
}

/// The facts about a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The user; `None` if the address is unknown or the password wrong.
    pub user: Option<User>,
    /// The known sources of the user.
    pub sources: Option<KnownSources>,
    /// The source of the request.
    pub source: String,
}

impl SignIn {
    /// The session that starts now.
    ///
    /// # Errors
    ///
    /// `CREDENTIALS_WRONG` without a user, also if their account has expired. `EMAIL_NOT_VERIFIED`
    /// if they have not verified their address.
    pub fn session(self, now: Timestamp) -> Result<Session, DomainError> {
        let Self { user, sources, source } = self;
        let user = user.filter(|user| user.is_there(now)).ok_or(error_codes::CREDENTIALS_WRONG)?;
        if !user.email_verified {
            return Err(error_codes::EMAIL_NOT_VERIFIED.into());
        }
        let sources = KnownSources::after(sources, &user.email, &source, now);
        Ok(Session { user, from: now, sources })
    }
}

/// A session of a user. It is not stored: its token holds everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The user.
    pub user: User,
    /// The start of its lifetime.
    pub from: Timestamp,
    /// The sources to store, if they have changed.
    pub sources: Option<KnownSources>,
}

/// A session: a token for the requests of its user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// The token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// The lifetime in seconds.
    pub expires_in: u32,
}

impl SessionView {
    /// The session with this token, and its lifetime in seconds.
    pub fn bearer(access_token: String, expires_in: u32) -> Self {
        Self { access_token, token_type: "Bearer".to_owned(), expires_in }
    }
}

impl fmt::Debug for SessionView {
    /// Omits the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{ann, moment, read};

    #[test]
    fn an_unknown_address_and_a_wrong_password_are_the_same_401() {
        let rejection = session(None).unwrap_err();
        assert_eq!(rejection, error_codes::CREDENTIALS_WRONG.into());
    }

    #[test]
    fn an_unverified_account_is_403_with_the_right_password() {
        let rejection = session(Some(ann())).unwrap_err();
        assert_eq!(rejection, error_codes::EMAIL_NOT_VERIFIED.into());
    }

    #[test]
    fn an_expired_unverified_account_is_401_like_an_unknown_one() {
        let ended = User { expires_at: Some(moment().now().as_seconds()), ..ann() };
        let rejection = session(Some(ended)).unwrap_err();
        assert_eq!(rejection, error_codes::CREDENTIALS_WRONG.into());
    }

    #[test]
    fn a_short_password_is_accepted_and_not_shown_in_debug_output() {
        let credentials: Credentials =
            read(serde_json::json!({ "email": "ann@example.com", "password": "short" }));
        assert!(!format!("{credentials:?}").contains("short"));
    }

    #[test]
    fn a_session_is_shown_without_its_token() {
        let session = SessionView::bearer("secret".to_owned(), 900);
        assert_eq!(format!("{session:?}"), "SessionView { expires_in: 900, .. }");
    }

    fn session(user: Option<User>) -> Result<Session, DomainError> {
        let source = "192.0.2.1".to_owned();
        SignIn { user, sources: None, source }.session(moment().now())
    }
}
