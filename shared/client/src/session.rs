//! The identity of a client, and its token.

use tokio::sync::Mutex;

/// The credentials of a client.
pub(crate) enum Session {
    /// No credentials.
    Anonymous,
    /// A token that cannot be renewed.
    Token(String),
    /// Credentials to sign in again when the token has expired.
    Credentials {
        email: String,
        password: String,
        /// The latest token. The lock makes concurrent callers share one sign-in.
        token: Mutex<Option<String>>,
    },
}
