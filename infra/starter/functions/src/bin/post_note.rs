//! `POST /notes`: writes a note.

use functions::{NOTES, Note, NoteCreated, NoteText, NoteView};
use lifecycle::Endpoint;
use lifecycle::prelude::*;
use schemars::JsonSchema;

pub(crate) fn main() -> ExitCode {
    aws::serve(|_| PostNote)
}

struct PostNote;

/// A new note.
#[derive(Debug, eserde::Deserialize, JsonSchema)]
struct NoteDraft {
    /// The text.
    text: NoteText,
}

impl Endpoint for PostNote {
    // 1. Routing
    const ROUTE: Route = Route::post("/notes");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const BODY_BYTES_MAX: usize = 8 * 1024;
    const RESOURCES: Resources = &[Resource::Table(NOTES, &[PutItem]), Resource::Outbox];

    // 4. Deserialisation
    type Input = Json<NoteDraft>;

    // 5. Syntax validation
    type Command = NoteDraft;

    // 6. Retrieval: nothing is needed
    type Facts = ();

    async fn retrieve(&self, _: &Permit<Anyone>, _: &NoteDraft) -> Retrieved<()> {
        Ok(())
    }

    // 3b. Authorization: every caller is allowed
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<()> = Conditions::Creation(None);

    // 7. Business rules
    type Outcome = Note;

    fn decide(moment: &Moment, _: &Anyone, draft: &NoteDraft, (): ()) -> Result<Note, DomainError> {
        Ok(Note::new(moment, draft.text.clone()))
    }

    // 8. Side effects: the note and its event, in one commit
    fn effects(note: &Note) -> Effects {
        let created = NoteCreated {
            note_id: note.note_id,
        };
        Effects::none()
            .write(Write::create(note))
            .event(Event::about(note.note_id, &created))
    }

    // 9. Response
    type Reply = reply::Created<NoteView>;

    fn reply(note: Note) -> reply::Created<NoteView> {
        reply::Created::at(format!("/notes/{}", note.note_id), note.into())
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::testing::{self, Memory, Request};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_repeated_key_is_answered_201_without_a_second_note() {
        let memory = Memory::new();
        let post_note = testing::endpoint(PostNote, &memory);
        let body = json!({ "text": "Buy bread." });
        let request = Request::new()
            .json(&body)
            .header("idempotency-key", "note-1");

        let created = post_note.ask(&request).await;
        let repeated = post_note.ask(&request).await;

        assert_eq!((created.status, repeated.status), (201, 201));
        assert_eq!(repeated.json(), created.json());
        assert_eq!(memory.items(NOTES).len(), 1);
        assert_eq!(memory.outbox()[0].event_type, "NoteCreated");
    }

    #[tokio::test]
    async fn an_empty_text_is_400_and_nothing_is_written() {
        let memory = Memory::new();
        let request = Request::new().json(&json!({ "text": "" }));
        let answer = testing::endpoint(PostNote, &memory).ask(&request).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(memory.items(NOTES).is_empty());
    }
}
