//! Who a client is, and the token that proves it.

use tokio::sync::Mutex;

/// What a client signs in with.
pub(crate) enum Session {
    /// Nobody.
    Anonymous,
    /// Somebody who has a token, and no way to another.
    Token(String),
    /// Somebody who can sign in again when their token has ended.
    Credentials {
        email: String,
        password: String,
        /// The latest token. Whoever waits for the lock finds the token of whoever held it.
        token: Mutex<Option<String>>,
    },
}
