//! Checks for passwords that are easy to guess.

use std::sync::LazyLock;

/// The weakness of a password, if it has one. A weak password is blank, repeats a few characters,
/// follows their order, or is one of the most common passwords. Those are found in any case, with
/// digits for letters, repeated, or between digits and marks.
pub(super) fn weakness(password: &str) -> Option<&'static str> {
    let plain = password.to_lowercase();
    let letters: Vec<char> = plain.chars().collect();
    if letters.iter().all(|c| c.is_whitespace() || c.is_control()) {
        return Some("must not be blank");
    }
    if (1..=REPEATED_MAX).any(|period| repeats(&letters, period)) || is_run(&letters) {
        return Some("must not repeat a few characters or follow their order");
    }
    is_common(&plain).then_some("must not be a common password, or made of one")
}

/// Whether a password is little more than a known text, such as an e-mail address or a name. Marks
/// are left out, unless the known text is short without them.
pub(super) fn is_made_of(password: &str, known: &str) -> bool {
    let plain = |text: &str| -> String {
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let (plain_password, stem) = (plain(password), plain(known));
    if stem.chars().count() < STEM_MIN {
        // Many good passwords are as short without their marks.
        return password.to_lowercase() == known.to_lowercase();
    }
    let digits = |c: char| c.is_numeric();
    plain_password == stem
        || plain_password.trim_matches(digits) == stem
        || plain_password == stem.repeat(2)
}

/// A repeated unit of up to this many characters makes a password weak.
const REPEATED_MAX: usize = 4;
/// Shorter words occur in too many good passwords.
const STEM_MIN: usize = 4;

fn repeats(letters: &[char], period: usize) -> bool {
    letters.len() > period && letters.iter().zip(&letters[period..]).all(|(one, next)| one == next)
}

/// `abcdefghijkl`, `123456789012`, and backwards.
fn is_run(letters: &[char]) -> bool {
    let step = |from: char, to: char| match (from, to) {
        ('9', '0') => 1,
        ('0', '9') => -1,
        _ => i64::from(u32::from(to)) - i64::from(u32::from(from)),
    };
    let mut steps = letters.windows(2).map(|pair| step(pair[0], pair[1]));
    steps.next().is_some_and(|first| first.abs() == 1 && steps.all(|step| step == first))
}

fn is_common(plain: &str) -> bool {
    let stem = plain.trim_matches(|c: char| !c.is_alphabetic());
    let spelled: String = stem.chars().map(letter_for).collect();
    let whole: String = plain.chars().map(letter_for).collect();
    let unmarked: String = plain.chars().filter(|c| c.is_alphanumeric()).collect();
    [plain, stem, &spelled, &whole, &unmarked].into_iter().any(|text| {
        is_listed(text) || (2..=4).any(|times| part_of(text, times).is_some_and(is_listed))
    })
}

/// The part of the text that is repeated this many times, if there is one.
fn part_of(text: &str, times: usize) -> Option<&str> {
    let part = text.get(..text.len() / times)?;
    (part.repeat(times) == text).then_some(part)
}

fn is_listed(text: &str) -> bool {
    static LISTED: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let lines = include_str!("common_passwords.txt").lines();
        lines.filter(|line| !line.starts_with('#')).collect()
    });
    LISTED.binary_search(&text).is_ok()
}

/// The letter that a digit or a mark stands for.
fn letter_for(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_easy_to_guess_is_weak() {
        for password in [
            "            ",
            "\u{3000}\u{2003}\t \u{A0}\u{3000}\u{2003}\t \u{A0} \t",
            "\0\0\0\0\0\0\0\0\0\0\0\0",
            "aaaaaaaaaaaa",
            "121212121212",
            "abcabcabcabcab",
            "AbcdAbcdAbcd",
            "abcdefghijklm",
            "123456789012",
            "210987654321",
            "password1234",
            "Password2026!",
            "PASSWORDPASSWORD",
            "password-password",
            "p@ssw0rd1234",
            "P4$$w0rd2025",
            "d0lphin-2025",
            "sunsh1ne2025",
            "pr!ncess2025",
            "ch3lsea-2025",
            "wha7ever2025",
            "1234password",
            "qwertyuiop12",
            "123456123456",
            "1qaz2wsx3edc",
            "SonyEricsson",
            "monkeymonkey",
        ] {
            assert!(weakness(password).is_some(), "{password:?}");
        }
    }

    #[test]
    fn every_listed_password_is_found() {
        assert!(["1234", "password", "zxcvbnm"].into_iter().all(is_listed));
        assert!(!is_listed("# The entries are sorted."));
    }

    #[test]
    fn a_password_of_several_words_or_random_characters_is_not_weak() {
        for password in [
            "correct-horse-battery",
            "another-long-password",
            "Tr0ub4dor&3xyz",
            "k3J9x_qLw0zP",
            "482957163820",
            "паролькотануки",
            "密码里有十二个不同的字符吧",
            "battery horse",
        ] {
            assert_eq!(weakness(password), None, "{password:?}");
        }
    }

    #[test]
    fn a_password_made_of_its_owners_address_or_name_is_found() {
        for (password, known) in [
            ("Ann.Smith@Example.com", "ann.smith@example.com"),
            ("annsmith12345", "Ann Smith"),
            ("Ann-Smith-1984", "Ann Smith"),
            ("annsmithannsmith", "Ann Smith"),
        ] {
            assert!(is_made_of(password, known), "{password}");
        }
        assert!(!is_made_of("correct-horse-battery", "Ann Smith"));
        assert!(!is_made_of("ann123456789x", "Ann"));
    }

    #[test]
    fn a_password_is_made_of_a_short_text_or_of_marks_only_if_it_equals_it() {
        assert!(is_made_of("#!?$%&*()-_=+J", "#!?$%&*()-_=+j"));
        for known in ["🎉", "_", "-.-", "", "J", "_j_"] {
            for password in ["#!?$%&*()-_=+", "!#$%&*()-_=+j", "correct-horse-battery", "🎉🎈🎁"]
            {
                assert!(!is_made_of(password, known), "{password} {known:?}");
            }
        }
    }
}
