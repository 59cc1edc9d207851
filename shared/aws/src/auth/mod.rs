//! Authentication: tokens, passwords, and limits on guesses and on mails.

pub mod guesses;
pub mod mails;
pub mod passwords;
pub mod tokens;
