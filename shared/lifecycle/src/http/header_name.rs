//! The spelling of header names in messages.

/// A header name in title case: `if-match` becomes `If-Match`.
pub(crate) fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_headers_are_in_title_case() {
        assert_eq!(title_case("idempotency-key"), "Idempotency-Key");
        assert_eq!(title_case(""), "");
    }
}
