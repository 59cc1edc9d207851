//! The listed words. `infra/docs/STYLE.md` gives the rule behind each.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Words and phrases, in lower case. Each makes a sentence hard to read: it hides its subject or its
/// actor, or stands in the place of the field's term.
const LISTED: [&str; 66] = [
    // The subject is missing: name the thing.
    "what",
    "whatever",
    "whichever",
    "wherever",
    "that which",
    "those that",
    "of its own",
    "of their own",
    "by itself",
    "by themselves",
    // The actor is missing: name the component.
    "whoever",
    "whomever",
    "whom",
    "those who",
    "those whose",
    "nobody",
    "somebody",
    "anybody",
    "everybody",
    "other people",
    // Passive phrases without an actor.
    "is to be",
    "are to be",
    "was to be",
    // A component does not speak: it returns, logs, rejects or publishes.
    "tell",
    "tells",
    "told",
    "say",
    "says",
    "said",
    "hear",
    "hears",
    "heard",
    "believe",
    "believes",
    "believed",
    "word of",
    // Metaphors in the place of terms.
    "letter",
    "letters",
    "bury",
    "buries",
    "buried",
    "strike",
    "strikes",
    "struck",
    "tale",
    "tales",
    "door",
    "doors",
    "conduct",
    "conducts",
    "befall",
    "befalls",
    "luck",
    "in vain",
    "good for",
    "for good",
    "comes of",
    "came of",
    "is away",
    "are away",
    "goes away",
    "went away",
    "has been there",
    // Words of another century.
    "anew",
    "beside",
    "at hand",
];

/// The listed words and phrases by their first word, each in the order of the list.
static BY_FIRST_WORD: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut phrases: HashMap<&str, Vec<&str>> = HashMap::new();
    for phrase in LISTED {
        let first = phrase.split(' ').next().unwrap_or_default();
        phrases.entry(first).or_default().push(phrase);
    }
    phrases
});

/// Phrases of the field that contain a listed word.
const ALLOWED: [&str; 5] = ["what to", "dead letter", "dead letters", "say so", "nobody is asked"];

/// The listed words of a text, each with the number of characters before it.
pub(super) fn found(text: &str) -> Vec<(usize, &'static str)> {
    let words = words_of(text);
    let follows = |place: usize, phrase: &str| {
        let mut here = words[place..].iter().map(|(_, word)| word.as_str());
        phrase.split(' ').all(|wanted| here.next() == Some(wanted))
    };
    let is_allowed = |place: usize| {
        ALLOWED.iter().any(|phrase| {
            (0..phrase.split(' ').count())
                .any(|back| place.checked_sub(back).is_some_and(|start| follows(start, phrase)))
        })
    };
    let mut all = Vec::new();
    for (place, (start, word)) in words.iter().enumerate() {
        let listed = BY_FIRST_WORD.get(word.as_str()).into_iter().flatten();
        let listed = listed.filter(|phrase| follows(place, phrase) && !is_allowed(place));
        all.extend(listed.map(|phrase| (*start, *phrase)));
    }
    all
}

/// The words in lower case, each with the place of its first byte. `don't` is one word.
fn words_of(text: &str) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (place, character) in text.char_indices() {
        let belongs = character.is_alphanumeric() || (open && character == '\'');
        if belongs {
            match words.last_mut().filter(|_| open) {
                Some((_, word)) => word.extend(character.to_lowercase()),
                None => words.push((place, character.to_lowercase().collect())),
            }
        }
        open = belongs;
    }
    for (_, word) in &mut words {
        let bare = word.trim_end_matches("'s").trim_end_matches('\'').len();
        word.truncate(bare);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        found(text).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn a_listed_word_is_found_in_any_case_and_across_line_breaks() {
        assert_eq!(names("What does not answer, by\n itself."), ["what", "by itself"]);
        assert_eq!(
            names("Whoever is late is somebody's\nword  of"),
            ["whoever", "somebody", "word of"]
        );
        assert_eq!(names("a tell-tale"), ["tell", "tale"]);
    }

    #[test]
    fn a_part_of_a_word_and_a_term_of_the_field_are_not_found() {
        assert_eq!(names("somewhat retold, lettered doorway"), Vec::<&str>::new());
        assert_eq!(names("what to do with dead letters"), Vec::<&str>::new());
        assert_eq!(names("a letter"), ["letter"]);
    }

    #[test]
    fn the_place_is_the_first_byte_of_the_word() {
        assert_eq!(found("é what"), [(3, "what")]);
    }
}
