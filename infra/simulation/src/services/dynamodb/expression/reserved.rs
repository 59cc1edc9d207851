//! The words that may not name an attribute in an expression, except by a placeholder.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The words, in capitals.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>.
static RESERVED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("reserved.txt").split_whitespace().collect());

/// Whether the word, in any case, is reserved.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(word.to_ascii_uppercase().as_str())
}
