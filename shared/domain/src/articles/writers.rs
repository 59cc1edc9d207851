//! The writers of an article's present text.

use std::collections::BTreeSet;

use lifecycle::newtypes::compared;
use serde::{Deserialize, Serialize};

use super::texts::Texts;
use crate::people::UserId;

/// The users who wrote part of an article's present text, for each field.
///
/// An editor who changes a field becomes one of its writers. The earlier writers stay as long as
/// any of its words is left, in this field or in the other one: correcting a comma does not make the
/// text the editor's, nor does moving it. Only a change that keeps no word removes them, and a text
/// without words keeps its writers. An editor may therefore count as a writer for longer than their
/// words remain, but never for shorter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writers {
    title: BTreeSet<UserId>,
    content: BTreeSet<UserId>,
}

impl Writers {
    /// The writers of a new article: its author.
    pub(super) fn of(author_id: UserId) -> Self {
        let author = BTreeSet::from([author_id]);
        Self { title: author.clone(), content: author }
    }

    /// Whether this user wrote part of the title or the content.
    pub(super) fn include(&self, person: UserId) -> bool {
        self.title.contains(&person) || self.content.contains(&person)
    }

    /// The writers after this user has changed `before` into `after`.
    pub(super) fn after(&self, before: Texts<'_>, after: Texts<'_>, person: UserId) -> Self {
        let title = [before.title.as_str(), after.title.as_str()];
        let content = [before.content.as_str(), after.content.as_str()];
        let moved = |[old, new]: [&str; 2], other: &str, writers: &BTreeSet<UserId>| {
            if old != new && share_words(old, other) { writers.clone() } else { BTreeSet::new() }
        };
        let into_title = moved(content, title[1], &self.content);
        let into_content = moved(title, content[1], &self.title);
        Self {
            title: &field(&self.title, title, person) | &into_title,
            content: &field(&self.content, content, person) | &into_content,
        }
    }
}

/// The writers of a field after this user has changed or kept its text.
fn field(writers: &BTreeSet<UserId>, [old, new]: [&str; 2], person: UserId) -> BTreeSet<UserId> {
    if old == new {
        return writers.clone();
    }
    let kept = words(old).is_empty() || share_words(old, new);
    let before = writers.iter().copied().filter(|_| kept);
    before.chain([person]).collect()
}

fn share_words(one: &str, other: &str) -> bool {
    !words(one).is_disjoint(&words(other))
}

/// The words of a text without case: as they are typed, and as they are compared, without invisible
/// characters and forms of width.
fn words(text: &str) -> BTreeSet<String> {
    &split(&text.to_lowercase()) | &split(&compared(text))
}

fn split(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() && letter < UNSPACED_FROM {
            word.push(letter);
            continue;
        }
        words.insert(std::mem::take(&mut word));
        if letter >= UNSPACED_FROM && !letter.is_whitespace() {
            words.insert(letter.to_string());
        }
    }
    words.insert(word);
    words.remove("");
    words
}

/// From this code point on (Thai, Khmer, Chinese, Japanese, and emoji), scripts have no blanks
/// between words, so each character counts as a word.
const UNSPACED_FROM: char = '\u{0E00}';

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::articles::Article;
    use crate::examples::{article, moment, read};

    #[test]
    fn the_writers_of_a_field_are_removed_when_none_of_its_words_is_left() {
        let (first, second) = (person(1), person(2));
        for (old, new, first_stays) in [
            ("By steam.", "By steam, and loudly.", true),
            ("By steam.", "BY fire", true),
            ("By steam.", "B\u{AD}y st\u{200D}eam.", true),
            ("By steam.", "Ｂｙ ｓｔｅａｍ.", true),
            ("By\u{200B}steam.", "By fire", true),
            ("By steam.", "steamed", false),
            ("By steam.", "Loudly", false),
            ("By steam.", "!", false),
            ("Älter wird sie", "sie wird ÄLTER", true),
            ("水壶会响", "水壶不响", true),
            ("水壶会响", "灯", false),
            ("กาน้ำร้อง", "กาน้ำไม่ร้อง", true),
            ("!", "?", true),
        ] {
            let after = field(&BTreeSet::from([first]), [old, new], second);
            assert!(after.contains(&second), "{old} -> {new}");
            assert_eq!(after.contains(&first), first_stays, "{old} -> {new}");
        }
        let untouched = field(&BTreeSet::from([first]), ["!", "!"], second);
        assert_eq!(untouched, BTreeSet::from([first]));
    }

    #[test]
    fn title_and_content_have_separate_writers() {
        let (author, editor) = (article().author_id, person(1));
        let content = read(json!("Entirely new."));
        let rewritten = Article { content, ..article().changed(moment().now()) };
        let writers = Writers::of(author).after(article().texts(), rewritten.texts(), editor);
        assert!(writers.include(author) && writers.include(editor));
        let (title, content) = (read(json!("Its opposite")), read(json!("Nothing left")));
        let replaced = Article { title, content, ..rewritten.clone() };
        let writers = writers.after(rewritten.texts(), replaced.texts(), author);
        assert!(writers.include(author) && !writers.include(editor));
    }

    #[test]
    fn words_that_move_between_title_and_content_keep_their_writer() {
        let (first, mover) = (person(1), person(2));
        let with = |title: &str, content: &str| Article {
            title: read(json!(title)),
            content: read(json!(content)),
            ..article()
        };
        for (before, after) in [
            (["Lamp guide", "It glows."], ["Fresh start", "Our own. Lamp guide"]),
            (["It glows.", "Lamp guide"], ["Lamp!", "Fresh start"]),
            (["Lamp guide", "A lamp glows."], ["Fresh start", "A lamp glows."]),
        ] {
            let [before, after] = [before, after].map(|[title, content]| with(title, content));
            let is_first_in_title = before.title.as_str() == "Lamp guide";
            let (with_first, others) = (BTreeSet::from([first]), BTreeSet::new());
            let writers = if is_first_in_title {
                Writers { title: with_first, content: others }
            } else {
                Writers { title: others, content: with_first }
            };
            let writers = writers.after(before.texts(), after.texts(), mover);
            assert!(writers.include(first) && writers.include(mover), "{after:?}");
        }
    }

    fn person(number: u128) -> UserId {
        UserId::from(Uuid::from_u128(number))
    }
}
