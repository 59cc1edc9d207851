//! Cutting texts to a number of characters, and the characters that no terminal may get.

/// The first characters of a text, and the rest.
pub(crate) fn split(text: &str, characters_max: usize) -> (&str, &str) {
    let end = text.char_indices().nth(characters_max).map_or(text.len(), |(end, _)| end);
    text.split_at(end)
}

/// The first characters of a text, with a mark in the place of the rest, if there is any.
pub(crate) fn cut(text: &str, characters_max: usize, mark: &str) -> String {
    match split(text, characters_max) {
        (_, "") => text.to_owned(),
        (first, _) => format!("{first}{mark}"),
    }
}

/// Whether a character of a foreign text is not written to a terminal: it moves the cursor, begins an
/// escape sequence, has no width, or changes the direction of the text.
pub(crate) fn is_unshown(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_after_whole_characters_and_a_short_one_is_whole() {
        assert_eq!(split("äbcd", 3), ("äbc", "d"));
        assert_eq!(cut("äbcd", 3, "…"), "äbc…");
        assert_eq!((cut("äbc", 3, "…"), split("äbc", 3)), ("äbc".to_owned(), ("äbc", "")));
    }
}
