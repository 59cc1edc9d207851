//! Names of the template's resources.

/// The logical id of a resource by its name in the code: `DeadLettersQueue` for `dead_letters` and
/// `Queue`. It is alphanumeric, so a hyphen ends a word like `_`.
pub(crate) fn logical_id(name: &str, kind: &str) -> String {
    let words = name.split(['_', '-']).map(|word| {
        let mut rest = word.chars();
        let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
        first + rest.as_str()
    });
    words.chain([kind.to_owned()]).collect()
}

/// The line that begins a resource, with the end of the line before it.
pub(super) fn head(id: &str) -> String {
    format!("\n  {id}:\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logical_id_is_alphanumeric() {
        for name in ["get_book", "get-book"] {
            assert_eq!(logical_id(name, "Function"), "GetBookFunction");
        }
    }

    #[test]
    fn a_name_that_is_not_ascii_or_has_an_empty_word_has_a_logical_id() {
        assert_eq!(logical_id("über__uns", "Table"), "ÜberUnsTable");
        assert_eq!(logical_id("", "Table"), "Table");
    }
}
