//! Consumer of the queue `word_counts`: counts the words of a new note.

use aws::{Aws, OrNotFound, Table};
use functions::{NOTES, Note, NoteCreated, WORD_COUNTS};
use lifecycle::Consumer;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::consume(build)
}

fn build(aws: &Aws) -> CountWords {
    CountWords { notes: aws.table() }
}

struct CountWords {
    notes: Table<Note>,
}

impl Consumer for CountWords {
    const SOURCE: Source = Source::Queue(WORD_COUNTS);

    const RESOURCES: Resources = &[Resource::Table(NOTES, &[GetItem, PutItem])];

    // 4. Deserialisation
    type Input = Envelope<NoteCreated>;

    // 5. Syntax validation
    type Command = Envelope<NoteCreated>;

    // 6. Retrieval
    type Facts = Note;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        created: &Envelope<NoteCreated>,
    ) -> Retrieved<Note> {
        self.notes
            .get(permit, &Note::key_of(created.data.note_id))
            .await?
            .or_not_found()
    }

    // 7. and 8. If the note has changed since it was read, it is read again
    fn decide(_: &Moment, _: &Envelope<NoteCreated>, note: Note) -> Result<Effects, DomainError> {
        let read_version = note.version;
        Ok(Effects::none().write(Write::replace(&note.counted(), read_version)))
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use functions::NoteText;
    use lifecycle::Timestamp;
    use lifecycle::testing::{self, Memory};

    use super::*;

    #[tokio::test]
    async fn the_words_of_a_note_are_counted_once_per_event() {
        let memory = Memory::new();
        let moment = Moment::new(Timestamp::from_millis(0), [0; 32]);
        let note = Note::new(
            &moment,
            NoteText::try_from("Buy bread.".to_owned()).unwrap(),
        );
        memory.put(&note);
        let count_words = InMemory::new(&memory).consumer(build);
        let created = NoteCreated {
            note_id: note.note_id,
        };
        let event = testing::envelope("event-1", &note.note_id.to_string(), &created);

        for _ in 0..2 {
            assert!(count_words.messages(&[&event]).await.failed.is_empty());
        }

        let counted: Note = memory.get(&Note::key_of(note.note_id)).unwrap();
        assert_eq!((counted.words, counted.version), (Some(2), 2));
    }
}
