//! Names of new functions and queues.

use tooling::Error;

/// The maximum length of a name: with the stack's name, a function's name has at most 64
/// characters.
const CHARACTERS_MAX: usize = 40;

/// Checks that a function can have this name.
///
/// # Errors
///
/// If not; the error has the reason.
pub(super) fn check(name: &str) -> Result<(), Error> {
    // A Rust keyword never has two words.
    if name.contains('_') && is_words(name) {
        return Ok(());
    }
    Err(format!(
        "{name} is not a name for a function: use two or more words in lower case, as get_greeting, and \
         {CHARACTERS_MAX} characters at most"
    )
    .into())
}

/// Whether a name is words in lower case, joined by `_`, and short enough.
pub(super) fn is_words(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
    };
    name.len() <= CHARACTERS_MAX && name.split('_').all(is_word)
}
