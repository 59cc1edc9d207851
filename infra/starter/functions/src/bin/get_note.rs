//! `GET /notes/{noteId}`: a note.

use aws::{Aws, OrNotFound, Table};
use functions::{NOTES, Note, NoteId, NoteView};
use lifecycle::Query;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> GetNote {
    GetNote { notes: aws.table() }
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

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use functions::NoteText;
    use lifecycle::Timestamp;
    use lifecycle::testing::{Memory, Request};

    use super::*;

    #[tokio::test]
    async fn a_stored_note_is_200_and_an_unknown_one_404() {
        let memory = Memory::new();
        let moment = Moment::new(Timestamp::from_millis(0), [0; 32]);
        let note = Note::new(
            &moment,
            NoteText::try_from("Buy bread.".to_owned()).unwrap(),
        );
        memory.put(&note);
        let get_note = InMemory::new(&memory).endpoint(build);

        let found = get_note
            .ask(&Request::new().path("noteId", note.note_id))
            .await;
        assert_eq!(
            (found.status, &found.json()["data"]["text"]),
            (200, &"Buy bread.".into())
        );

        let unknown = Request::new().path("noteId", "00000000-0000-7000-8000-000000000000");
        assert_eq!(get_note.ask(&unknown).await.status, 404);
    }
}
