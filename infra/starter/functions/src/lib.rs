//! The notes of this service: the types that its functions share.

use lifecycle::effects::{EventData, QueueName};
use lifecycle::record::{Key, Record, TableName};
use lifecycle::relay::Subscriptions;
use lifecycle::{Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The table of the notes.
pub const NOTES: TableName = TableName::new("notes");

/// The queue of the notes whose words are counted.
pub const WORD_COUNTS: QueueName = QueueName::new("word_counts");

lifecycle::uuid_id! {
    /// The id of a note.
    NoteId
}

lifecycle::text! {
    /// The text of a note.
    NoteText: 1..=1000
}

/// A note, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The id.
    pub note_id: NoteId,
    /// The text.
    pub text: NoteText,
    /// When it was written.
    pub created_at: Timestamp,
    /// The number of its words, once they are counted.
    pub words: Option<u32>,
    /// Increases with each change.
    pub version: u64,
}

impl Record for Note {
    const TABLE: TableName = NOTES;

    fn key(&self) -> Key {
        Self::key_of(self.note_id)
    }
}

impl Note {
    /// The key of the note with this id.
    pub fn key_of(note_id: NoteId) -> Key {
        Key::new(note_id)
    }

    /// A new note.
    pub fn new(moment: &Moment, text: NoteText) -> Self {
        let note_id = NoteId::from(moment.id("note"));
        Self {
            note_id,
            text,
            created_at: moment.now(),
            words: None,
            version: 1,
        }
    }

    /// The note with its words counted: the next version.
    pub fn counted(self) -> Self {
        let words = self.text.as_str().split_whitespace().count();
        Self {
            words: u32::try_from(words).ok(),
            version: self.version + 1,
            ..self
        }
    }
}

/// A note, as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoteView {
    /// The id.
    pub note_id: NoteId,
    /// The text.
    pub text: NoteText,
    /// When it was written.
    pub created_at: Timestamp,
    /// The number of its words; absent until they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<u32>,
}

impl From<Note> for NoteView {
    fn from(note: Note) -> Self {
        let Note {
            note_id,
            text,
            created_at,
            words,
            version: _,
        } = note;
        Self {
            note_id,
            text,
            created_at,
            words,
        }
    }
}

/// A note was written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteCreated {
    /// Its id.
    pub note_id: NoteId,
}

impl EventData for NoteCreated {
    const TYPE: &'static str = "NoteCreated";
}

/// The queues that subscribe to the events.
pub struct NoteEvents;

impl Subscriptions for NoteEvents {
    const QUEUES: &'static [QueueName] = &[WORD_COUNTS];

    fn subscribers(event_type: &str) -> &'static [QueueName] {
        match event_type {
            NoteCreated::TYPE => &[WORD_COUNTS],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_note_is_the_next_version_with_its_number_of_words() {
        let text = NoteText::try_from("Buy bread\nand milk.".to_owned()).unwrap();
        let note = Note::new(&Moment::new(Timestamp::from_millis(0), [0; 32]), text);
        let counted = note.clone().counted();
        assert_eq!(
            (counted.words, counted.version),
            (Some(4), note.version + 1)
        );
    }
}
