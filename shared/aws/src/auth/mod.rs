//! Authentication: tokens, API keys, passwords, and limits on guesses and on mails.

pub mod api_keys;
pub mod guesses;
pub mod mails;
#[cfg(feature = "passwords")]
pub mod passwords;
pub mod tokens;
