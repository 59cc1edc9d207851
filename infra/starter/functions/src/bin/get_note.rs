//! `GET /notes/{noteId}`: a note.

use aws::{OrNotFound, Table};
use functions::{NOTES, Note, NoteId, NoteView};
use lifecycle::Query;
use lifecycle::prelude::*;

fn main() -> ExitCode {
    aws::serve(|aws| GetNote { notes: aws.table() })
}

struct GetNote {
    notes: Table<Note>,
}

impl Query for GetNote {
    // 1. Routing
    const ROUTE: Route = Route::get("/notes/{noteId}");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: Resources = &[Resource::Table(NOTES, &[GetItem])];

    // 4. Deserialisation
    type Input = Path<NoteId>;

    // 5. Syntax validation
    type Command = NoteId;

    // 6. Retrieval
    type Facts = Note;

    async fn retrieve(&self, permit: &Permit<Anyone>, note_id: &NoteId) -> Retrieved<Note> {
        self.notes
            .get(permit, &Note::key_of(*note_id))
            .await?
            .or_not_found()
    }

    // 3b. Authorization: notes are public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<NoteView>;

    fn reply(note: Note) -> reply::Ok<NoteView> {
        reply::Ok::of(note.into())
    }
}
