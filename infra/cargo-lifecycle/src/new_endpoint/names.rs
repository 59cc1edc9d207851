//! Names of new functions and queues.

use tooling::Error;

/// The maximum length of a name: with the stack's name, a function's name has at most 64
/// characters.
const CHARACTERS_MAX: usize = 40;

/// Functions whose type would have the name of one in the prelude or in a skeleton.
const TAKEN: [&str; 25] = [
    "batch_get_item",
    "condition_check_item",
    "delete_item",
    "delivered_message",
    "domain_error",
    "error_code",
    "exit_code",
    "field_errors",
    "get_item",
    "json_schema",
    "newest_first",
    "no_role",
    "or_not_found",
    "page_query",
    "page_request",
    "person_name",
    "put_item",
    "query_string",
    "queue_name",
    "retrieve_error",
    "scheduled_run",
    "signed_in",
    "subject_limit",
    "update_item",
    "user_id",
];

/// Checks that a function can have this name.
///
/// # Errors
///
/// If not; the error has the reason.
pub(super) fn check(name: &str) -> Result<(), Error> {
    // A Rust keyword never has two words.
    if name.contains('_') && is_words(name) {
        if TAKEN.contains(&name) {
            return Err(format!("{name} is the name of a type that functions use").into());
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::names::logical_id;

    #[test]
    fn no_function_has_the_type_of_the_prelude() {
        let prelude = crate::service::repository().join("shared/lifecycle/src/prelude.rs");
        let prelude = fs_err::read_to_string(prelude).unwrap();
        let exported = prelude.lines().filter(|line| !line.starts_with("//"));
        let exported = exported.flat_map(|line| line.split(|one: char| !one.is_alphanumeric()));
        let is_words = |name: &&str| {
            name.starts_with(|first: char| first.is_uppercase())
                && name.chars().filter(|one| one.is_uppercase()).count() > 1
                && name.contains(|one: char| one.is_lowercase())
        };
        let exported: Vec<&str> = exported.filter(is_words).collect();
        assert!(exported.contains(&"PutItem"), "{exported:?}");
        for name in exported {
            assert!(TAKEN.iter().any(|taken| logical_id(taken, "") == name), "{name}");
        }
    }
}
