//! Consumer of the queue `word_counts`: counts the words of a new note.

use aws::{OrNotFound, Table};
use functions::{NOTES, Note, NoteCreated, WORD_COUNTS};
use lifecycle::Consumer;
use lifecycle::prelude::*;

fn main() -> ExitCode {
    aws::consume(|aws| CountWords { notes: aws.table() })
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
