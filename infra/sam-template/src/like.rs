//! Patterns of IAM.

/// Whether a text matches a pattern with `*` for any characters and `?` for one.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // After the last `*`: the pattern's rest, and the text that the `*` does not have yet.
    let mut last_star = None;
    loop {
        let here = text.clone();
        match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                last_star = Some((pattern.clone(), here.clone()));
                text = here;
            }
            (None, None) => return true,
            (Some(expected), Some(found)) if expected == '?' || expected == found => {}
            (Some(_), None) => return false,
            (_, Some(_)) => {
                let Some((rest, longer)) = &mut last_star else { return false };
                longer.next();
                (pattern, text) = (rest.clone(), longer.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_characters_and_a_question_mark_one() {
        let cases = [
            ("arn:orders", "arn:orders", true),
            ("arn:orders", "arn:orders/index/by-user", false),
            ("arn:orders/index/*", "arn:orders/index/by-user", true),
            ("*", "anything", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcdef", false),
            ("a*bc", "abcbc", true),
            ("*é?", "aéé", true),
            ("a**", "a", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("ac?", "ac", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(is_like(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_the_text_for_each_of_its_characters() {
        assert!(!is_like(&format!("{}b", "a*".repeat(40)), &"a".repeat(1000)));
    }
}
